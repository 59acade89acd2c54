"""Calibration: the error by hand, and what it says of networks that are too sure."""

from __future__ import annotations

import numpy as np
import pytest

from evofool.audits.calibration import calibration, calibration_error
from evofool.detection.outputs import Outputs


def drawn(n: int, temperature: float, seed: int = 0) -> tuple[Outputs, np.ndarray]:
    """Outputs of a network and classes drawn by its probabilities; a temperature makes it less or more sure."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, 4))
    odds = np.exp(logits)
    labels = (rng.random((n, 1)) > np.cumsum(odds / odds.sum(1, keepdims=True), 1)).sum(1)
    scaled = np.exp(logits / temperature)
    return Outputs(scaled / scaled.sum(1, keepdims=True)), labels


def test_the_error_is_the_gap_of_each_bin_by_its_size() -> None:
    confidence, right = np.array([0.95, 0.96, 0.5, 0.52]), np.array([1.0, 0, 1, 0])
    # 15 bins: 0.50 lies in (7/15, 8/15], as 0.52 does.
    by_hand = abs(0.955 - 0.5) / 2 + abs(0.51 - 0.5) / 2
    assert calibration_error(confidence, right) == pytest.approx(by_hand)


def test_confidences_of_0_and_1_have_bins() -> None:
    assert calibration_error(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 0


def test_a_calibrated_network_has_a_smaller_error_than_one_that_is_too_sure() -> None:
    calibrated, sure = (calibration(*drawn(1500, temperature)).figures["ece"] for temperature in (1, 0.25))
    assert calibrated.high < sure.low
    assert calibrated.value < 0.05


def test_the_interval_covers_the_error_of_other_images() -> None:
    found = [calibration(*drawn(300, 0.5, seed)).figures["ece"] for seed in range(40)]
    mean = np.mean([figure.value for figure in found])
    assert sum(figure.low <= mean <= figure.high for figure in found) >= 35


def test_bins_tell_how_many_images_they_have() -> None:
    outputs, labels = drawn(200, 1)
    found = calibration(outputs, labels)
    assert sum(row["n"] for row in found.details["bins"]) == 200
    assert found.figures["accuracy"].value == np.mean(outputs.probabilities.argmax(1) == labels)
    for row in found.details["bins"]:
        assert row["low"] < row["confidence"] <= row["high"]
