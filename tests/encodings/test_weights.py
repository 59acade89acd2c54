"""How weights move: against closed forms, with seeded samples large enough to tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphs import Graph, X, to_batch
from hypothesis import given
from hypothesis import strategies as st

from evofool.encodings.cppn.batch import CPPNBatch
from evofool.kernels import graph
from evofool.kernels.constants import EMPTY

SAMPLES = 40_000


def polynomial_weights(batch: CPPNBatch, *settings: Any) -> None:
    for g in range(len(batch)):
        graph.polynomial_weights(batch.graphs(), g, *settings)


def gaussian_weights(batch: CPPNBatch, *settings: Any) -> None:
    for g in range(len(batch)):
        graph.gaussian_weights(batch.graphs(), g, *settings)


def many(weight: float, genomes: int = 200, edges: int = 200, alive: int | None = None) -> CPPNBatch:
    """Genomes whose connections all have one weight; slots after the ``alive`` first are free."""
    batch = to_batch([Graph(("sin",), (), ((X, 4, weight),))], 5, edges).take(np.zeros(genomes, np.int64))
    filled = slice(0, alive if alive is not None else edges)
    batch.source[:, filled], batch.sink[:, filled], batch.weight[:, filled] = X, 4, weight
    return batch


def farthest(sample: np.ndarray, cdf: np.ndarray) -> float:
    """The Kolmogorov–Smirnov distance of a sorted sample to its distribution, times √n."""
    n = len(sample)
    steps = np.arange(n + 1) / n
    return max(np.abs(cdf - steps[1:]).max(), np.abs(cdf - steps[:-1]).max()) * np.sqrt(n)


@pytest.mark.parametrize("eta", [5.0, 15.0, 40.0])
@pytest.mark.parametrize("limit", [1.0, 10.0])
def test_polynomial_steps_follow_deb_and_agrawal(eta: float, limit: float) -> None:
    """P(δ ≤ d) = (1 + d)^(η+1) / 2 for d < 0, symmetric; δ is a share of the range [−limit, limit]."""
    batch = many(0.0)
    polynomial_weights(batch, 1.0, eta, limit, np.zeros(1, np.uint64))
    delta = np.sort(batch.weight.flatten().astype(float)) / (2 * limit)
    inside = np.abs(delta) < 0.5  # The rest was clamped.
    beyond = 0.5 ** (eta + 1)
    deviation = np.sqrt(beyond * SAMPLES)
    assert np.count_nonzero(~inside) == pytest.approx(beyond * SAMPLES, abs=4 * deviation + 1)
    delta = delta[inside]
    tail = 0.5 * (1 - np.abs(delta)) ** (eta + 1)
    cdf = (np.where(delta < 0, tail, 1 - tail) - beyond / 2) / (1 - beyond)
    assert farthest(delta, cdf) < 1.6  # p ≈ 0.01, seeded


def test_gaussian_steps_have_the_deviation_asked_for() -> None:
    batch = many(1.0)
    gaussian_weights(batch, 1.0, 0.8, 1.0, 100.0, np.zeros(1, np.uint64))
    steps = batch.weight - 1.0
    assert steps.mean() == pytest.approx(0, abs=4 * 0.8 / np.sqrt(SAMPLES))
    assert steps.std() == pytest.approx(0.8, rel=4 / np.sqrt(2 * SAMPLES))
    assert (np.abs(steps) < 0.8).mean() == pytest.approx(0.6827, abs=0.01)


def test_siblings_spread_their_deviations() -> None:
    batch = many(0.0, genomes=2000, edges=100)
    gaussian_weights(batch, 1.0, 0.5, 4.0, 100.0, np.zeros(1, np.uint64))
    spread = np.log(batch.weight.std(1) / 0.5) / np.log(4.0)  # Uniform on [−1, 1], but for sampling noise.
    assert spread.min() == pytest.approx(-1, abs=0.2)
    assert spread.max() == pytest.approx(1, abs=0.2)
    assert spread.mean() == pytest.approx(0, abs=0.05)
    assert spread.std() == pytest.approx(1 / np.sqrt(3), abs=0.03)


def mutate(kind: str, batch: CPPNBatch, rate: float, seed: int = 0, limit: float = 10.0) -> None:
    rng = np.array([seed], np.uint64)
    if kind == "polynomial":
        polynomial_weights(batch, rate, 15.0, limit, rng)
    else:
        gaussian_weights(batch, rate, 1.0, 2.0, limit, rng)


both = pytest.mark.parametrize("kind", ["polynomial", "gaussian"])


@both
@pytest.mark.parametrize("rate", [0.0, 0.02, 0.1, 0.5, 1.0])
def test_weights_change_at_the_rate_asked_for(kind: str, rate: float) -> None:
    batch = many(0.5)
    mutate(kind, batch, rate)
    changed = (batch.weight != 0.5).mean()
    assert changed == pytest.approx(rate, abs=4 * np.sqrt(rate * (1 - rate) / SAMPLES) + 1e-4)


@both
def test_free_slots_keep_their_zeros(kind: str) -> None:
    batch = many(0.5, genomes=20, alive=50)
    mutate(kind, batch, 1.0)
    assert (batch.weight[:, 50:] == 0).all()
    assert (batch.source[:, 50:] == EMPTY).all()
    assert (batch.weight[:, :50] != 0.5).mean() > 0.99


@both
@given(limit=st.sampled_from([0.5, 1.0, 10.0]), share=st.floats(-1, 1, width=32), seed=st.integers(0, 2**32 - 1))
def test_weights_stay_inside_the_limits(kind: str, limit: float, share: float, seed: int) -> None:
    batch = many(limit * share, genomes=10, edges=10)
    for _ in range(3):
        mutate(kind, batch, 1.0, seed, limit)
    assert np.abs(batch.weight).max() <= limit
    assert np.isfinite(batch.weight).all()


@both
def test_limits_are_reached(kind: str) -> None:
    batch = many(9.9)
    mutate(kind, batch, 1.0)
    assert (batch.weight == 10).any()
    assert (batch.weight < 9.9).any()
