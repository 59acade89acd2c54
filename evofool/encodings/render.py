"""The batched CPPN renderer: a population is one flattened program, evaluated tile by tile.

All genomes' nodes become rows of one table of values (rows × pixels). Nodes that reach no output are left out;
the rest are ordered by level (longest path from the inputs) and activation, so that each group is a
contiguous slice: its sums are built connection by connection, then its function is applied in place.
Every step is elementwise and sums run in slot order, so a genome's picture does not depend on the
batch it is rendered in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .cppn_batch import EMPTY, INPUTS, NAMES, CPPNBatch
from .functions import ACTIVATIONS, COLOURS, to_bytes

_TILE_VALUES = {"cpu": 2**23, "cuda": 2**28, "mps": 2**26}
"""values of one tile's table: enough that each operation is worth its call, or keeps a GPU busy"""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Group:
    """Nodes of one level and activation: table rows ``start`` to ``stop``, most connections first."""

    start: int
    stop: int
    activation: str
    steps: tuple[tuple[Tensor, Tensor], ...]
    """k-th connections: table rows they come from (n,), weights (n, 1); they go to the group's first n rows"""


@dataclass(frozen=True)
class Program:
    """A population ready to be evaluated at any pixels."""

    groups: tuple[_Group, ...]
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
    # Within a node, connections are summed in the order of the nodes they come from.
    order = np.lexsort((source, sink))
    source, sink, weight = source[order], sink[order], weight[order]

    inputs = np.arange(n * nodes) % nodes < len(INPUTS)
    level = _levels(source, sink, inputs)
    fan_in = np.bincount(sink, minlength=n * nodes)
    computed = np.flatnonzero(needed & ~inputs)
    activation = batch.activation.reshape(-1)
    computed = computed[np.lexsort((-fan_in[computed], activation[computed], level[computed]))]

    row_of = np.empty(n * nodes, np.int64)
    row_of[inputs] = np.tile(np.arange(len(INPUTS)), n)
    row_of[computed] = len(INPUTS) + np.arange(len(computed))
    first = np.concatenate(([0], np.cumsum(fan_in)))

    groups = []
    group_key = level[computed] * len(NAMES) + activation[computed]
    bounds = np.concatenate(([0], np.flatnonzero(np.diff(group_key)) + 1, [len(computed)]))
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        members = computed[start:stop]
        steps = []
        for k in range(int(fan_in[members[0]])):
            active = members[fan_in[members] > k]
            edges = first[active] + k
            steps.append(
                (
                    torch.from_numpy(row_of[source[edges]]).to(device),
                    torch.from_numpy(weight[edges])[:, None].to(device),
                )
            )
        offset = len(INPUTS)
        groups.append(_Group(start + offset, stop + offset, NAMES[int(activation[members[0]])], tuple(steps)))
    out_slots = (np.arange(n)[:, None] * nodes + len(INPUTS) + np.arange(outputs)).reshape(-1)
    return Program(tuple(groups), torch.from_numpy(row_of[out_slots]).to(device), len(INPUTS) + len(computed))


def evaluate(program: Program, inputs: Tensor, table: Tensor, scratch: Tensor) -> Tensor:
    """Run a program at P pixels.

    Args:
        program: of N genomes.
        inputs: (4, P) float32, the values of ``INPUTS`` at each pixel.
        table: (≥ rows, P) float32, overwritten.
        scratch: (≥ widest group, P) float32, overwritten.

    Returns:
        (N · outputs, P) float32 in [−1, 1].
    """
    table[: len(INPUTS)] = inputs
    for group in program.groups:
        known, total = table[: group.start], table[group.start : group.stop]
        fed = len(group.steps[0][0]) if group.steps else 0
        total[fed:].zero_()
        for k, (rows, weights) in enumerate(group.steps):
            n = len(rows)
            part = total[:n] if k == 0 else scratch[:n]
            torch.index_select(known, 0, rows, out=part)
            part.mul_(weights)
            if k:
                total[:n].add_(part)
        ACTIVATIONS[group.activation](total)
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
            widest = max(group.stop - group.start for group in self.program.groups)
            budget = _TILE_VALUES.get(self.device.type, _TILE_VALUES["cpu"])
            tile = min(pixels, max(256, budget // (self.program.rows + widest)))
            table = torch.empty((self.program.rows, tile), device=self.device)
            scratch = torch.empty((widest, tile), device=self.device)
            for start in range(0, pixels, tile):
                part = coordinates[:, start : start + tile]
                left = part.shape[1]
                if left < tile:  # the last tile: smaller tables keep every slice contiguous
                    table, scratch = (torch.empty((len(t), left), device=self.device) for t in (table, scratch))
                values = evaluate(self.program, part, table, scratch).view(self.count, self.channels, -1)
                images[:, :, start : start + tile] = to_bytes(COLOURS[self.colour](values))
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
