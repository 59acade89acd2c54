"""States as flat dictionaries: what was put under prefixes is found again."""

from __future__ import annotations

import numpy as np
import pytest
from support import assert_same_arrays

from evofool.search.states import numbered, parts, prefixed, under, whole_numbers


def test_parts_come_back_in_their_order_also_where_there_are_more_than_ten() -> None:
    states = [{"a": np.array([number]), "b.c": np.array([-number])} for number in range(12)]
    for state, part in zip(states, parts(numbered(states)), strict=True):
        assert_same_arrays(state, part)
    assert parts({}) == []


def test_a_prefix_is_a_whole_word() -> None:
    state = prefixed("rng", {"a": np.zeros(1)}) | prefixed("rngs", {"a": np.ones(1)})
    assert_same_arrays(under("rng", state), {"a": np.zeros(1)})


@pytest.mark.parametrize("array", [np.array([1, -1]), np.array([1.0, 2.0]), np.array([1, 2, 3]), np.array([[1, 2]])])
def test_what_are_no_whole_numbers_is_refused_by_name(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match="turns should be 2 whole numbers"):
        whole_numbers("turns", array, 2)
    assert whole_numbers("turns", np.array([0, 5]), 2).tolist() == [0, 5]
