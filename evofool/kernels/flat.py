"""The compiled loop that lists the nodes and connections of a batch of CPPNs in the order they are computed."""

from __future__ import annotations

import numpy as np

from .compiled import compiled
from .constants import EMPTY


@compiled
def flatten_genomes(activation, position, source, sink, weight, inputs, outputs):
    """Leave out the nodes that reach no output and sort the rest by position, so that each follows those it reads.

    Args:
        activation, position, source, sink, weight: The arrays of a ``CPPNBatch`` of N genomes.
        inputs, outputs: How many a genome has.

    Returns:
        genomes: (N + 1,) where each genome's nodes begin.
        activations: (nodes,) number of each node's activation.
        reads: (nodes,) the inputs a node depends on, directly or not, as a sum of 2ᵏ for the k-th.
        begin: (nodes + 1,) where each node's connections begin.
        sources: (connections,) the row that each reads of its genome's own table, whose first rows are the inputs.
            A node's connections are in the order of the slots they come from.
        weights: (connections,).
        rows: (N, outputs) rows of that table.
    """
    n, slots = activation.shape
    edges = source.shape[1]
    genomes, rows = np.zeros(n + 1, np.int64), np.empty((n, outputs), np.int64)
    activations, begin = np.empty(n * slots, np.int8), np.zeros(n * slots + 1, np.int64)
    reads, read = np.empty(n * slots, np.uint8), np.zeros(slots, np.uint8)
    for k in range(inputs):
        read[k] = 1 << k
    sources, weights = np.empty(n * edges, np.int64), np.empty(n * edges, np.float32)
    order, row_of, needed = np.empty(slots, np.int64), np.arange(slots), np.empty(slots, np.bool_)
    by_source, by_sink = np.empty(edges, np.int64), np.empty(edges, np.int64)
    first = np.empty(slots + 1, np.int64)
    node = edge = 0
    for g in range(n):
        alive = 0
        for slot in range(inputs, slots):
            if activation[g, slot] != EMPTY:
                k = alive
                while k > 0 and position[g, order[k - 1]] > position[g, slot]:
                    order[k] = order[k - 1]
                    k -= 1
                order[k] = slot
                alive += 1

        connections = 0
        for e in range(edges):
            if source[g, e] != EMPTY:
                by_sink[connections] = e
                connections += 1
        _sort(by_sink, connections, source[g], first, by_source)
        _sort(by_source, connections, sink[g], first, by_sink)

        needed[:] = False
        needed[inputs : inputs + outputs] = True
        for k in range(alive - 1, -1, -1):
            if needed[order[k]]:
                for i in range(first[order[k]], first[order[k] + 1]):
                    needed[source[g, by_sink[i]]] = True

        genomes[g] = node
        for k in range(alive):
            slot = order[k]
            if needed[slot]:
                row_of[slot] = inputs + node - genomes[g]
                activations[node] = activation[g, slot]
                read[slot] = 0
                for i in range(first[slot], first[slot + 1]):
                    read[slot] |= read[source[g, by_sink[i]]]
                    sources[edge] = row_of[source[g, by_sink[i]]]
                    weights[edge] = weight[g, by_sink[i]]
                    edge += 1
                reads[node] = read[slot]
                node += 1
                begin[node] = edge
        for c in range(outputs):
            rows[g, c] = row_of[inputs + c]
    genomes[n] = node
    return genomes, activations[:node], reads[:node], begin[: node + 1], sources[:edge], weights[:edge], rows


@compiled
def _sort(items, count, keys, first, out):
    """Sort ``items`` stably into ``out`` by their keys, which are small; ``first`` becomes where each key begins."""
    first[:] = 0
    for i in range(count):
        first[keys[items[i]] + 1] += 1
    for key in range(len(first) - 1):
        first[key + 1] += first[key]
    for i in range(count):
        out[first[keys[items[i]]]] = items[i]
        first[keys[items[i]]] += 1
    for key in range(len(first) - 1, 0, -1):  # Each has moved to where the next begins.
        first[key] = first[key - 1]
    first[0] = 0
