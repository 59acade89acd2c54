"""CPPNs on an accelerator: a population as one program of few large calls.

All genomes' nodes become rows of one table of values (rows × pixels), ordered by level (longest path from the inputs)
and activation. A level is one call that sums the weighted rows of all its connections (torch's embedding bags: each row
is read once, no product is ever written), and then one slice for each function, on tiles of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import embedding_bag

from .batch import ACTIVATION_NAMES, INPUTS, CPPNBatch
from .flatten import Ints, flatten
from .functions import ACTIVATIONS, COLOURS, to_bytes

TILE_VALUES = {"cpu": 2**22, "cuda": 2**28}
"""values of one tile's table and of the sums beside it: what keeps a GPU busy; any other device is taken for a CPU"""


@dataclass(frozen=True)
class _Level:
    """Nodes that only need earlier levels' values: table rows ``start`` to ``stop``."""

    start: int
    stop: int
    sources: Tensor
    """(E,) table rows that connections come from, node by node"""
    weights: Tensor
    """(E,) theirs"""
    offsets: Tensor
    """(stop − start,) where each node's connections begin"""
    functions: tuple[tuple[str, int, int], ...]
    """activations, each with the nodes of the level that have it, first and last + 1"""


class Levels:
    """N genomes, compiled for a device.

    Args:
        batch: at least one genome.
        colour: a name in ``functions.COLOURS``.
        outputs: of each genome.
        device: to render on.
    """

    def __init__(self, batch: CPPNBatch, colour: str, outputs: int, device: torch.device) -> None:
        self.count, self.colour, self.channels, self.device = len(batch), colour, outputs, device
        flat, first = flatten(batch, outputs), len(INPUTS)
        nodes = batch.activation.size
        level = _levels(flat.source, flat.sink, flat.inputs)
        computed = flat.computed[np.lexsort((flat.activation[flat.computed], level[flat.computed]))]
        row_of = np.empty(nodes, np.int64)
        row_of[flat.inputs] = np.tile(np.arange(first), len(batch))
        row_of[computed] = first + np.arange(len(computed))

        # Within a node, connections are summed in the order of the nodes they come from.
        order = np.lexsort((flat.source, row_of[flat.sink]))
        begin = np.concatenate(([0], np.cumsum(np.bincount(flat.sink, minlength=nodes)[computed])))
        key = level[computed] * len(ACTIVATION_NAMES) + flat.activation[computed]
        groups = np.concatenate(([0], np.flatnonzero(np.diff(key)) + 1))
        bounds = np.concatenate(([0], np.flatnonzero(np.diff(level[computed])) + 1, [len(computed)]))
        sources = torch.from_numpy(row_of[flat.source[order]].astype(np.int32)).to(device)
        weights = torch.from_numpy(flat.weight[order]).to(device)
        # Where connections begin, counted from those of the node's level.
        starts = begin[:-1] - np.repeat(begin[bounds[:-1]], np.diff(bounds))
        offsets = torch.from_numpy(starts.astype(np.int32)).to(device)
        self._levels = []
        for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            edges = slice(int(begin[start]), int(begin[stop]))
            inner = groups[(groups >= start) & (groups < stop)]
            names = [ACTIVATION_NAMES[one] for one in flat.activation[computed[inner]].tolist()]
            ends = [*inner[1:].tolist(), stop]
            functions = [(name, a - start, b - start) for name, a, b in zip(names, inner.tolist(), ends, strict=True)]
            self._levels.append(
                _Level(
                    first + start, first + stop, sources[edges], weights[edges], offsets[start:stop], tuple(functions)
                )
            )
        self._outputs = torch.from_numpy(row_of[flat.outputs.reshape(-1)]).to(device)
        self._rows = first + len(computed)

    def fill(self, coordinates: Tensor, images: Tensor, width: int) -> None:
        """Render pictures, or some lines of them.

        Args:
            coordinates: (4, P) float32 on the device, the values of ``INPUTS`` at each pixel.
            images: (N, C, P) uint8 on the device, overwritten.
            width: of a line, which makes no difference here.
        """
        pixels = coordinates.shape[1]
        budget = TILE_VALUES.get(self.device.type, TILE_VALUES["cpu"])
        widest = max(level.stop - level.start for level in self._levels)
        tile = min(pixels, max(256, budget // (self._rows + widest)))
        table = torch.empty((self._rows, tile), device=self.device)
        for start in range(0, pixels, tile):
            part = coordinates[:, start : start + tile]
            if part.shape[1] < tile:  # the last tile: a smaller table keeps every slice contiguous
                table = torch.empty((self._rows, part.shape[1]), device=self.device)
            values = self._evaluate(part, table).view(self.count, self.channels, -1)
            to_bytes(COLOURS[self.colour](values), images[:, :, start : start + tile])

    def _evaluate(self, inputs: Tensor, table: Tensor) -> Tensor:
        """(N · outputs, P) in [−1, 1]; ``table`` (rows, P) is overwritten."""
        table[: len(INPUTS)] = inputs
        for level in self._levels:
            known, values = table[: level.start], table[level.start : level.stop]
            sums = embedding_bag(level.sources, known, level.offsets, mode="sum", per_sample_weights=level.weights)
            for name, start, stop in level.functions:
                ACTIVATIONS[name](sums[start:stop], values[start:stop])
        return table.index_select(0, self._outputs)


def _levels(source: Ints, sink: Ints, inputs: NDArray[np.bool_]) -> Ints:
    """Longest path to each node from an input (0) or a node that nothing reaches (1)."""
    lowest = np.where(inputs, 0, 1)
    level = lowest
    while True:
        reached = lowest.copy()
        np.maximum.at(reached, sink, level[source] + 1)
        if np.array_equal(reached, level):
            return level
        level = reached
