"""Corruptions: their strengths, and counts by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evofool.audits.corruptions import SCREENSHOT, STRENGTHS, corrupted, corruptions


@pytest.mark.parametrize("name", ["jpeg", "resize", "blur", "noise", "brightness", SCREENSHOT])
def test_a_corruption_changes_every_image_a_little(name: str) -> None:
    images = torch.from_numpy(np.random.default_rng(0).integers(60, 190, (7, 3, 16, 16), dtype=np.uint8))
    found = corrupted(name, images, 0)
    assert found.shape == images.shape
    assert found.dtype == torch.uint8
    assert (found != images).flatten(1).any(1).all()
    assert torch.equal(found, corrupted(name, images, 0))


def test_images_take_turns_in_strengths() -> None:
    images = torch.full((2 * STRENGTHS, 1, 4, 4), 100, dtype=torch.uint8)
    levels = corrupted("brightness", images, 0)[:, 0, 0, 0].tolist()
    assert levels[:STRENGTHS] == levels[STRENGTHS:]
    assert len(set(levels)) == STRENGTHS


def test_accuracy_and_flips_are_means_over_corruptions() -> None:
    labels, before = np.array([0, 1, 2, 2]), np.array([0, 1, 2, 0])
    found = corruptions(labels, before, {"jpeg": np.array([0, 1, 1, 2]), "noise": np.array([0, 1, 2, 0])})
    assert found.figures["corrupted_accuracy"].value == (3 / 4 + 3 / 4) / 2
    assert found.figures["corrupted_flips"].value == (2 / 4 + 0) / 2
    assert found.figures["corrupted_flips"].n == 4
    assert found.details["corruptions"]["jpeg"]["flips"][0] == 2 / 4
    assert found.details["clean_accuracy"] == 3 / 4


def test_images_without_labels_have_flips_alone() -> None:
    found = corruptions(None, np.array([0, 1]), {"blur": np.array([1, 1])})
    assert found.figures.keys() == {"corrupted_flips"}
    assert "no labels" in found.why
