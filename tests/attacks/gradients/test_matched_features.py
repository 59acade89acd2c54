"""Images whose features are matched to others'."""

from __future__ import annotations

import pytest
import torch
from support import random_images, tiny_network, tiny_target

from evofool.attacks.gradients.matching import match_features


def features(images: torch.Tensor) -> torch.Tensor:
    """Return the tiny network's last inputs of float images, computed from its layers."""
    with torch.no_grad():
        found: torch.Tensor = tiny_network()[:3]((images - 0.5) / 0.25)
    return found


def test_features_come_nearer_to_those_wanted_and_distances_are_those_of_the_layers() -> None:
    images = random_images(6).float() / 255
    wanted, start = features(images[:3]), images[3:]
    found = match_features(tiny_target(), start, wanted, steps=40, size=0.1)
    torch.testing.assert_close(found.before, (features(start) - wanted).norm(dim=1))
    torch.testing.assert_close(found.after, (features(found.images) - wanted).norm(dim=1))
    assert (found.after < 0.5 * found.before).all()
    assert found.images.min() >= 0
    assert found.images.max() <= 1


def test_no_image_goes_further_than_its_steps() -> None:
    images = random_images(6).float() / 255
    found = match_features(tiny_target(), images[3:], features(images[:3]), steps=5, size=0.2)
    assert ((found.images - images[3:]).flatten(1).norm(dim=1) <= 5 * 0.2 + 1e-5).all()


def test_images_that_match_already_stay_as_they_are() -> None:
    images = random_images(4).float() / 255
    found = match_features(tiny_target(), images, features(images), steps=3, size=0.1)
    torch.testing.assert_close(found.images, images)


def test_more_steps_never_end_further_away() -> None:
    images = random_images(8).float() / 255
    wanted = features(images[:4])
    distances = [match_features(tiny_target(), images[4:], wanted, steps=n, size=0.5).after for n in (1, 4, 16)]
    assert (distances[1] <= distances[0]).all()
    assert (distances[2] <= distances[1]).all()


def test_rows_do_not_depend_on_each_other() -> None:
    images = random_images(6).float() / 255
    wanted = features(images[:3])
    together = match_features(tiny_target(), images[3:], wanted, steps=6, size=0.1)
    alone = match_features(tiny_target(), images[4:5], wanted[1:2], steps=6, size=0.1)
    assert alone.after[0] == pytest.approx(float(together.after[1]), rel=1e-3)
