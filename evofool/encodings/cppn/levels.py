"""Rendering CPPNs on an accelerator: a population as one program of few large calls.

All genomes' nodes become rows of one table of values (rows × pixels), ordered by level (the longest path from the
inputs) and activation. A level is one call that sums the weighted rows of all its connections (torch's embedding bags
read each row once and write no product), and then one slice for each activation, for a tile of pixels at a time.
tests/encodings/test_render.py holds these pictures and the compiled loop's to one reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from ...kernels.flat import flatten_genomes
from ..base import Indices
from .batch import ACTIVATION_NAMES, INPUTS, CPPNBatch
from .functions import ACTIVATIONS, COLOURS, to_bytes

TILE_VALUES = {"cpu": 2**22, "cuda": 2**28}
"""Values of one tile's table and of the sums beside it, by type of device: as many as keep it busy.

Any other device is treated like a CPU.
"""


@dataclass(frozen=True)
class _Level:
    """Nodes that only read values of earlier levels: table rows ``start`` to ``stop``."""

    start: int
    stop: int
    sources: Tensor
    """(E,) table rows that connections read, node by node."""
    weights: Tensor
    """(E,) weights of these connections."""
    offsets: Tensor
    """(stop − start,) where each node's connections begin."""
    functions: tuple[tuple[str, int, int], ...]
    """Each activation with the nodes of the level that have it, as first and last + 1."""


class Levels:
    """N genomes, prepared for a device.

    Args:
        batch: At least one genome.
        colour: A name in ``functions.COLOURS``.
        outputs: The number of each genome's outputs.
        device: Where to render.
    """

    def __init__(self, batch: CPPNBatch, colour: str, outputs: int, device: torch.device) -> None:
        self.count, self.colour, self.channels, self.device = len(batch), colour, outputs, device
        genomes, activations, _, begin, sources, weights, rows = flatten_genomes(*batch.graphs(), len(INPUTS), outputs)
        inputs, nodes = len(INPUTS), len(activations)
        # Numbers of table rows: inputs first, shared by all genomes, then each genome's nodes.
        sizes = np.diff(begin)
        genome_of_edge = np.repeat(np.repeat(np.arange(len(batch)), np.diff(genomes)), sizes)
        sources = np.where(sources < inputs, sources, sources + genomes[genome_of_edge])
        level = _levels(sources, np.repeat(np.arange(nodes), sizes) + inputs, inputs + nodes, inputs)[inputs:]

        order = np.lexsort((activations, level))
        row_of = np.arange(inputs + nodes)
        row_of[inputs + order] = inputs + np.arange(nodes)
        old, sizes = begin[order], sizes[order]
        begin = np.concatenate(([0], np.cumsum(sizes)))
        edges = np.repeat(old - begin[:-1], sizes) + np.arange(begin[-1])
        level, activations = level[order], activations[order]
        groups = np.concatenate(([0], np.flatnonzero(np.diff(level) | np.diff(activations)) + 1))
        bounds = np.concatenate(([0], np.flatnonzero(np.diff(level)) + 1, [nodes]))
        read = torch.from_numpy(row_of[sources[edges]].astype(np.int32)).to(device)
        scale = torch.from_numpy(weights[edges]).to(device)
        # Where connections begin, counted from the first of the node's level.
        starts = begin[:-1] - np.repeat(begin[bounds[:-1]], np.diff(bounds))
        offsets = torch.from_numpy(starts.astype(np.int32)).to(device)
        self._levels = []
        for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            part = slice(int(begin[start]), int(begin[stop]))
            first = groups[(groups >= start) & (groups < stop)]
            names = [ACTIVATION_NAMES[index] for index in activations[first].tolist()]
            ends = [*first[1:].tolist(), stop]
            functions = [(name, a - start, b - start) for name, a, b in zip(names, first.tolist(), ends, strict=True)]
            self._levels.append(
                _Level(inputs + start, inputs + stop, read[part], scale[part], offsets[start:stop], tuple(functions))
            )
        self._outputs = torch.from_numpy(row_of[rows + genomes[:-1, None]].reshape(-1)).to(device)
        self._rows = inputs + nodes

    def fill(self, coordinates: Tensor, images: Tensor, width: int) -> None:
        """Render pictures, or some lines of them.

        Args:
            coordinates: (4, P) float32 on the device, the values of ``INPUTS`` at each pixel.
            images: (N, C, P) uint8 on the device, overwritten.
            width: The length of a line, which makes no difference here.
        """
        pixels = coordinates.shape[1]
        budget = TILE_VALUES.get(self.device.type, TILE_VALUES["cpu"])
        widest = max(level.stop - level.start for level in self._levels)
        tile = min(pixels, max(256, budget // (self._rows + widest)))
        table = torch.empty((self._rows, tile), device=self.device)
        for start in range(0, pixels, tile):
            part = coordinates[:, start : start + tile]
            if part.shape[1] < tile:  # The last tile gets a smaller table, which keeps every slice contiguous.
                table = torch.empty((self._rows, part.shape[1]), device=self.device)
            values = self._evaluate(part, table).view(self.count, self.channels, -1)
            to_bytes(COLOURS[self.colour](values), images[:, :, start : start + tile])

    def _evaluate(self, inputs: Tensor, table: Tensor) -> Tensor:
        """Return (N · outputs, P) values in [−1, 1]; ``table`` (rows, P) is overwritten."""
        table[: len(INPUTS)] = inputs
        for level in self._levels:
            computed, values = table[: level.start], table[level.start : level.stop]
            sums = embedding_bag(level.sources, computed, level.offsets, mode="sum", per_sample_weights=level.weights)
            for name, start, stop in level.functions:
                ACTIVATIONS[name](sums[start:stop], values[start:stop])
        return table.index_select(0, self._outputs)


def _levels(sources: Indices, sinks: Indices, rows: int, inputs: int) -> Indices:
    """Return the length of the longest path to each row from an input (0) or a node that nothing reaches (1)."""
    lowest = (np.arange(rows) >= inputs).astype(np.int64)
    level = lowest
    while True:
        reached = lowest.copy()
        np.maximum.at(reached, sinks, level[sources] + 1)
        if np.array_equal(reached, level):
            return level
        level = reached
