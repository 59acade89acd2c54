"""The batched CPPN renderer: a population is one flattened program, evaluated tile by tile.

All genomes' nodes become rows of one table of values (rows × pixels). Nodes that reach no output are left out; the
rest are ordered by level (longest path from the inputs) and activation. A level is one call that sums the weighted
rows of all its connections (torch's embedding bags: each row is read once, no product is ever written), and then one
slice for each function. Connections are summed in order and pixels don't meet, so a genome's picture does not depend
on the batch it is rendered in, nor on the tiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import embedding_bag

from .cppn_batch import EMPTY, INPUTS, NAMES, CPPNBatch
from .functions import ACTIVATIONS, COLOURS, to_bytes

_TILE_VALUES = {"cpu": 2**22, "cuda": 2**28}
"""values of one tile's table and of the sums beside it: what stays in a CPU's caches, or keeps a GPU busy"""

Ints = NDArray[np.int64]


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


@dataclass(frozen=True)
class Program:
    """A population ready to be evaluated at any pixels."""

    levels: tuple[_Level, ...]
    outputs: Tensor
    """(N · outputs,) table rows"""
    rows: int


def compile_program(batch: CPPNBatch, outputs: int, device: torch.device) -> Program:
    """Flatten a batch: prune, order by level and activation, and sort each node's connections."""
    n, nodes = batch.activation.shape
    genome, slot = np.nonzero(batch.source != EMPTY)
    source = genome * nodes + batch.source[genome, slot]
    sink = genome * nodes + batch.sink[genome, slot]
    weight = batch.weight[genome, slot]
    needed = _reaching_outputs(source, sink, n, nodes, outputs)
    kept = needed[sink]
    source, sink, weight = source[kept], sink[kept], weight[kept]

    first = len(INPUTS)
    inputs = np.arange(n * nodes) % nodes < first
    level = _levels(source, sink, inputs)
    activation = batch.activation.reshape(-1)
    computed = np.flatnonzero(needed & ~inputs)
    computed = computed[np.lexsort((activation[computed], level[computed]))]
    row_of = np.empty(n * nodes, np.int64)
    row_of[inputs] = np.tile(np.arange(first), n)
    row_of[computed] = first + np.arange(len(computed))

    # Within a node, connections are summed in the order of the nodes they come from.
    order = np.lexsort((source, row_of[sink]))
    begin = np.concatenate(([0], np.cumsum(np.bincount(sink, minlength=n * nodes)[computed])))
    key = level[computed] * len(NAMES) + activation[computed]
    groups = np.concatenate(([0], np.flatnonzero(np.diff(key)) + 1))
    bounds = np.concatenate(([0], np.flatnonzero(np.diff(level[computed])) + 1, [len(computed)]))
    sources, weights = (
        torch.from_numpy(values).to(device) for values in (row_of[source[order]].astype(np.int32), weight[order])
    )
    # Where connections begin, counted from those of the node's level.
    starts = begin[:-1] - np.repeat(begin[bounds[:-1]], np.diff(bounds))
    offsets = torch.from_numpy(starts.astype(np.int32)).to(device)
    levels = []
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        edges = slice(int(begin[start]), int(begin[stop]))
        inner = groups[(groups >= start) & (groups < stop)]
        names = [NAMES[one] for one in activation[computed[inner]].tolist()]
        ends = [*inner[1:].tolist(), stop]
        functions = [(name, a - start, b - start) for name, a, b in zip(names, inner.tolist(), ends, strict=True)]
        levels.append(
            _Level(first + start, first + stop, sources[edges], weights[edges], offsets[start:stop], tuple(functions))
        )
    out_slots = (np.arange(n)[:, None] * nodes + first + np.arange(outputs)).reshape(-1)
    return Program(tuple(levels), torch.from_numpy(row_of[out_slots]).to(device), first + len(computed))


def evaluate(program: Program, inputs: Tensor, table: Tensor) -> Tensor:
    """Run a program at P pixels.

    Args:
        program: of N genomes.
        inputs: (4, P) float32, the values of ``INPUTS`` at each pixel.
        table: (rows, P) float32, overwritten.

    Returns:
        (N · outputs, P) float32 in [−1, 1].
    """
    table[: len(INPUTS)] = inputs
    for level in program.levels:
        known, values = table[: level.start], table[level.start : level.stop]
        sums = embedding_bag(level.sources, known, level.offsets, mode="sum", per_sample_weights=level.weights)
        for name, start, stop in level.functions:
            ACTIVATIONS[name](sums[start:stop], values[start:stop])
    return table.index_select(0, program.outputs)


class Renderer:
    """A batch that is compiled once and evaluated at any pixels.

    Args:
        batch: N genomes.
        colour: a name in ``functions.COLOURS``.
        device: to render on.
    """

    def __init__(self, batch: CPPNBatch, colour: str, device: torch.device) -> None:
        self.count, self.colour, self.device = len(batch), colour, device
        self.channels = 1 if colour == "grey" else 3
        if len(batch):
            self.program = compile_program(batch, self.channels, device)

    def at(self, coordinates: Tensor) -> Tensor:
        """(N, C, P) uint8 at P pixels, on the device.

        Args:
            coordinates: (4, P) float32 on the device, the values of ``INPUTS`` at each pixel.
        """
        pixels = coordinates.shape[1]
        images = torch.empty((self.count, self.channels, pixels), dtype=torch.uint8, device=self.device)
        if self.count:
            budget = _TILE_VALUES.get(self.device.type, _TILE_VALUES["cpu"])
            widest = max(level.stop - level.start for level in self.program.levels)
            tile = min(pixels, max(256, budget // (self.program.rows + widest)))
            table = torch.empty((self.program.rows, tile), device=self.device)
            for start in range(0, pixels, tile):
                part = coordinates[:, start : start + tile]
                if part.shape[1] < tile:  # the last tile: a smaller table keeps every slice contiguous
                    table = torch.empty((self.program.rows, part.shape[1]), device=self.device)
                values = evaluate(self.program, part, table).view(self.count, self.channels, -1)
                to_bytes(COLOURS[self.colour](values), images[:, :, start : start + tile])
        return images


def render(batch: CPPNBatch, coordinates: Tensor, colour: str, size: tuple[int, int]) -> Tensor:
    """Decode a batch to images.

    Args:
        batch: N genomes.
        coordinates: (4, H · W) float32 on the device to render on, the values of ``INPUTS`` at each pixel.
        colour: a name in ``functions.COLOURS``.
        size: (H, W).

    Returns:
        (N, C, H, W) uint8 on the same device.
    """
    images = Renderer(batch, colour, coordinates.device).at(coordinates)
    return images.view(*images.shape[:2], *size)


def _reaching_outputs(source: Ints, sink: Ints, n: int, nodes: int, outputs: int) -> NDArray[np.bool_]:
    """(n · nodes,) which nodes lie on a path to an output (outputs do)."""
    needed = np.zeros((n, nodes), bool)
    needed[:, len(INPUTS) : len(INPUTS) + outputs] = True
    flat, before = needed.reshape(-1), 0
    while (count := int(np.count_nonzero(flat))) > before:
        before = count
        flat[source[flat[sink]]] = True
    return flat


def _levels(source: Ints, sink: Ints, inputs: NDArray[np.bool_]) -> Ints:
    """(n · nodes,) longest path to each node from an input (0) or a node that nothing reaches (1)."""
    lowest = np.where(inputs, 0, 1)
    level = lowest
    while True:
        reached = lowest.copy()
        np.maximum.at(reached, sink, level[source] + 1)
        if np.array_equal(reached, level):
            return level
        level = reached
