"""Mutation operators of CPPNs, one at a time: what each may and may not do."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import BIAS, DISTANCE, Graph, X, Y, graphs, to_batch
from hypothesis import given
from hypothesis import strategies as st
from support import build

from evofool.encodings.cppn.batch import ACTIVATION_NAMES, INPUTS, CPPNBatch
from evofool.kernels import graph
from evofool.kernels.constants import ATTEMPTS, EMPTY
from evofool.rng import Rng

FULL = Graph(("sin",), (), ((X, 4, 1.0), (Y, 4, 2.0), (DISTANCE, 4, 3.0), (BIAS, 4, 4.0)))
HIDDEN = Graph(("sin",), ("cos", "gauss"), ((X, 5, 1.0), (5, 6, 2.0), (6, 4, 3.0), (Y, 4, 4.0)))
populations = st.lists(graphs(3), min_size=1, max_size=4)
seeds = st.integers(0, 2**32 - 1)


def generator(seed: int = 0) -> np.ndarray:
    return np.array([seed], np.uint64)


def everyone(batch: CPPNBatch) -> np.ndarray:
    return np.arange(len(batch))


def edges(batch: CPPNBatch, row: int) -> dict[tuple[int, int], float]:
    """(source, sink) -> weight; fails when a pair is connected twice."""
    slots = np.flatnonzero(batch.source[row] != EMPTY)
    pairs = {(int(batch.source[row, k]), int(batch.sink[row, k])): float(batch.weight[row, k]) for k in slots}
    assert len(pairs) == len(slots), "a pair of nodes is connected twice"
    return pairs


def nodes(batch: CPPNBatch, row: int) -> set[int]:
    return set(np.flatnonzero(batch.activation[row] != EMPTY).tolist())


def add_connection(
    batch: CPPNBatch, rows: np.ndarray, weights: np.ndarray, rng: np.ndarray, attempts: int = ATTEMPTS
) -> None:
    for g, weight in zip(rows, weights, strict=True):
        graph.add_connection(batch.graphs(), g, weight, attempts, len(INPUTS), rng)


def delete_connection(batch: CPPNBatch, rng: np.ndarray) -> None:
    for g in range(len(batch)):
        graph.delete_connection(batch.graphs(), g, rng)


def add_node(batch: CPPNBatch, function: str, rng: np.ndarray) -> None:
    for g in range(len(batch)):
        graph.add_node(batch.graphs(), g, ACTIVATION_NAMES.index(function), rng)


def delete_node(batch: CPPNBatch, outputs: int, rng: np.ndarray) -> None:
    for g in range(len(batch)):
        graph.delete_node(batch.graphs(), g, len(INPUTS) + outputs, rng)


NOTHING = {
    "add_connection": 0.0, "delete_connection": 0.0, "add_node": 0.0, "delete_node": 0.0, "weight_rate": 0.0,
    "activation_rate": 0.0,
}  # fmt: skip


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_operators_come_at_the_rate_asked_for(rate: float) -> None:
    """Each alone, in one round or in three; a graph of which each is possible."""
    parents, n = to_batch([HIDDEN] * 4000, 12, 12), 4000
    for rounds in (1, 3):
        tolerance = 4 * np.sqrt(rounds * rate * (1 - rate) / n) + 1e-9
        for name in ("add_connection", "delete_connection", "add_node", "delete_node"):
            encoding = build("cppn", "default", (1, 8, 8), **{**NOTHING, "rounds": rounds, name: rate})
            children = encoding.mutate(parents, Rng(1))
            grown = {
                "add_connection": children.sizes() - parents.sizes(),
                "delete_connection": parents.sizes() - children.sizes(),
                "add_node": children.sizes() - parents.sizes(),
                "delete_node": (parents.activation != EMPTY).sum(1) - (children.activation != EMPTY).sum(1),
            }[name]
            if name == "add_connection":  # Four draws need not find a free pair.
                assert (grown.mean() > 0.5 * rounds * rate) if rate else not grown.any()
            elif name == "delete_node":  # There are two to delete.
                expected = np.minimum(np.random.default_rng(0).binomial(rounds, rate, 100_000), 2).mean()
                assert grown.mean() == pytest.approx(expected, abs=tolerance + 0.01)
            else:
                assert grown.mean() == pytest.approx(rounds * rate, abs=tolerance)


def test_a_deleted_connection_is_any_of_them_alike() -> None:
    batch = to_batch([HIDDEN] * 30_000)
    delete_connection(batch, generator())
    left = (batch.source != EMPTY).sum(0)
    assert (np.abs(30_000 - left - 7_500) < 4 * np.sqrt(30_000 * 3 / 16)).all()


def test_a_split_connection_is_any_of_them_alike() -> None:
    batch = to_batch([HIDDEN] * 30_000, 8, 6)
    before = batch.take(everyone(batch))
    add_node(batch, "sin", generator())
    split = (batch.sink != before.sink)[:, :4].sum(0)
    assert (np.abs(split - 7_500) < 4 * np.sqrt(30_000 * 3 / 16)).all()


def test_a_deleted_node_is_any_hidden_one_alike() -> None:
    batch = to_batch([HIDDEN] * 30_000)
    delete_node(batch, 1, generator())
    left = (batch.activation != EMPTY).sum(0)
    assert left[:5].tolist() == [30_000] * 5
    assert (np.abs(left[5:] - 15_000) < 4 * np.sqrt(30_000 / 4)).all()


@given(populations, seeds)
def test_a_new_connection_joins_two_unconnected_nodes_forwards(drawn: list[Graph], seed: int) -> None:
    batch = to_batch(drawn, 16, 18)
    before = batch.take(everyone(batch))
    add_connection(batch, everyone(batch), np.full(len(batch), 7.5, np.float32), generator(seed))
    batch.check(3)
    for row in range(len(batch)):
        old, new = edges(before, row), edges(batch, row)
        assert old.items() <= new.items()
        added = new.keys() - old.keys()
        assert len(added) <= 1
        for source, sink in added:
            assert new[source, sink] == 7.5
            assert source not in (4, 5, 6)  # Never from an output.
            assert sink >= 4  # Never into an input.
        assert nodes(batch, row) == nodes(before, row)


def test_only_the_rows_asked_for_get_a_connection() -> None:
    batch = to_batch([Graph(("sin",))] * 4, 6, 6)
    add_connection(batch, np.array([1, 3]), np.array([1, 2], np.float32), generator(), attempts=50)
    assert batch.sizes().tolist() == [0, 1, 0, 1]
    assert list(edges(batch, 1).values()) == [1]
    assert list(edges(batch, 3).values()) == [2]


def test_a_full_or_complete_genome_stays_as_it_is() -> None:
    for batch in (to_batch([FULL], 5, 9), to_batch([HIDDEN], 9, 4)):
        before = edges(batch, 0)
        add_connection(batch, everyone(batch), np.ones(1, np.float32), generator(), attempts=50)
        assert edges(batch, 0) == before


@given(populations, seeds)
def test_deleting_takes_one_connection(drawn: list[Graph], seed: int) -> None:
    batch = to_batch(drawn, 16, 18)
    before = batch.take(everyone(batch))
    delete_connection(batch, generator(seed))
    batch.check(3)
    for row in range(len(batch)):
        old, new = edges(before, row), edges(batch, row)
        assert new.items() <= old.items()
        assert len(new) == max(0, len(old) - 1)
    assert (batch.weight[batch.source == EMPTY] == 0).all()


@given(populations, seeds)
def test_a_new_node_splits_a_connection_and_both_halves_keep_its_weight(drawn: list[Graph], seed: int) -> None:
    batch = to_batch(drawn, 13, 15)
    before = batch.take(everyone(batch))
    add_node(batch, "wedge", generator(seed))
    batch.check(3)
    for row in range(len(batch)):
        old, new = edges(before, row), edges(batch, row)
        added = nodes(batch, row) - nodes(before, row)
        if not old or len(old) == 15 or len(nodes(before, row)) == 13:  # Nothing to split, or no free slot.
            assert new == old
            assert not added
            continue
        (node,) = added
        ((source, sink),) = old.keys() - new.keys()
        assert new == {k: v for k, v in old.items() if k != (source, sink)} | {
            (source, node): old[source, sink],
            (node, sink): old[source, sink],
        }
        assert batch.activation[row, node] == ACTIVATION_NAMES.index("wedge")
        assert batch.position[row, source] < batch.position[row, node] < batch.position[row, sink]


def test_without_a_free_node_slot_nothing_is_split() -> None:
    batch = to_batch([HIDDEN], 7, 20)
    before = edges(batch, 0)
    add_node(batch, "sin", generator())
    assert edges(batch, 0) == before


def test_splitting_the_same_connection_for_ever_stays_acyclic() -> None:
    """Positions are floats: at some point there is no number between two of them."""
    batch = to_batch([Graph(("sin",), (), ((X, 4, 1.0),))] * 2, 200, 200)
    rng = generator()
    for _ in range(150):
        keep = batch.source != EMPTY
        keep[:, :] &= np.cumsum(keep, 1) <= 1  # One connection is left: the one into the last node.
        for name in ("source", "sink"):
            getattr(batch, name)[~keep] = EMPTY
        batch.weight[~keep] = 0
        add_node(batch, "sin", rng)
        batch.check(1)
    assert len(nodes(batch, 0)) > 30  # Float64 halves about fifty times, the draws a little less.


@given(populations, seeds)
def test_deleting_a_node_takes_its_connections_and_never_an_input_or_output(drawn: list[Graph], seed: int) -> None:
    batch = to_batch(drawn, 16, 18)
    before = batch.take(everyone(batch))
    delete_node(batch, 3, generator(seed))
    batch.check(3)
    for row in range(len(batch)):
        gone = nodes(before, row) - nodes(batch, row)
        assert len(gone) == (1 if len(nodes(before, row)) > 7 else 0)
        assert all(node >= 7 for node in gone)
        assert edges(batch, row) == {
            pair: weight for pair, weight in edges(before, row).items() if not gone & set(pair)
        }


@given(populations, seeds)
def test_a_changed_activation_is_one_of_the_choices(drawn: list[Graph], seed: int) -> None:
    batch = to_batch(drawn, 16, 18)
    before = batch.take(everyone(batch))
    choices = np.array([ACTIVATION_NAMES.index("sin"), ACTIVATION_NAMES.index("wedge")], np.int8)
    rng = generator(seed)
    for g in range(len(batch)):
        graph.change_activations(batch.graphs(), g, 1.0, choices, len(INPUTS), rng)
    batch.check(3)
    assert (batch.activation[:, :4] == before.activation[:, :4]).all()
    alive = before.activation[:, 4:] != EMPTY
    assert np.isin(batch.activation[:, 4:][alive], choices).all()
    assert (batch.activation[:, 4:][~alive] == EMPTY).all()
