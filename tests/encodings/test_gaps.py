"""Places drawn by their gaps are those of independent draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evofool.encodings.direct.gaps import bernoulli_places
from evofool.rng import Rng


def taken(rates: list[float], length: int, seed: int = 0) -> np.ndarray:
    """(N, length) whether each place is taken; no place may be twice among those drawn."""
    places = bernoulli_places(np.array(rates), length, Rng(seed))
    assert places.dtype == torch.int64
    distinct, times = np.unique(places.numpy(), return_counts=True)
    assert (times[distinct < len(rates) * length] == 1).all()
    hit = np.zeros(len(rates) * length + 1, bool)
    hit[distinct] = True
    return hit[:-1].reshape(len(rates), length)


@pytest.mark.parametrize("rate", [0.002, 0.05, 0.1, 0.5, 0.9])
def test_every_place_is_taken_with_the_rate_and_independently(rate: float) -> None:
    n, length = 40_000, 60
    hit = taken([rate] * n, length).astype(float)
    error = np.sqrt(rate * (1 - rate) / n)
    assert np.abs(hit.mean(0) - rate).max() < 4.5 * error  # The last places too.
    assert hit.sum(1).var() == pytest.approx(length * rate * (1 - rate), rel=0.04)
    first, second = hit[:, :-1].ravel() - rate, hit[:, 1:].ravel() - rate
    assert abs((first * second).mean()) < 4.5 * rate * (1 - rate) / np.sqrt(len(first))


def test_rows_have_their_own_rates() -> None:
    rates = [0.01, 0.1, 0.6, 1.0]
    means = taken(rates * 500, 300).reshape(500, 4, 300).mean((0, 2))
    np.testing.assert_allclose(means, rates, rtol=0.06)
    assert means[3] == 1.0


RATES = st.one_of(st.floats(1e-12, 1.0), st.sampled_from([5e-324, 1e-39, 1e-30, 1 - 2**-53, 1.0]))


@given(st.lists(RATES, min_size=1, max_size=5), st.integers(1, 200), st.integers(0, 2**31))
def test_any_rates_give_places_of_the_rows(rates: list[float], length: int, seed: int) -> None:
    hit = taken(rates, length, seed)
    assert hit[np.array(rates) == 1.0].all()


def test_the_same_seed_gives_the_same_places() -> None:
    assert np.array_equal(taken([0.3] * 9, 100, 5), taken([0.3] * 9, 100, 5))
    assert not np.array_equal(taken([0.3] * 9, 100, 5), taken([0.3] * 9, 100, 6))


def test_few_numbers_are_drawn_for_few_places() -> None:
    assert len(bernoulli_places(np.full(10, 0.01), 100_000, Rng(0))) < 10 * 1_200
