"""Rejection: scores and their figures against scikit-learn's curves and against counts by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from evofool.audits.measured import Outputs
from evofool.audits.rejection import (
    area_interval,
    aupr,
    auroc,
    confidence_scores,
    cost_of_stopping,
    rejection,
    threshold,
)


def outputs(n: int, scale: float, seed: int) -> Outputs:
    """Outputs of a network that is the surer the larger the scale."""
    logits = np.random.default_rng(seed).normal(0, scale, (n, 5))
    odds = np.exp(logits)
    return Outputs(odds / odds.sum(1, keepdims=True), logits)


def test_the_scores_are_those_of_the_papers() -> None:
    found = confidence_scores(
        Outputs(np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]]), np.array([[1.0, 1, -9], [0, 4, 0]]))
    )
    assert found["msp"] == pytest.approx([0.5, 1])
    assert found["maxlogit"] == pytest.approx([1, 4])
    assert found["energy"] == pytest.approx([np.log(2 * np.e + np.exp(-9)), np.log(2 + np.exp(4))])
    assert found["entropy"] == pytest.approx([-np.log(2), 0])


@pytest.mark.parametrize("seed", range(5))
def test_the_cost_of_stopping_is_the_false_positive_rate_of_the_curve(seed: int) -> None:
    rng = np.random.default_rng(seed)
    real, fooling = rng.normal(1, 1, 87).round(1), rng.normal(0, 1, 53).round(1)  # rounded, so that there are ties
    truth, says = np.repeat([0, 1], [87, 53]), -np.concatenate([real, fooling])
    false, true, cuts = roc_curve(truth, says, drop_intermediate=False)
    first = int(np.argmax(true >= 0.95))
    cost = cost_of_stopping(real, fooling)
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


def test_a_network_that_is_unsure_of_fooling_images_rejects_them_better() -> None:
    real = outputs(200, 5, 0)
    sure, unsure = (rejection(real, outputs(80, scale, 1)).figures for scale in (5, 0.5))
    for score in ("msp", "maxlogit", "energy", "entropy"):
        assert unsure[f"auroc_{score}"].low > sure[f"auroc_{score}"].high
        assert unsure[f"fpr95_{score}"].high < sure[f"fpr95_{score}"].low


def test_without_logits_their_scores_are_left_out_with_a_reason() -> None:
    real, fooling = (Outputs(outputs(30, scale, 2).probabilities) for scale in (4, 1))
    found = rejection(real, fooling)
    assert {name.partition("_")[2] for name in found.figures} == {"msp", "entropy"}
    assert "probabilities alone" in found.why


def test_noise_is_compared_with_real_images_and_with_the_threshold_for_fooling_ones() -> None:
    real, fooling, noise = outputs(60, 5, 0), outputs(40, 2, 1), outputs(50, 0.1, 2)
    found = rejection(real, fooling, {"noise": noise}).details
    row = found["others"]["noise"]["msp"]
    assert row["n"] == 50
    assert row["stopped"] == np.mean(noise.probabilities.max(1) <= found["scores"]["msp"]["threshold"])
    assert row["auroc"][0] == auroc(real.probabilities.max(1), noise.probabilities.max(1)).value


def test_the_same_outputs_give_the_same_figures() -> None:
    real, fooling = outputs(60, 5, 0), outputs(40, 2, 1)
    assert rejection(real, fooling, seed=3) == rejection(real, fooling, seed=3)
