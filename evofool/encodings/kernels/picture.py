"""The compiled loop of ``fused``: over genomes and nodes, a tile of pixels at a time.

All arithmetic is written out in single operations of float32 (of float64, where an angle is brought into one turn),
which every processor and every version of a library rounds alike. ``gallery/cppn.js`` repeats them.
"""

from __future__ import annotations

import math

import numpy as np

from .compiled import compiled, inlined

COLOURS = ("grey", "hsl", "rgb")
"""``functions.COLOURS``, as numbers"""

_f = np.float32
_ZERO, _ONE, _TWO, _HALF = _f(0), _f(1), _f(2), _f(0.5)
_THREE, _FOUR, _SIX, _255 = _f(3), _f(4), _f(6), _f(255)
_THREE_HALVES = _f(1.5)

# Sine: polynomial of degree 9 on [0, π/2], off by 5e-9 at most. Angles above 1e9 have no digits left of a turn.
_S3, _S5, _S7, _S9 = _f(-0.16666657), _f(0.008333017), _f(-0.00019806615), _f(2.6000548e-06)
_PI, _FAR = _f(math.pi), _f(1e9)
_TURN, _PER_TURN, _QUARTER = 2 * math.pi, 1 / (2 * math.pi), math.pi / 2
_ROUND = 1.5 * 2.0**52
"""added and taken away again it rounds a float64 to the nearest whole number"""

# Exponential: 2ⁿ · polynomial of degree 6 on ±ln 2 / 2, off by 3e-9 of its value at most. ln 2 is the sum of two
# numbers, the first of so few digits that n times it is exact.
_E2, _E3, _E4, _E5, _E6 = _f(0.5), _f(0.16666514), _f(0.041666187), _f(0.00836959), _f(0.0013951703)
_PER_LN2, _LN2, _LN2_REST = _f(1 / math.log(2)), _f(0.693359375), _f(-2.12194440e-4)
_ROUND_F, _EXPONENT = _f(1.5 * 2.0**23), np.int32(127 - 0x4B400000)
"""the same for float32; and what makes of the bits of (n + that) the exponent's of 2ⁿ"""
_LEAST = _f(87)
"""exp(−87) is nearly the smallest normal float32; processors are slow with those below"""


@inlined
def _sine(angle):
    """sin of a float64, as float32."""
    turns = (angle * _PER_TURN + _ROUND) - _ROUND
    rest = _f(angle - turns * _TURN)
    half = abs(rest)
    x = min(half, _PI - half)
    u = x * x
    value = (((_S9 * u + _S7) * u + _S5) * u + _S3) * u * x + x
    return math.copysign(value, rest)


@inlined
def _exp(v):
    """exp of a float32 within ±87."""
    shifted = _f(v * _PER_LN2 + _ROUND_F)
    n = shifted - _ROUND_F
    r = v - n * _LN2 - n * _LN2_REST
    power = np.int32((shifted.view(np.int32) + _EXPONENT) << np.int32(23)).view(np.float32)
    return ((((((_E6 * r + _E5) * r + _E4) * r + _E3) * r + _E2) * r + _ONE) * r + _ONE) * power


@compiled
def _activate(values, row, size, name):
    """``functions.ACTIVATIONS`` number ``name`` of ``size`` values from ``row`` on, in place."""
    if name == 0:
        for i in range(size):
            values[row + i] = _sine(np.float64(min(max(values[row + i], -_FAR), _FAR)))
    elif name == 1:
        for i in range(size):
            e = _exp(min(max(-values[row + i], -_LEAST), _LEAST))
            values[row + i] = _TWO / (_ONE + e) - _ONE
    elif name == 2:
        for i in range(size):
            values[row + i] = _exp(-min(values[row + i] * values[row + i], _LEAST))
    elif name == 3:
        for i in range(size):
            values[row + i] = min(max(values[row + i], -_THREE), _THREE) / _THREE
    elif name == 4:
        for i in range(size):
            values[row + i] = _sine(np.float64(min(max(values[row + i], -_FAR), _FAR)) + _QUARTER)
    else:
        for i in range(size):
            values[row + i] = min(abs(values[row + i]), _THREE) / _THREE_HALVES - _ONE


@inlined
def _byte(value):
    """[0, 1], or by a rounding more, to the nearest of 0…255."""
    return np.uint8(np.int32(value * _255 + _HALF))


@inlined
def _wheel(turn, middle):
    """How far a channel is from grey at a hue (0…6), ±½."""
    return min(max(abs(turn - middle) - _THREE_HALVES, -_HALF), _HALF)


@compiled
def _paint(values, rows, size, colour, image, pixel):
    """``functions.COLOURS`` number ``colour`` of a genome's outputs as bytes (C, P), from ``pixel`` on."""
    if colour == 0:
        for i in range(size):
            image[0, pixel + i] = _byte(abs(values[rows[0] + i]))
    elif colour == 1:
        for i in range(size):
            turn, s, light = abs(values[rows[0] + i]) * _SIX, abs(values[rows[1] + i]), abs(values[rows[2] + i])
            chroma = s - abs(light * _TWO - _ONE) * s
            image[0, pixel + i] = _byte(light + _wheel(turn, _THREE) * chroma)
            image[1, pixel + i] = _byte(light - _wheel(turn, _TWO) * chroma)
            image[2, pixel + i] = _byte(light - _wheel(turn, _FOUR) * chroma)
    else:
        for c in range(3):
            for i in range(size):
                image[c, pixel + i] = _byte((values[rows[c] + i] + _ONE) * _HALF)


@compiled
def render_genomes(
    coordinates, genomes, activations, begin, source, weight, outputs, colour, tile, first, last, images
):
    """Render genomes ``first`` to ``last``: ``genomes`` says where each one's nodes begin, ``begin`` where each node's
    connections do, ``source`` and ``outputs`` are rows of a genome's own table, inputs first."""
    pixels, inputs = coordinates.shape[1], coordinates.shape[0]
    most = 0
    for g in range(first, last):
        most = max(most, genomes[g + 1] - genomes[g])
    wide = np.uint64(tile)  # unsigned: a signed index could be one from the end, which costs a test each
    values = np.empty((inputs + most) * tile, np.float32)
    rows = np.empty(outputs.shape[1], np.uint64)
    for start in range(0, pixels, tile):
        size, pixel = np.uint64(min(tile, pixels - start)), np.uint64(start)
        for k in range(inputs):
            row = np.uint64(k) * wide
            for i in range(size):
                values[row + i] = coordinates[k, pixel + i]
        for g in range(first, last):
            for node in range(genomes[g], genomes[g + 1]):
                row = np.uint64(inputs + node - genomes[g]) * wide
                edge, end = begin[node], begin[node + 1]
                if edge == end:
                    for i in range(size):
                        values[row + i] = _ZERO
                else:
                    a, w = np.uint64(source[edge]) * wide, weight[edge]
                    for i in range(size):
                        values[row + i] = values[a + i] * w
                    edge += 1
                while edge + 1 < end:  # two at a time spare a load and a store
                    a, w = np.uint64(source[edge]) * wide, weight[edge]
                    b, v = np.uint64(source[edge + 1]) * wide, weight[edge + 1]
                    for i in range(size):
                        values[row + i] = values[row + i] + values[a + i] * w + values[b + i] * v
                    edge += 2
                if edge < end:
                    a, w = np.uint64(source[edge]) * wide, weight[edge]
                    for i in range(size):
                        values[row + i] = values[row + i] + values[a + i] * w
                _activate(values, row, size, activations[node])
            for c in range(outputs.shape[1]):
                rows[c] = np.uint64(outputs[g, c]) * wide
            _paint(values, rows, size, colour, images[g], pixel)
