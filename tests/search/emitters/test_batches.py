"""Batches that several searches side by side make up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support import assert_same_arrays, build

from evofool.rng import Rng
from evofool.search.emitters.batches import joined, scores_of_parts, split_evenly


@pytest.mark.parametrize(
    ("batch", "count", "expected"), [(10, 1, [10]), (10, 2, [5, 5]), (11, 2, [6, 5]), (8, 3, [3, 3, 2])]
)
def test_a_batch_is_split_whole(batch: int, count: int, expected: list[int]) -> None:
    assert split_evenly(batch, count) == expected


def test_batches_join_in_order() -> None:
    genomes = build("cppn", "default").random(9, Rng(0))
    parts = [genomes.take(np.arange(a, b)) for a, b in ((0, 2), (2, 3), (3, 9))]
    assert_same_arrays(vars(joined(parts)), vars(genomes))


def test_each_part_has_the_scores_of_its_own_class() -> None:
    scores = torch.arange(12.0).view(4, 3)
    assert [part.tolist() for part in scores_of_parts(scores, [(2, 1), (0, 3)])] == [[2.0], [3.0, 6.0, 9.0]]
    assert scores_of_parts(scores, []) == []
