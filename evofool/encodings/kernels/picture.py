"""The compiled loop of ``fused``: over genomes and nodes, a tile of pixels at a time.

All arithmetic is written out in single operations of float32 (of float64, where an angle is brought into one turn),
which every processor and every version of a library rounds alike. ``gallery/cppn.js`` repeats them.
"""

from __future__ import annotations

import math

import numpy as np

from .compiled import compiled, inlined
from .functions import exp, sine

COLOURS = ("grey", "hsl", "rgb")
"""``functions.COLOURS``, as numbers"""

_f = np.float32
_ZERO, _ONE, _TWO, _HALF = _f(0), _f(1), _f(2), _f(0.5)
_THREE, _FOUR, _SIX, _255 = _f(3), _f(4), _f(6), _f(255)
_THREE_HALVES = _f(1.5)

_FAR, _QUARTER = _f(1e8), math.pi / 2
"""a larger angle has no digits left of a turn; and what makes a sine of a cosine"""
_LEAST = _f(87)
"""exp(−87) is nearly the smallest normal float32; processors are slow with those below"""


@compiled
def _activate(values, row, size, name):
    """``functions.ACTIVATIONS`` number ``name`` of ``size`` values from ``row`` on, in place."""
    if name == 0:
        for i in range(size):
            values[row + i] = sine(np.float64(min(max(values[row + i], -_FAR), _FAR)))
    elif name == 1:
        for i in range(size):
            e = exp(min(max(-values[row + i], -_LEAST), _LEAST))
            values[row + i] = _TWO / (_ONE + e) - _ONE
    elif name == 2:
        for i in range(size):
            values[row + i] = exp(-min(values[row + i] * values[row + i], _LEAST))
    elif name == 3:
        for i in range(size):
            values[row + i] = min(max(values[row + i], -_THREE), _THREE) / _THREE
    elif name == 4:
        for i in range(size):
            values[row + i] = sine(np.float64(min(max(values[row + i], -_FAR), _FAR)) + _QUARTER)
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
    coordinates, genomes, activations, begin, source, weight, outputs, colour, tile, which, window, images
):
    """Render genomes ``which[0]`` to ``which[1]`` at pixels ``window``, likewise.

    ``genomes`` says where each one's nodes begin, ``begin`` where each node's connections do; ``source`` and
    ``outputs`` are rows of a genome's own table, inputs first.
    """
    inputs = coordinates.shape[0]
    first, last = which
    most = 0
    for g in range(first, last):
        most = max(most, genomes[g + 1] - genomes[g])
    wide = np.uint64(tile)  # unsigned: a signed index could be one from the end, which costs a test each
    values = np.empty((inputs + most) * tile, np.float32)
    rows = np.empty(outputs.shape[1], np.uint64)
    for start in range(window[0], window[1], tile):
        size, pixel = np.uint64(min(tile, window[1] - start)), np.uint64(start)
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
