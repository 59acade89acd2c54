"""The compiled renderer of CPPNs: a loop over genomes and nodes, for a tile of pixels at a time.

Since a new node is put on a connection, two fifths of a genome's nodes depend on x alone, on y alone or on nothing.
They are computed for one line or column of the picture and repeated.

All arithmetic is written out in single operations of float32 (of float64, where an angle is reduced to one turn), which
every processor and every version of a library rounds alike. Two other places compute the same:
``encodings/cppn/levels.py`` with torch, for accelerators, and ``gallery/pages/assets/cppn.js`` in the browser.
tests/encodings/test_render.py holds this loop and the levels to the same slow reference, and
tests/browser/test_parity.py holds the JavaScript to this loop's bytes.
"""

from __future__ import annotations

import math

import numpy as np

from .compiled import compiled, inlined
from .constants import EXP_CUTOFF
from .functions import EXP_LIMIT, exp, sine

COLOURS = ("grey", "hsl", "rgb")
"""The colour mappings by number; ``encodings/cppn/functions.py`` defines them."""

_f = np.float32
_ZERO, _ONE, _TWO, _HALF = _f(0), _f(1), _f(2), _f(0.5)
_THREE, _FOUR, _SIX, _255 = _f(3), _f(4), _f(6), _f(255)
_THREE_HALVES = _f(1.5)

_INPUTS = 1, 2, 4, 8
"""The bits of x, y, distance and bias in a node's ``reads``."""

_NOT_X, _NOT_Y = np.uint8(2 | 4), np.uint8(1 | 4)
"""The bits of all inputs but x, or but y, that differ between pixels; the bias is the same everywhere."""

MAX_ANGLE = _f(1e8)
"""Largest angle; of a larger one float32 keeps no digit of the turn."""

QUARTER = math.pi / 2
"""Quarter of a turn, which is added to an angle to get its cosine as a sine."""

_CUTOFF = _f(EXP_CUTOFF)


@compiled
def activate(values, row, size, name):
    """Replace ``size`` values from ``row`` on by their activation, whose number in ``ACTIVATION_NAMES`` is ``name``."""
    if name == 0:
        for i in range(size):
            values[row + i] = sine(np.float64(min(max(values[row + i], -MAX_ANGLE), MAX_ANGLE)))
    elif name == 1:
        for i in range(size):
            e = exp(min(max(-values[row + i], -EXP_LIMIT), EXP_LIMIT))
            values[row + i] = _TWO / (_ONE + e) - _ONE
    elif name == 2:
        for i in range(size):
            square = values[row + i] * values[row + i]
            bell = exp(-min(square, _CUTOFF))
            values[row + i] = bell if square < _CUTOFF else _ZERO
    elif name == 3:
        for i in range(size):
            values[row + i] = min(max(values[row + i], -_THREE), _THREE) / _THREE
    elif name == 4:
        for i in range(size):
            values[row + i] = sine(np.float64(min(max(values[row + i], -MAX_ANGLE), MAX_ANGLE)) + QUARTER)
    else:
        for i in range(size):
            values[row + i] = min(abs(values[row + i]), _THREE) / _THREE_HALVES - _ONE


@inlined
def _byte(value):
    """Return the 8-bit value nearest to 255 · ``value``, for a value in [0, 1] or a rounding error above."""
    return np.uint8(np.int32(value * _255 + _HALF))


@inlined
def _wheel(turn, middle):
    """Return how far a channel is from grey, within ±½, at hue ``turn`` from 0 to 6."""
    return min(max(abs(turn - middle) - _THREE_HALVES, -_HALF), _HALF)


@compiled
def _paint(values, rows, size, colour, image, pixel):
    """Write a genome's outputs as bytes into ``image`` (C, P) from ``pixel`` on, by colour mapping ``colour``."""
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
def compute(values, wide, row, size, node, nodes):
    """Compute a node's ``size`` values into row ``row`` of a table whose rows have ``wide`` values."""
    activations, _, begin, source, weight = nodes
    row *= wide
    edge, end = begin[node], begin[node + 1]
    if edge == end:
        for i in range(size):
            values[row + i] = _ZERO
    else:
        a, w = np.uint64(source[edge]) * wide, weight[edge]
        for i in range(size):
            values[row + i] = values[a + i] * w
        edge += 1
    while edge + 1 < end:  # Two at a time save a load and a store.
        a, w = np.uint64(source[edge]) * wide, weight[edge]
        b, v = np.uint64(source[edge + 1]) * wide, weight[edge + 1]
        for i in range(size):
            values[row + i] = values[row + i] + values[a + i] * w + values[b + i] * v
        edge += 2
    if edge < end:
        a, w = np.uint64(source[edge]) * wide, weight[edge]
        for i in range(size):
            values[row + i] = values[row + i] + values[a + i] * w
    activate(values, row, size, activations[node])


@compiled
def _compute_column(column, height, inputs, genome, nodes):
    """Compute the nodes of a genome that depend on y alone or on nothing, for each of ``height`` lines."""
    for node in range(genome[0], genome[1]):
        if not nodes[1][node] & _NOT_Y:
            compute(column, height, np.uint64(inputs + node - genome[0]), height, node, nodes)


@compiled
def _compute_strip(values, wide, coordinates, pixel, columns, lines, genome, nodes):
    """Compute the nodes that depend on x alone or on nothing for ``columns`` pixels from ``pixel`` on.

    The values are repeated for ``lines`` lines.
    """
    inputs = coordinates.shape[0]
    for k in range(inputs + genome[1] - genome[0]):
        node = genome[0] + k - inputs
        if (_INPUTS[k] if k < inputs else nodes[1][node]) & _NOT_X:
            continue
        row = np.uint64(k) * wide
        if k < inputs:
            for i in range(columns):
                values[row + i] = coordinates[k, pixel + i]
        else:
            compute(values, wide, np.uint64(k), columns, node, nodes)
        for j in range(1, lines):
            for i in range(columns):
                values[row + np.uint64(j) * columns + i] = values[row + i]


@compiled
def _compute_tile(values, wide, coordinates, pixel, columns, lines, column, height, line, genome, nodes):
    """Compute all other nodes for ``columns`` pixels of ``lines`` lines.

    The first pixel is ``pixel``, in line ``line``. Values that depend on y alone are copied from ``column``.
    """
    inputs = coordinates.shape[0]
    for k in range(inputs + genome[1] - genome[0]):
        node, row = genome[0] + k - inputs, np.uint64(k) * wide
        read = _INPUTS[k] if k < inputs else nodes[1][node]
        if not read & _NOT_X:
            continue
        if not read & _NOT_Y:
            for j in range(lines):
                value = column[np.uint64(k) * height + line + j]
                for i in range(columns):
                    values[row + j * columns + i] = value
        elif k < inputs:
            for i in range(lines * columns):
                values[row + i] = coordinates[k, pixel + i]
        else:
            compute(values, wide, np.uint64(k), lines * columns, node, nodes)


@compiled
def render_genomes(coordinates, width, genomes, nodes, outputs, colour, tile, which, window, images):
    """Render genomes ``which[0]`` to ``which[1]`` at lines ``window[0]`` to ``window[1]`` of their pictures.

    Args:
        coordinates: (4, H · W) values of the inputs at each pixel, line by line. x depends on the column alone, y on
            the line alone, the bias on neither.
        width: W.
        genomes, nodes, outputs: What ``flatten_genomes`` returns; ``nodes`` holds ``activations``, ``reads``,
            ``begin``, ``sources`` and ``weights``.
        colour: Index in ``COLOURS``.
        tile: Approximate number of pixels that are computed at a time.
        which, window: As above, the ends excluded.
        images: (N, C, H · W) bytes, overwritten at these genomes and lines.
    """
    inputs = coordinates.shape[0]
    top, bottom = window
    largest = 0
    for g in range(which[0], which[1]):
        largest = max(largest, genomes[g + 1] - genomes[g])
    # A tile is a part of a line, or several lines.
    across, down = -(-width // -(-width // tile)), max(1, (tile + width // 2) // width)
    # Indices are unsigned: a signed one could count from the end, which costs a test at each access.
    wide, height = np.uint64(across * down), np.uint64(bottom - top)
    values = np.empty((inputs + largest) * across * down, np.float32)
    column = np.empty((inputs + largest) * (bottom - top), np.float32)
    rows = np.empty(outputs.shape[1], np.uint64)
    for k in range(inputs):
        for i in range(bottom - top):
            column[k * (bottom - top) + i] = coordinates[k, (top + i) * width]
    for g in range(which[0], which[1]):
        genome = genomes[g], genomes[g + 1]
        for c in range(outputs.shape[1]):
            rows[c] = np.uint64(outputs[g, c]) * wide
        _compute_column(column, height, inputs, genome, nodes)
        for left in range(0, width, across):
            columns, first = np.uint64(min(across, width - left)), np.uint64(top * width + left)
            _compute_strip(values, wide, coordinates, first, columns, min(down, bottom - top), genome, nodes)
            for start in range(top, bottom, down):
                lines, line = np.uint64(min(down, bottom - start)), np.uint64(start - top)
                pixel = np.uint64(start * width + left)
                _compute_tile(values, wide, coordinates, pixel, columns, lines, column, height, line, genome, nodes)
                _paint(values, rows, lines * columns, colour, images[g], pixel)
