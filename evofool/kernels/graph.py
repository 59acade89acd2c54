"""Compiled mutation of CPPN graphs.

The operators are those of Nguyen, Yosinski, Clune 2015 (their code, after Stanley's NEAT): add and delete a connection,
add a node on a connection, delete a node, change weights, change activations. There is no crossover.

Each operator changes genome ``g`` of the arrays of a ``CPPNBatch`` in place and draws from ``stream`` (see ``draws``).
"""

from __future__ import annotations

import numpy as np

from .compiled import compiled
from .constants import ATTEMPTS, EMPTY
from .draws import below, between, normal, uniform


@compiled
def mutate(graphs, choices, fixed, rounds, structure, weights, weight_rates, activation_rates, seeds):
    """Mutate every genome: structure first, then weights and activations.

    Args:
        graphs: The arrays ``activation, position, source, sink, weight`` of N genomes, changed in place.
        choices: Numbers of the activations that new and changed nodes get.
        fixed: The number of inputs, and of inputs and outputs together.
        rounds: (N,) how often the four operators on the graph are tried.
        structure: Their probabilities in a round: add and delete a connection, add and delete a node.
        weights: Whether steps are polynomial, then ``start``, ``eta``, ``sigma``, ``spread`` and ``limit`` of
            ``CPPNSettings``.
        weight_rates: (N,) probability that a weight changes.
        activation_rates: (N,) probability that a node's activation is drawn anew.
        seeds: (N,) uint64, the seed of each genome's random numbers.
    """
    add_edge, delete_edge, add, delete = structure
    polynomial, start, eta, sigma, spread, limit = weights
    inputs, kept = fixed
    stream = np.empty(1, np.uint64)
    for g in range(len(graphs[0])):
        stream[0] = seeds[g]
        for _ in range(rounds[g]):
            if uniform(stream) < add_edge:
                first = between(stream, -start, start) if polynomial else _within(start * normal(stream), limit)
                add_connection(graphs, g, first, ATTEMPTS, inputs, stream)
            if uniform(stream) < delete_edge:
                delete_connection(graphs, g, stream)
            if uniform(stream) < add:
                add_node(graphs, g, choices[below(stream, len(choices))], stream)
            if uniform(stream) < delete:
                delete_node(graphs, g, kept, stream)
        if polynomial:
            polynomial_weights(graphs, g, weight_rates[g], eta, limit, stream)
        else:
            gaussian_weights(graphs, g, weight_rates[g], sigma, spread, limit, stream)
        change_activations(graphs, g, activation_rates[g], choices, inputs, stream)


@compiled
def add_connection(graphs, g, value, attempts, inputs, stream):
    """Connect two unconnected nodes, from the smaller position to the larger, with weight ``value``.

    At most ``attempts`` random pairs are drawn. A genome where none fits, or that is full, stays as it is.
    """
    activation, position, source, sink, weight = graphs
    slot = _free(source[g])
    if slot < 0:
        return
    for _ in range(attempts):
        a, b = _any(activation[g], 0, stream), _any(activation[g], inputs, stream)
        if position[g, a] > position[g, b]:
            a, b = b, a
        if position[g, a] < position[g, b] and not _connected(source[g], sink[g], a, b):
            source[g, slot], sink[g, slot], weight[g, slot] = a, b, value
            return


@compiled
def delete_connection(graphs, g, stream):
    """Remove a random connection."""
    _, _, source, sink, weight = graphs
    slot = _any(source[g], 0, stream)
    if slot >= 0:
        source[g, slot], sink[g, slot], weight[g, slot] = EMPTY, EMPTY, 0.0


@compiled
def add_node(graphs, g, function, stream):
    """Put a node with activation ``function`` on a random connection; both halves get the old weight.

    A genome that is full stays as it is.
    """
    activation, position, source, sink, weight = graphs
    edge, slot, node = _any(source[g], 0, stream), _free(source[g]), _free(activation[g])
    if edge < 0 or slot < 0 or node < 0:
        return
    before, after = position[g, source[g, edge]], position[g, sink[g, edge]]
    middle = before + (after - before) * between(stream, 0.25, 0.75)
    if before < middle < after:
        activation[g, node], position[g, node] = function, middle
        source[g, slot], sink[g, slot], weight[g, slot] = node, sink[g, edge], weight[g, edge]
        sink[g, edge] = node


@compiled
def delete_node(graphs, g, kept, stream):
    """Remove a random hidden node, that is one from slot ``kept`` on, with its connections."""
    activation, position, source, sink, weight = graphs
    node = _any(activation[g], kept, stream)
    if node < 0:
        return
    activation[g, node], position[g, node] = EMPTY, 0.0
    for slot in range(source.shape[1]):
        if source[g, slot] == node or sink[g, slot] == node:
            source[g, slot], sink[g, slot], weight[g, slot] = EMPTY, EMPTY, 0.0


@compiled
def change_activations(graphs, g, rate, choices, inputs, stream):
    """Draw each node's activation anew with probability ``rate``; inputs have none."""
    activation, _, _, _, _ = graphs
    for node in range(inputs, activation.shape[1]):
        if activation[g, node] != EMPTY and uniform(stream) < rate:
            activation[g, node] = choices[below(stream, len(choices))]


@compiled
def polynomial_weights(graphs, g, rate, eta, limit, stream):
    """Change each weight with probability ``rate`` by polynomial mutation (Deb & Agrawal 1999) in [−limit, limit]."""
    _, _, source, _, weight = graphs
    power = 1 / (eta + 1)
    for slot in range(source.shape[1]):
        if source[g, slot] != EMPTY and uniform(stream) < rate:
            u = uniform(stream)
            delta = (2 * u) ** power - 1 if u < 0.5 else 1 - (2 - 2 * u) ** power
            weight[g, slot] = _within(weight[g, slot] + 2 * limit * delta, limit)


@compiled
def gaussian_weights(graphs, g, rate, sigma, spread, limit, stream):
    """Change each weight with probability ``rate`` by a normal step, within [−limit, limit].

    A child's standard deviation is ``sigma`` · spread^u with u ~ U(−1, 1), so that siblings differ in their steps.
    """
    _, _, source, _, weight = graphs
    scale = sigma * spread ** between(stream, -1.0, 1.0)
    for slot in range(source.shape[1]):
        if source[g, slot] != EMPTY and uniform(stream) < rate:
            weight[g, slot] = _within(weight[g, slot] + scale * normal(stream), limit)


@compiled
def _within(value, limit):
    return min(max(value, -limit), limit)


@compiled
def _any(slots, first, stream):
    """Return a random slot in use from ``first`` on, or −1 if there is none."""
    used = 0
    for slot in range(first, len(slots)):
        used += slots[slot] != EMPTY
    if used == 0:
        return -1
    left = below(stream, used)
    for slot in range(first, len(slots)):
        if slots[slot] != EMPTY:
            if left == 0:
                return slot
            left -= 1
    return -1


@compiled
def _connected(source, sink, a, b):
    """Return whether a connection from node ``a`` to node ``b`` exists."""
    exists = False
    for slot in range(len(source)):
        exists |= (source[slot] == a) & (sink[slot] == b)
    return exists


@compiled
def _free(slots):
    """Return the first free slot, or −1 if there is none."""
    for slot in range(len(slots)):
        if slots[slot] == EMPTY:
            return slot
    return -1
