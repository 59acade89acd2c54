"""CPPN genomes as arrays: rows, sizes, and what is no graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from graphs import BIAS, Graph, X, Y, to_batch

from evofool.encodings.cppn.batch import ACTIVATION_NAMES, MAX_CONNECTIONS, MAX_NODES, CPPNBatch
from evofool.errors import GenomeError
from evofool.kernels.constants import EMPTY

PATH = Graph(("sin",), ("cos", "gauss"), ((X, 5, 1.0), (5, 6, 2.0), (6, 4, 3.0), (Y, 4, 4.0)))
PLAIN = Graph(("cos",), (), ((BIAS, 4, -1.0),))


def two() -> CPPNBatch:
    return to_batch([PATH, PLAIN], 10, 8)


def test_rows_are_copied_in_the_order_asked_for() -> None:
    batch = two()
    taken = batch.take(np.array([1, 0, 1]))
    assert len(taken) == 3
    assert taken.sizes().tolist() == [1, 4, 1]
    taken.weight[:] = 9
    taken.source[:] = 0
    assert batch.weight[0, :4].tolist() == [1, 2, 3, 4]
    assert batch.sizes().tolist() == [4, 1]


def test_rows_are_overwritten_in_place() -> None:
    batch = two()
    batch.put(np.array([1]), batch.take(np.array([0])))
    assert batch.sizes().tolist() == [4, 4]
    assert batch.activation[1].tolist() == batch.activation[0].tolist()
    assert batch.position[1].tolist() == batch.position[0].tolist()
    batch.check(1)


def test_empty_genomes_have_no_node_and_no_connection() -> None:
    batch = CPPNBatch.empty(3, 7, 5)
    assert len(batch) == 3
    assert batch.sizes().tolist() == [0, 0, 0]
    assert (batch.activation == EMPTY).all()


def test_a_good_batch_passes() -> None:
    two().check(1)


def change(name: str, at: tuple[int, int], value: float) -> Callable[[CPPNBatch], None]:
    def apply(batch: CPPNBatch) -> None:
        getattr(batch, name)[at] = value

    return apply


def replace(name: str, value: np.ndarray) -> Callable[[CPPNBatch], None]:
    return lambda batch: setattr(batch, name, value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (replace("weight", np.zeros((2, 7), np.float32)), "don't fit each other"),
        (replace("sink", np.zeros((1, 8), np.int16)), "don't fit each other"),
        (replace("position", np.zeros((2, 9))), "don't fit each other"),
        (replace("activation", np.zeros((3, 10), np.int8)), "don't fit each other"),
        (replace("source", np.zeros(8, np.int16)), "don't fit each other"),
        (replace("activation", np.zeros(10, np.int8)), "don't fit each other"),
        (change("activation", (0, 4), EMPTY), "needs 4 inputs and 1 outputs"),
        (change("activation", (1, 0), EMPTY), "needs 4 inputs and 1 outputs"),
        (change("activation", (0, 5), len(ACTIVATION_NAMES)), "unknown activation"),
        (change("activation", (0, 5), -2), "unknown activation"),
        (change("weight", (0, 0), np.nan), "not a finite number"),
        (change("weight", (0, 2), np.inf), "not a finite number"),
        (change("position", (0, 5), np.nan), "not a finite number"),
        (change("source", (0, 1), 10), "a node that isn't there"),
        (change("source", (0, 1), -2), "a node that isn't there"),
        (change("sink", (0, 1), 10), "a node that isn't there"),
        (change("sink", (0, 1), EMPTY), "a node that isn't there"),
        (change("sink", (0, 0), 3), "a node that isn't there"),  # An input.
        (change("source", (0, 1), 9), "a node that isn't there"),  # A free slot.
        (change("sink", (0, 1), 9), "a node that isn't there"),
        (change("source", (0, 0), 6), "runs backwards"),
        (change("source", (0, 0), 5), "runs backwards"),  # To itself.
        (change("source", (0, 0), 4), "runs backwards"),  # From an output.
        (change("position", (0, 6), 0.1), "runs backwards"),
    ],
)
def test_what_is_no_graph_is_refused(damage: Callable[[CPPNBatch], None], message: str) -> None:
    batch = two()
    damage(batch)
    with pytest.raises(GenomeError, match=message):
        batch.check(1)


def test_a_batch_for_another_number_of_outputs_is_refused() -> None:
    with pytest.raises(GenomeError, match="4 inputs and 3 outputs"):
        to_batch([PLAIN]).check(3)


@pytest.mark.parametrize(("nodes", "edges"), [(MAX_NODES + 1, 1), (20, MAX_CONNECTIONS + 1)])
def test_more_nodes_or_connections_than_can_be_are_refused(nodes: int, edges: int) -> None:
    to_batch([PLAIN], MAX_NODES, MAX_CONNECTIONS).check(1)
    with pytest.raises(GenomeError, match="at most 1,024 and 4,096"):
        to_batch([PLAIN], nodes, edges).check(1)


def test_arrays_of_another_type_are_no_batch() -> None:
    arrays = {name: np.asarray(value) for name, value in vars(two()).items()}
    assert CPPNBatch.from_arrays(arrays).sizes().tolist() == [4, 1]
    for name in arrays:
        for wrong in ({k: v for k, v in arrays.items() if k != name}, arrays | {name: arrays[name].astype(complex)}):
            with pytest.raises(GenomeError, match=name):
                CPPNBatch.from_arrays(wrong)
