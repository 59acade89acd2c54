"""Hand-made CPPN graphs for tests, and hypothesis strategies for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from evofool.encodings.cppn.batch import ACTIVATION_NAMES, CPPNBatch

X, Y, DISTANCE, BIAS = range(4)


@dataclass(frozen=True)
class Graph:
    """One CPPN. Nodes are numbered: inputs 0…3, then outputs, then hidden nodes."""

    outputs: tuple[str, ...]
    """Activation of each output."""
    hidden: tuple[str, ...] = ()
    """Activation of each hidden node; a later one has a larger position."""
    edges: tuple[tuple[int, int, float], ...] = ()
    """Connections as (source, sink, weight)."""


def to_batch(graphs: list[Graph], nodes: int | None = None, connections: int | None = None) -> CPPNBatch:
    """The graphs as genomes; slots beyond what they need are free."""
    outputs = len(graphs[0].outputs)
    nodes = nodes or max(4 + outputs + len(g.hidden) for g in graphs)
    connections = connections or max(1, *(len(g.edges) for g in graphs))
    batch = CPPNBatch.empty(len(graphs), nodes, connections)
    batch.activation[:, :4] = 0
    batch.position[:, 4 : 4 + outputs] = 1.0
    for row, graph in enumerate(graphs):
        for node, name in enumerate(graph.outputs + graph.hidden, 4):
            batch.activation[row, node] = ACTIVATION_NAMES.index(name)
        for k in range(len(graph.hidden)):
            batch.position[row, 4 + outputs + k] = (k + 1) / (len(graph.hidden) + 1)
        for slot, (source, sink, weight) in enumerate(graph.edges):
            batch.source[row, slot], batch.sink[row, slot] = source, sink
            batch.weight[row, slot] = weight
    batch.check(outputs)
    return batch


def chain(length: int, outputs: int, activation: str, weight: float) -> Graph:
    """Return the graph x → hidden → hidden → … → every output."""
    first = 4 + outputs
    edges = [(X, first, weight), *((first + k, first + k + 1, weight) for k in range(length - 1))]
    edges += [(first + length - 1, 4 + k, weight) for k in range(outputs)]
    return Graph((activation,) * outputs, (activation,) * length, tuple(edges))


weights = st.one_of(st.sampled_from([-10.0, -1.0, 0.0, 1.0, 10.0]), st.floats(-10, 10, width=32, allow_subnormal=False))


@st.composite
def graphs(draw: st.DrawFn, outputs: int, most_hidden: int = 6, most_edges: int = 14) -> Graph:
    """Any acyclic graph: nodes may be disconnected, paths parallel, the whole without a connection."""
    names = st.sampled_from(ACTIVATION_NAMES)
    hidden = draw(st.lists(names, max_size=most_hidden))
    before = [*range(4), *range(4 + outputs, 4 + outputs + len(hidden))]
    pairs = [(a, b) for k, a in enumerate(before) for b in before[k + 1 :] if b >= 4]
    pairs += [(a, 4 + k) for a in before for k in range(outputs)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=most_edges, unique=True))
    edges = tuple((a, b, float(np.float32(draw(weights)))) for a, b in chosen)
    return Graph(tuple(draw(names) for _ in range(outputs)), tuple(hidden), edges)
