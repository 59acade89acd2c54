"""Images of a class that are apart from each other: what stays true, and who takes whose place."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from niches import CLASSES, ENGINE, TARGET, assert_goes_back_whole, batches, class_sets, feed
from support import random_images
from torch import Tensor

from evofool.engines.population import NO_EVALUATION
from evofool.errors import TargetError
from evofool.search.archive import Archive
from evofool.search.novelty_archive import Novelty

NOVELTY = Novelty("pixels", 3, 0.3)


def points(archive: Archive, number: int) -> np.ndarray:
    """The measures of the elites of the class with this number among the archive's."""
    assert archive.measures is not None
    niches = [niche for niche in archive.held().tolist() if niche // archive.niches_per_class == number]
    return archive.measures[niches].numpy().astype(np.float64)


@given(class_sets, batches(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), min_size=192, max_size=192)))
def test_images_of_a_class_are_apart_and_its_surest_never_falls(class_indices: list[int], generations: Any) -> None:
    archive = NOVELTY.archive(np.array(class_indices), ENGINE)
    surest = np.full(len(class_indices), -1.0)
    for generation, batch in enumerate(generations, 1):
        feed(archive, [(scores, [value / 192**0.5 for value in measures]) for scores, measures in batch], generation)
        for number, index in enumerate(class_indices):
            surest[number] = max(surest[number], *(scores[index] for scores, _ in batch))
            for a, b in itertools.combinations(points(archive, number), 2):
                assert np.linalg.norm(a - b) >= NOVELTY.least_distance * (1 - 1e-6)
        np.testing.assert_array_equal(archive.surest_confidence(), surest)  # the surest child of all is always kept
    empty = np.setdiff1d(np.arange(len(archive)), archive.held())
    assert (archive.confidence[empty] == -1).all()
    assert (archive.parent[empty] == NO_EVALUATION).all()
    assert not archive.kept.values[empty].any()


def give(archive: Archive, *children: tuple[float, float], generation: int) -> list[tuple[float, float]]:
    """Feed children (score, position on a line); returns (position, confidence) of what is held, by position."""
    feed(archive, [([score, 0.0, 0.0, 0.0], [position, *[0.0] * 191]) for score, position in children], generation)
    assert archive.measures is not None
    held = archive.held()
    elites = zip(archive.measures[held, 0].tolist(), archive.confidence[held].tolist(), strict=True)
    return sorted((round(position, 3), round(score, 3)) for position, score in elites)


def test_who_takes_whose_place() -> None:
    archive = NOVELTY.archive(np.array([0]), ENGINE)
    assert give(archive, (0.5, 0.0), (0.6, 0.1), generation=1) == [(0.1, 0.6)]  # too near, and surer
    assert give(archive, (0.6, 0.3), generation=2) == [(0.1, 0.6)]  # too near, and not surer
    assert give(archive, (0.2, 0.5), (0.3, 1.0), generation=3) == [(0.1, 0.6), (0.5, 0.2), (1.0, 0.3)]
    assert give(archive, (0.1, 2.0), generation=4) == [(0.1, 0.6), (0.5, 0.2), (1.0, 0.3)]  # no room, and weakest
    assert give(archive, (0.4, 2.0), generation=5) == [(0.1, 0.6), (1.0, 0.3), (2.0, 0.4)]  # instead of the weakest
    assert give(archive, (0.9, 0.25), generation=6) == [(0.25, 0.9), (1.0, 0.3), (2.0, 0.4)]
    assert give(archive, (0.1, 0.6), (0.95, 0.75), generation=7) == [(0.25, 0.9), (0.75, 0.95), (2.0, 0.4)]
    assert give(archive, (0.99, 0.5), generation=8) == [(0.5, 0.99), (2.0, 0.4)]  # two that are too near, both gone


def test_pixels_are_compared_as_what_they_look_like_from_afar() -> None:
    images = torch.stack([torch.zeros(3, 32, 32), torch.full((3, 32, 32), 255.0)]).to(torch.uint8)
    black, white = NOVELTY.measure(TARGET, images, None)
    assert float((black - white).norm()) == pytest.approx(1.0)
    noise = NOVELTY.measure(TARGET, random_images(2, (3, 32, 32)), None)
    assert float((noise[0] - noise[1]).norm()) < 0.2


def test_features_are_compared_by_angle() -> None:
    novelty, images = Novelty("features", 3, 0.3), random_images(4)
    points = novelty.measure(TARGET, images, None)
    torch.testing.assert_close(points.norm(dim=1), torch.ones(4))
    a, b = TARGET.features(images)[:2]
    cosine = float(torch.nn.functional.cosine_similarity(a, b, 0))
    assert float((points[0] - points[1]).norm()) == pytest.approx((2 * (1 - cosine)) ** 0.5, abs=1e-4)
    assert novelty.least_distance == pytest.approx((2 * 0.3) ** 0.5)


def test_a_target_without_features_is_refused_with_what_to_choose_instead() -> None:
    class Plain:
        name, classes, image_shape = "plain", ["a"] * CLASSES, (3, 8, 8)

        def scores(self, images: Tensor) -> Tensor:
            return torch.zeros(len(images), CLASSES)

        confirm = scores

    with pytest.raises(TargetError, match=r"plain gives neither gradients nor features.*`novelty=pixels`"):
        Novelty("features", 3, 0.3).measure(Plain(), random_images(1), None)


@pytest.mark.parametrize("novelty", [NOVELTY, Novelty("features", 3, 0.3)])
def test_a_state_goes_back_whole(novelty: Novelty) -> None:
    assert_goes_back_whole(novelty)
