"""A batch of CPPNs as one list of connections, without the nodes that reach no output."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...kernels.constants import EMPTY
from .batch import INPUTS, CPPNBatch

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Flat:
    """N genomes of V node slots each; node ``slot`` of genome ``g`` is number g · V + slot."""

    source: Ints
    """(E,) the node each connection comes from"""
    sink: Ints
    """(E,) the node it leads to, which reaches an output"""
    weight: NDArray[np.float32]
    """(E,)"""
    activation: NDArray[np.int8]
    """(N · V,) of every node"""
    inputs: NDArray[np.bool_]
    """(N · V,) whether a node is an input"""
    computed: Ints
    """the nodes that reach an output, outputs among them and inputs not, by number"""
    outputs: Ints
    """(N, outputs) nodes"""


def flatten(batch: CPPNBatch, outputs: int) -> Flat:
    n, nodes = batch.activation.shape
    first = len(INPUTS)
    genome, slot = np.nonzero(batch.source != EMPTY)
    source = genome * nodes + batch.source[genome, slot]
    sink = genome * nodes + batch.sink[genome, slot]
    needed = _reaching_outputs(source, sink, n, nodes, outputs)
    kept = needed[sink]
    inputs = np.arange(n * nodes) % nodes < first
    return Flat(
        source=source[kept],
        sink=sink[kept],
        weight=batch.weight[genome, slot][kept],
        activation=batch.activation.reshape(-1),
        inputs=inputs,
        computed=np.flatnonzero(needed & ~inputs),
        outputs=np.arange(n)[:, None] * nodes + first + np.arange(outputs),
    )


def _reaching_outputs(source: Ints, sink: Ints, n: int, nodes: int, outputs: int) -> NDArray[np.bool_]:
    """(n · nodes,) which nodes lie on a path to an output (outputs do)."""
    needed = np.zeros((n, nodes), bool)
    needed[:, len(INPUTS) : len(INPUTS) + outputs] = True
    flat, before = needed.reshape(-1), 0
    while (count := int(np.count_nonzero(flat))) > before:
        before = count
        flat[source[flat[sink]]] = True
    return flat
