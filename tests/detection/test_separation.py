"""The figures of fooling images against real ones: scikit-learn's curves, counts by hand, known areas."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from evofool.detection.separation import area_interval, aupr, auroc, fpr95, roc_points, threshold


@pytest.mark.parametrize("seed", range(5))
def test_the_cost_of_stopping_is_the_false_positive_rate_of_the_curve(seed: int) -> None:
    rng = np.random.default_rng(seed)
    real, fooling = rng.normal(1, 1, 87).round(1), rng.normal(0, 1, 53).round(1)  # rounded, so that there are ties
    truth, says = np.repeat([0, 1], [87, 53]), -np.concatenate([real, fooling])
    false, true, cuts = roc_curve(truth, says, drop_intermediate=False)
    first = int(np.argmax(true >= 0.95))
    cost = fpr95(real, fooling)
    assert {(0, 0), (1, 1)} <= set(roc_points(real, fooling)) <= set(zip(false.tolist(), true.tolist(), strict=True))
    assert cost.value == pytest.approx(false[first])
    assert threshold(fooling) == pytest.approx(-cuts[first])
    assert cost.low <= cost.value <= cost.high


def test_the_area_is_the_chance_that_a_fooling_image_scores_lower() -> None:
    real, fooling = np.array([0.9, 0.8, 0.3]), np.array([0.1, 0.3, 0.85])
    wins = sum((f < r) + 0.5 * (f == r) for f in fooling for r in real)
    assert auroc(real, fooling).value == pytest.approx(wins / 9)


def test_fooling_images_are_the_positives_of_the_precision() -> None:
    assert aupr(np.array([0.5, 0.9]), np.array([0.7])).value == pytest.approx(1 / 2)
    assert aupr(np.array([0.7]), np.array([0.5, 0.9])).value == pytest.approx((1 + 2 / 3) / 2)


def test_the_interval_of_a_perfect_area_has_a_width_and_symmetry() -> None:
    low, high = area_interval(1.0, 20, 30)
    assert 0.8 < low < 0.97
    assert high == 1
    assert area_interval(0.0, 30, 20) == pytest.approx((1 - high, 1 - low), abs=1e-6)


@pytest.mark.parametrize("wins", [0, 1, 5 * 10**7, 10**8 - 1, 10**8])
def test_the_interval_of_an_area_of_many_images_holds_it(wins: int) -> None:
    low, high = area_interval(wins / 10**8, 10_000, 10_000)
    assert 0 <= low <= wins / 10**8 <= high <= 1
    assert 0 < high - low < 0.02


def test_the_interval_of_the_area_covers_it() -> None:
    """The area between normal distributions one deviation apart is Φ(1/√2) = 0.7602."""
    rng, covered = np.random.default_rng(0), 0
    for _ in range(200):
        figure = auroc(rng.normal(1, 1, 40), rng.normal(0, 1, 30))
        covered += figure.low <= 0.7602 <= figure.high
    assert 180 <= covered <= 200


@pytest.mark.parametrize("n", [2, 19, 20, 21, 60, 100])
def test_the_threshold_is_scikit_learn_s_first_that_stops_enough(n: int) -> None:
    fooling = np.arange(n, dtype=float)
    assert threshold(fooling) == np.quantile(fooling, 0.95, method="inverted_cdf")


def test_resampled_thresholds_are_those_of_resamples() -> None:
    """The interval's ends against a bootstrap that draws every image."""
    rng = np.random.default_rng(1)
    real, fooling = rng.normal(1, 1, 4000), rng.normal(0, 1, 25)
    drawn = np.sort(rng.choice(fooling, (20_000, 25)), 1)[:, 23]
    low, high = np.quantile((real[:, None] <= drawn[None]).mean(0), [0.025, 0.975])
    found = fpr95(real, fooling)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03)
