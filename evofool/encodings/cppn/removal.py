"""CPPNs without some of their nodes, and without the repeats that a periodic node makes.

What is left is a CPPN again, which the renderer draws like any other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, empty_like, tensor

from ...kernels.constants import EMPTY
from .batch import ACTIVATION_NAMES, INPUTS, CPPNBatch
from .functions import ACTIVATIONS

PERIODIC = ("sin", "cos")
"""The activations that repeat themselves."""

PERIOD = 2 * math.pi

_BIAS, _LINEAR = INPUTS.index("bias"), ACTIVATION_NAMES.index("linear")


def needed_nodes(genome: CPPNBatch, outputs: int) -> list[int]:
    """Return the slots of the nodes that reach an output of a batch of one genome: inputs, outputs and hidden nodes."""
    needed = np.zeros(genome.activation.shape[1], bool)
    needed[len(INPUTS) : len(INPUTS) + outputs] = True
    alive = genome.source[0] != EMPTY
    source, sink = genome.source[0, alive], genome.sink[0, alive]
    while not needed[source[needed[sink]]].all():
        needed[source[needed[sink]]] = True
    return [int(node) for node in np.flatnonzero(needed)]


def without_nodes(genome: CPPNBatch, outputs: int, groups: Sequence[Sequence[int]]) -> CPPNBatch:
    """Return a genome without some of its nodes, once for each group of nodes.

    A node that is removed gives 0 at every pixel: nothing reads it any more. An output, which is a colour channel,
    becomes 0 itself.

    Args:
        genome: A batch of one.
        outputs: The number of its outputs.
        groups: N groups of node slots.

    Returns:
        A batch of N genomes.
    """
    batch = genome.take(np.zeros(len(groups), np.int64))
    for row, nodes in enumerate(groups):
        ends = [node for node in nodes if len(INPUTS) <= node < len(INPUTS) + outputs]
        gone = np.isin(batch.source[row], nodes) | np.isin(batch.sink[row], ends)
        batch.source[row, gone] = batch.sink[row, gone] = EMPTY
        batch.weight[row, gone] = 0
        batch.activation[row, ends] = _LINEAR
    return batch


def arguments(genome: CPPNBatch, coordinates: Tensor) -> NDArray[np.float32]:
    """Return (V, P): the sum that every node of a batch of one genome bends by its activation, at P pixels.

    Args:
        genome: A batch of one.
        coordinates: (4, P) float32, the values of ``INPUTS``.
    """
    activation, position, source, sink, weight = (array[0] for array in genome.graphs())
    sums = coordinates.new_zeros((len(activation), coordinates.shape[1]))
    values = sums.clone()
    values[: len(INPUTS)] = coordinates
    alive = np.flatnonzero(activation != EMPTY)
    for node in alive[np.argsort(position[alive], kind="stable")].tolist():
        if node < len(INPUTS):
            continue
        edges = np.flatnonzero(sink == node)
        sums[node] = tensor(weight[edges]) @ values[source[edges]]
        out = empty_like(sums[node])
        ACTIVATIONS[ACTIVATION_NAMES[activation[node]]](sums[node].clone(), out)
        values[node] = out
    return sums.numpy()


def repeating_nodes(genome: CPPNBatch, outputs: int, sums: NDArray[np.float32]) -> dict[int, float]:
    """Return the periodic nodes that reach an output and go through more than one period, with how many they do.

    Args:
        genome: A batch of one.
        outputs: The number of its outputs.
        sums: What :func:`arguments` returned.
    """
    periods = {}
    for node in needed_nodes(genome, outputs):
        if node >= len(INPUTS) and ACTIVATION_NAMES[genome.activation[0, node]] in PERIODIC:
            passed = float(np.ptp(sums[node])) / PERIOD
            if passed > 1 and _room_before(genome, node) is not None:
                periods[node] = passed
    return periods


def with_one_period(genome: CPPNBatch, groups: Sequence[Mapping[int, float]]) -> CPPNBatch:
    """Return a genome in which some periodic nodes repeat nothing, once for each group of nodes.

    Of sin(p) there remains sin(c + clamp(p − c, ±π)): one period around the argument c, and one value outside. A new
    linear node, which is clamp(v, ±3) / 3, does the clamping.

    Args:
        genome: A batch of one.
        groups: N groups of node slots that :func:`repeating_nodes` returned, each with its c.

    Returns:
        A batch of N genomes, with more slots than ``genome`` has.
    """
    nodes, edges = genome.activation.shape[1], genome.source.shape[1]
    most = max(map(len, groups), default=0)
    batch = CPPNBatch.empty(len(groups), nodes + most, edges + 3 * most)
    for row, group in enumerate(groups):
        for name in ("activation", "position", "source", "sink", "weight"):
            whole = getattr(genome, name)[0]
            getattr(batch, name)[row, : len(whole)] = whole
        for number, (node, centre) in enumerate(group.items()):
            clamp, slot = nodes + number, edges + 3 * number
            batch.activation[row, clamp] = _LINEAR
            batch.position[row, clamp] = _room_before(genome, node)
            incoming = batch.sink[row, :edges] == node
            batch.sink[row, :edges][incoming] = clamp
            batch.weight[row, :edges][incoming] *= 3 / math.pi
            added = slice(slot, slot + 3)
            batch.source[row, added] = _BIAS, clamp, _BIAS
            batch.sink[row, added] = clamp, node, node
            batch.weight[row, added] = -centre * 3 / math.pi, math.pi, centre
    return batch


def _room_before(genome: CPPNBatch, node: int) -> float | None:
    """Return a position between a node and those it reads; None where there is no number between."""
    reads = genome.source[0, genome.sink[0] == node]
    before, own = genome.position[0, reads].max(initial=0.0), genome.position[0, node]
    middle = float((before + own) / 2)
    return middle if before < middle < own else None
