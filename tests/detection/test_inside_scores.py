"""Scores that look into a network, and trained detectors: by formulas of the papers and by scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist, mahalanobis
from sklearn.covariance import ledoit_wolf
from support import tiny_target

from evofool.detection.features import Mahalanobis, Neighbours
from evofool.detection.odin import STEP, TEMPERATURE, odin_scores
from evofool.detection.trained import Detector, shrunk

RNG = np.random.default_rng(0)
FEATURES, LABELS, SHOWN = RNG.normal(0, 2, (40, 6)), np.repeat([0, 3], 20), RNG.normal(1, 3, (15, 6))


def test_the_mahalanobis_distance_is_to_the_nearest_class_with_the_covariance_of_all() -> None:
    means = [FEATURES[index == LABELS].mean(0) for index in (0, 3)]
    covariance, _ = ledoit_wolf(FEATURES - np.repeat(means, 20, 0), assume_centered=True)
    inverse = np.linalg.inv(covariance)
    expected = [-min(mahalanobis(row, mean, inverse) ** 2 for mean in means) for row in SHOWN]
    fitted = Mahalanobis(FEATURES, LABELS)
    assert fitted.by_class
    assert fitted.scores(SHOWN) == pytest.approx(np.array(expected))


def test_a_class_of_few_images_has_no_mean_of_its_own() -> None:
    labels = np.arange(40)
    fitted = Mahalanobis(FEATURES, labels)
    covariance, _ = ledoit_wolf(FEATURES)
    inverse = np.linalg.inv(covariance)
    assert not fitted.by_class
    assert fitted.scores(SHOWN[:1]) == pytest.approx(-(mahalanobis(SHOWN[0], FEATURES.mean(0), inverse) ** 2))


@pytest.mark.parametrize("k", [1, 3, 99])
def test_the_distance_to_the_kth_neighbour_is_between_directions(k: int) -> None:
    one, other = (values / np.linalg.norm(values, axis=1)[:, None] for values in (SHOWN, FEATURES))
    expected = -np.sort(cdist(one, other), 1)[:, min(k, 40) - 1]
    assert Neighbours(FEATURES, k).scores(SHOWN) == pytest.approx(expected)


def test_features_that_are_all_zero_have_scores() -> None:
    nothing = np.zeros((12, 4))
    assert np.isfinite(Mahalanobis(nothing, np.zeros(12, int)).scores(SHOWN[:, :4])).all()
    assert np.isfinite(Neighbours(nothing, 2).scores(nothing)).all()


def test_odin_takes_a_step_towards_more_confidence_at_its_temperature() -> None:
    target = tiny_target(micro_batch=4)
    images = torch.from_numpy(RNG.integers(0, 256, (7, 3, 8, 8), np.uint8))
    pixels = (images / 255).requires_grad_()
    softmax = (target.logits(pixels) / TEMPERATURE).softmax(1).amax(1)
    (gradient,) = torch.autograd.grad((-softmax.log()).sum(), pixels)
    with torch.no_grad():
        seen = target.logits(pixels - STEP * gradient.sign()).double().numpy() / 1000
    expected = (np.exp(seen) / np.exp(seen).sum(1, keepdims=True)).max(1)
    found = odin_scores(target, images)
    assert found == pytest.approx(expected, abs=1e-9)
    with torch.no_grad():
        plain = (target.logits(pixels).double() / 1000).softmax(1).amax(1).numpy()
    assert (found > plain).all()


def test_a_detector_gives_the_odds_that_an_image_is_real() -> None:
    """Between two normal distributions of one width the odds are linear, and zero half-way."""
    real, fooling = RNG.normal(2, 1, (3000, 1)), RNG.normal(0, 1, (600, 1))
    odds = Detector(real, fooling).scores(np.array([[1.0], [2.0], [3.0]]))
    assert odds == pytest.approx([0, 2, 4], abs=0.35)


def test_large_images_are_averaged_over_squares() -> None:
    images = RNG.integers(0, 256, (2, 3, 66, 64), np.uint8)
    found = shrunk(images).reshape(2, 3, 22, 21)
    assert found[1, 2, 5, 7] == pytest.approx(images[1, 2, 15:18, 21:24].mean() / 255)
    assert shrunk(images[:, :, :32, :32]) == pytest.approx(images[:, :, :32, :32].reshape(2, -1) / 255)
