"""Mutation of CPPN batches as array operations: no Python loop over genomes, nodes or connections.

The operators are those of Nguyen, Yosinski, Clune 2015 (their code, after Stanley's NEAT): add and delete a connection,
add a node on a connection, delete a node, change weights, change activations. There is no crossover.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cppn_batch import EMPTY, INPUTS, CPPNBatch

Generator = np.random.Generator
Mask = NDArray[np.bool_]


def chosen(n: int, probability: float, rng: Generator) -> NDArray[np.int64]:
    """The rows, of ``n``, that an operator is applied to."""
    return np.flatnonzero(rng.random(n) < probability)


def pick(mask: Mask, rng: Generator) -> tuple[NDArray[np.int64], Mask]:
    """One True column a row, uniformly: ``(columns, found)``; ``found`` is False where a row has none."""
    draws = np.where(mask, rng.random(mask.shape), -1.0)
    columns = draws.argmax(1)
    return columns, mask[np.arange(len(mask)), columns]


def add_connection(
    batch: CPPNBatch, rows: NDArray[np.int64], weights: NDArray[np.float32], rng: Generator, attempts: int = 4
) -> None:
    """Connect two unconnected nodes, forwards, in each of ``rows``; ``weights`` (len(rows),) are theirs.

    Pairs are drawn at random ``attempts`` times; a genome where none fits, or that is full, stays as it is.
    """
    for _ in range(attempts):
        alive = batch.activation[rows] != EMPTY
        first, _ = pick(alive, rng)
        alive[:, : len(INPUTS)] = False
        second, _ = pick(alive, rng)
        before, after = batch.position[rows, first], batch.position[rows, second]
        source = np.where(before < after, first, second).astype(np.int16)
        sink = np.where(before < after, second, first).astype(np.int16)
        known = (batch.source[rows] == source[:, None]) & (batch.sink[rows] == sink[:, None])
        slot, free = pick(batch.source[rows] == EMPTY, rng)
        good = free & (before != after) & ~known.any(1)
        at = rows[good], slot[good]
        batch.source[at], batch.sink[at], batch.weight[at] = source[good], sink[good], weights[good]
        rows, weights = rows[~good], weights[~good]
        if not len(rows):
            return


def delete_connection(batch: CPPNBatch, rows: NDArray[np.int64], rng: Generator) -> None:
    """Remove one connection, at random, from each of ``rows``."""
    slot, found = pick(batch.source[rows] != EMPTY, rng)
    _clear(batch, rows[found], slot[found])


def add_node(batch: CPPNBatch, rows: NDArray[np.int64], activations: NDArray[np.int8], rng: Generator) -> None:
    """Put a node on a random connection of each of ``rows``; both halves get the old weight.

    ``activations`` (len(rows),) are the new nodes'. A genome that is full stays as it is.
    """
    edge, has_edge = pick(batch.source[rows] != EMPTY, rng)
    slot, has_slot = pick(batch.source[rows] == EMPTY, rng)
    node, has_node = pick(batch.activation[rows] == EMPTY, rng)
    source, sink = batch.source[rows, edge], batch.sink[rows, edge]
    before, after = batch.position[rows, source], batch.position[rows, sink]
    between = before + (after - before) * rng.uniform(0.25, 0.75, len(rows))
    good = has_edge & has_slot & has_node & (before < between) & (between < after)
    rows, edge, slot, node = rows[good], edge[good], slot[good], node[good]
    batch.activation[rows, node] = activations[good]
    batch.position[rows, node] = between[good]
    batch.source[rows, slot] = node
    batch.sink[rows, slot] = sink[good]
    batch.weight[rows, slot] = batch.weight[rows, edge]
    batch.sink[rows, edge] = node


def delete_node(batch: CPPNBatch, rows: NDArray[np.int64], outputs: int, rng: Generator) -> None:
    """Remove one hidden node, with its connections, from each of ``rows`` that has one."""
    hidden = batch.activation[rows] != EMPTY
    hidden[:, : len(INPUTS) + outputs] = False
    node, found = pick(hidden, rng)
    rows, node = rows[found], node[found]
    batch.activation[rows, node] = EMPTY
    batch.position[rows, node] = 0.0
    touching = (batch.source[rows] == node[:, None]) | (batch.sink[rows] == node[:, None])
    at, slot = np.nonzero(touching)
    _clear(batch, rows[at], slot)


def change_activations(batch: CPPNBatch, probability: float, choices: NDArray[np.int8], rng: Generator) -> None:
    """Draw each node's activation anew with this probability (inputs have none)."""
    hit = (rng.random(batch.activation.shape) < probability) & (batch.activation != EMPTY)
    hit[:, : len(INPUTS)] = False
    batch.activation[hit] = rng.choice(choices, np.count_nonzero(hit))


def polynomial_weights(batch: CPPNBatch, probability: float, eta: float, limit: float, rng: Generator) -> None:
    """Polynomial mutation (Deb & Agrawal 1999) of each weight with this probability, in [−limit, limit]."""
    hit = (rng.random(batch.weight.shape) < probability) & (batch.source != EMPTY)
    u = rng.random(np.count_nonzero(hit))
    power = 1 / (eta + 1)
    delta = np.where(u < 0.5, (2 * u) ** power - 1, 1 - (2 - 2 * u) ** power)
    batch.weight[hit] = np.clip(batch.weight[hit] + 2 * limit * delta, -limit, limit)


def gaussian_weights(
    batch: CPPNBatch, probability: float, sigma: float, spread: float, limit: float, rng: Generator
) -> None:
    """Gaussian mutation of each weight with this probability, in [−limit, limit].

    Siblings differ in step: a child's standard deviation is ``sigma`` · spread^u, u ~ U(−1, 1).
    """
    hit = (rng.random(batch.weight.shape) < probability) & (batch.source != EMPTY)
    scale = sigma * spread ** rng.uniform(-1, 1, len(batch))
    step = rng.standard_normal(np.count_nonzero(hit)) * scale[np.nonzero(hit)[0]]
    batch.weight[hit] = np.clip(batch.weight[hit] + step, -limit, limit)


def _clear(batch: CPPNBatch, rows: NDArray[np.int64], slots: NDArray[np.int64]) -> None:
    batch.source[rows, slots] = EMPTY
    batch.sink[rows, slots] = EMPTY
    batch.weight[rows, slots] = 0.0
