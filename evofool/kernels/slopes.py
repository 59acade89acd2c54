"""The compiled way back through CPPNs: how pixels of their pictures depend on the weights of their connections.

Values are those of the renderer, bit for bit: ``rendering.compute`` computes both. Pixels don't meet in a CPPN, so a
tile of pixels goes forth and back in the nearest caches, and nothing is kept.
"""

from __future__ import annotations

import numpy as np

from .compiled import compiled
from .functions import sine
from .rendering import MAX_ANGLE, QUARTER, compute

_f = np.float32
_ZERO, _ONE, _TWO, _HALF, _THREE = _f(0), _f(1), _f(2), _f(0.5), _f(3)
_THIRD, _WEDGE = _f(1 / 3), _f(1 / 1.5)
_STRAIGHT = np.float64(0)

LANES = 8
"""Sums side by side over the pixels of a tile, which a processor adds at once."""


@compiled
def _forward(values, wide, coordinates, pixel, size, genome, nodes):
    """Fill the rows of ``values`` with the inputs at ``size`` pixels from ``pixel`` on, and all nodes of a genome."""
    inputs = coordinates.shape[0]
    for k in range(inputs):
        for i in range(size):
            values[np.uint64(k) * wide + i] = coordinates[k, pixel + i]
    for node in range(genome[0], genome[1]):
        compute(values, wide, np.uint64(inputs + node - genome[0]), size, node, nodes)


@compiled
def compute_outputs(coordinates, genomes, nodes, outputs, tile, which, values_of):
    """Compute the outputs of genomes ``which[0]`` to ``which[1]`` in [−1, 1], before they become colours.

    Args:
        coordinates: (4, P) values of the inputs at each pixel.
        genomes, nodes, outputs: What ``flatten_genomes`` returns, as for ``render_genomes``.
        tile: Pixels that are computed at a time.
        which: As above, the end excluded.
        values_of: (N, C, P) float32, overwritten at these genomes.
    """
    inputs, pixels = coordinates.shape
    wide = np.uint64(tile)
    values = np.empty((inputs + _largest(genomes, which)) * tile, np.float32)
    for g in range(which[0], which[1]):
        genome = genomes[g], genomes[g + 1]
        for first in range(0, pixels, tile):
            size = np.uint64(min(tile, pixels - first))
            _forward(values, wide, coordinates, np.uint64(first), size, genome, nodes)
            for c in range(outputs.shape[1]):
                row = np.uint64(outputs[g, c]) * wide
                for i in range(size):
                    values_of[g, c, np.uint64(first) + i] = values[row + i]


@compiled
def compute_slopes(coordinates, genomes, nodes, outputs, tile, which, gradient, slopes):
    """Add up how some function of the outputs depends on the weights, by the chain rule.

    Args:
        coordinates, genomes, nodes, outputs, tile, which: As for :func:`compute_outputs`.
        gradient: (N, C, P) float32, how the function depends on each output at each pixel.
        slopes: (connections,) float64, added to at the connections of these genomes.
    """
    _, _, begin, source, weight = nodes
    inputs, pixels = coordinates.shape
    wide = np.uint64(tile)
    rows = inputs + _largest(genomes, which)
    values, back = np.empty(rows * tile, np.float32), np.empty(rows * tile, np.float32)
    sums = np.empty(tile, np.float32)
    for g in range(which[0], which[1]):
        genome = genomes[g], genomes[g + 1]
        count = genome[1] - genome[0]
        for first in range(0, pixels, tile):
            size = np.uint64(min(tile, pixels - first))
            _forward(values, wide, coordinates, np.uint64(first), size, genome, nodes)
            back[: (inputs + count) * tile] = _ZERO
            for c in range(outputs.shape[1]):
                row = np.uint64(outputs[g, c]) * wide
                for i in range(size):
                    back[row + i] += gradient[g, c, np.uint64(first) + i]
            for k in range(count - 1, -1, -1):
                node, row = genome[0] + k, np.uint64(inputs + k) * wide
                if begin[node] == begin[node + 1]:
                    continue
                for i in range(size):
                    sums[i] = _ZERO
                for edge in range(begin[node], begin[node + 1]):
                    a, w = np.uint64(source[edge]) * wide, weight[edge]
                    for i in range(size):
                        sums[i] += values[a + i] * w
                _descend(sums, values, back, row, size, nodes[0][node])
                for edge in range(begin[node], begin[node + 1]):
                    a, w = np.uint64(source[edge]) * wide, weight[edge]
                    slopes[edge] += _dot(back, row, values, a, size)
                    if source[edge] >= inputs:
                        for i in range(size):
                            back[a + i] += back[row + i] * w


@compiled
def _descend(sums, values, back, row, size, name):
    """Multiply ``back`` at a row by the activation's derivative, of the arguments ``sums`` and the row's values."""
    if name == 0:
        for i in range(size):
            back[row + i] *= sine(np.float64(min(max(sums[i], -MAX_ANGLE), MAX_ANGLE)) + QUARTER)
    elif name == 1:
        for i in range(size):
            back[row + i] *= (_ONE - values[row + i] * values[row + i]) * _HALF
    elif name == 2:
        for i in range(size):
            back[row + i] *= -_TWO * sums[i] * values[row + i]
    elif name == 3:
        for i in range(size):
            back[row + i] *= _THIRD if abs(sums[i]) < _THREE else _ZERO
    elif name == 4:
        for i in range(size):
            back[row + i] *= -sine(np.float64(min(max(sums[i], -MAX_ANGLE), MAX_ANGLE)))
    else:
        for i in range(size):
            steep = _WEDGE if sums[i] > _ZERO else -_WEDGE
            back[row + i] *= steep if abs(sums[i]) < _THREE else _ZERO


@compiled
def _dot(left, a, right, b, size):
    """Return the sum of products of ``size`` values of two arrays from ``a`` and ``b`` on, in a fixed order."""
    lanes = np.zeros(LANES, np.float32)
    whole = size - size % np.uint64(LANES)
    for i in range(np.uint64(0), whole, np.uint64(LANES)):
        for j in range(LANES):
            lanes[j] += left[a + i + np.uint64(j)] * right[b + i + np.uint64(j)]
    total = _STRAIGHT
    for j in range(LANES):
        total += lanes[j]
    for i in range(whole, size):
        total += left[a + i] * right[b + i]
    return total


@compiled
def _largest(genomes, which):
    """Return the largest number of nodes of genomes ``which[0]`` to ``which[1]``."""
    largest = 0
    for g in range(which[0], which[1]):
        largest = max(largest, genomes[g + 1] - genomes[g])
    return largest
