"""Margins: by how much candidates miss a criterion."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evofool.attacks.margins import margins, margins_to_all

TINY = float(np.finfo(np.float32).tiny)

PROBABILITY = st.one_of(
    st.sampled_from([0.0, 1.0, 0.5, TINY, 1e-42, 1e-20, float(np.float32(1 - 2**-24))]),
    st.floats(0, 1, width=32),
)


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    """(N, K) numbers in [0, 1]; ties, zeros and ones among them."""
    n, k = draw(st.integers(1, 4)), draw(st.integers(2, 6))
    rows = draw(st.lists(st.lists(PROBABILITY, min_size=k, max_size=k), min_size=n, max_size=n))
    return np.array(rows, np.float32)


def ahead(row: list[float], column: int) -> float:
    """log(p[column] / the best other), in float64."""
    best = max(value for index, value in enumerate(row) if index != column)
    return math.log(max(row[column], TINY)) - math.log(max(best, TINY))


def of_rows(rows: list[list[float]], columns: list[int], targeted: list[bool]) -> tuple[list[float], list[float]]:
    margin, fitness = margins(torch.tensor(rows), torch.tensor(columns), torch.tensor(targeted))
    return margin.tolist(), fitness.tolist()


@given(tables(), st.data())
def test_margins_are_log_odds_against_the_best_other_class(scores: np.ndarray, data: st.DataObject) -> None:
    n, k = scores.shape
    columns = data.draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n))
    targeted = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    margin, fitness = of_rows(scores.tolist(), columns, targeted)
    for row, column, wanted, ours, left in zip(scores.tolist(), columns, targeted, margin, fitness, strict=True):
        expected = ahead(row, column)
        assert ours == pytest.approx(-expected if wanted else expected, rel=1e-5, abs=1e-5)
        assert left == pytest.approx(1 - row[column] if wanted else row[column], abs=1e-7)


@given(tables())
def test_margins_to_all_are_those_of_every_class_as_a_criterion(scores: np.ndarray) -> None:
    every_margin = margins_to_all(scores)
    assert every_margin.dtype == np.float32
    assert every_margin.shape == scores.shape
    n = len(scores)
    for column in range(scores.shape[1]):
        margin, _ = margins(torch.from_numpy(scores), torch.full((n,), column), torch.ones(n, dtype=torch.bool))
        np.testing.assert_allclose(every_margin[:, column], margin.numpy(), rtol=1e-5, atol=2e-5)


@given(tables())
def test_the_sign_tells_who_is_first(scores: np.ndarray) -> None:
    for row in scores.tolist():
        for column in range(len(row)):
            lead = row[column] - max(value for index, value in enumerate(row) if index != column)
            (untargeted, targeted), _ = of_rows([row, row], [column] * 2, [False, True])
            assert untargeted == -targeted
            assert untargeted * lead >= 0
            if lead == 0:
                assert untargeted == 0


def test_untargeted_counts_down_to_another_class_and_targeted_to_the_criterion() -> None:
    rows = [[0.7, 0.2, 0.1], [0.2, 0.7, 0.1]]
    assert of_rows(rows, [0, 0], [False, False])[0] == pytest.approx([math.log(3.5), -math.log(3.5)])
    assert of_rows(rows, [1, 1], [True, True])[0] == pytest.approx([math.log(3.5), -math.log(3.5)])
    assert of_rows(rows, [0, 0], [False, False])[1] == pytest.approx([0.7, 0.2])
    assert of_rows(rows, [1, 1], [True, True])[1] == pytest.approx([0.8, 0.3])


@pytest.mark.parametrize("targeted", [False, True])
def test_probabilities_of_0_and_1_give_finite_margins(targeted: bool) -> None:
    most = -math.log(TINY)
    sign = -1 if targeted else 1
    margin, _ = of_rows([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [0] * 3, [targeted] * 3)
    assert margin == pytest.approx([sign * most, -sign * most, 0.0], rel=1e-6)


def test_margins_to_all_of_0_and_1_are_finite() -> None:
    most = -math.log(TINY)
    every_margin = margins_to_all(np.array([[1, 0, 0], [0, 0, 0]], np.float32))
    np.testing.assert_allclose(every_margin, [[-most, most, most], [0, 0, 0]], rtol=1e-6)
