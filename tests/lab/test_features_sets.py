"""The data sets of ``features``: labels, perturbations, matched features, and what others can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from support import random_images, tiny_network, tiny_target

from evofool.config.features import FeaturesOptions
from evofool.datasets.archives import read_archive
from evofool.lab.features_export import export
from evofool.lab.features_labels import labels_of, random_labels, starts
from evofool.lab.features_sets import matched, perturbed, rounded

LABELS = np.array([0, 1, 2, 3, 3])
DRAWN = np.array([3, 1, 0, 0, 2])


def features(images: torch.Tensor) -> torch.Tensor:
    """Return the tiny network's last inputs of 8-bit images, computed from its layers."""
    with torch.no_grad():
        found: torch.Tensor = tiny_network()[:3]((images.float() / 255 - 0.5) / 0.25)
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("D", [0, 1, 2, 3, 3]),
        ("D_R", [0, 1, 2, 3, 3]),
        ("D_NR", [0, 1, 2, 3, 3]),
        ("D_rand", [3, 1, 0, 0, 2]),
        ("D_det", [1, 2, 3, 0, 0]),
    ],
)
def test_labels_are_kept_random_or_those_of_the_class_after_the_true_one(name: str, expected: list[int]) -> None:
    assert labels_of(name, LABELS, 4, DRAWN).tolist() == expected


def test_random_labels_tell_nothing_of_the_image_and_depend_on_the_seed_alone() -> None:
    options = FeaturesOptions(size=4000)
    drawn = random_labels(options, 10)
    assert np.array_equal(drawn, random_labels(options, 10))
    assert not np.array_equal(drawn, random_labels(FeaturesOptions(size=4000, seed=1), 10))
    assert np.abs(np.bincount(drawn, minlength=10) - 400).max() < 100
    true = np.arange(4000) % 10
    assert abs((drawn == true).mean() - 0.1) < 0.02


@pytest.mark.parametrize("size", [2, 3, 50])
def test_images_begin_as_any_other_one_but_never_as_themselves(size: int) -> None:
    begun = starts(FeaturesOptions(size=size))
    assert (begun != np.arange(size)).all()
    assert set(begun.tolist()) <= set(range(size))


@pytest.mark.parametrize("size", [None, 0.1])
def test_perturbations_stay_in_the_ball_but_for_rounding_and_reach_their_labels(size: float | None) -> None:
    images, wanted = random_images(8), torch.arange(8) % 4
    made = perturbed(tiny_target(), images, wanted, epsilon=1.5, steps=30, size=size)
    moved = ((made.images.double() - images.double()) / 255).flatten(1).norm(dim=1)
    half_a_step_in_all_values = 0.5 / 255 * np.sqrt(3 * 8 * 8)
    assert (moved <= 1.5 + half_a_step_in_all_values).all()
    torch.testing.assert_close(made.moved.double(), moved, rtol=1e-5, atol=1e-6)
    guesses = tiny_target().confirm(made.images).argmax(1)
    assert torch.equal(made.taken, guesses)
    assert (guesses == wanted).float().mean() > (tiny_target().confirm(images).argmax(1) == wanted).float().mean()
    assert (made.unrounded == wanted).all()


def test_small_perturbations_are_undone_by_rounding_and_that_is_told() -> None:
    images = random_images(20)
    wanted = (tiny_target().confirm(images).argmax(1) + 1) % 4
    made = perturbed(tiny_target(), images, wanted, epsilon=0.015, steps=10, size=None)
    assert (made.images == images).float().mean() > 0.9
    before, after = (made.unrounded == wanted).sum(), (made.taken == wanted).sum()
    assert after <= before


def test_features_come_nearer_and_the_distance_is_that_of_the_8_bit_images() -> None:
    images, start = random_images(5), random_images(5, seed=1)
    made = matched(tiny_target(), images, start, steps=30, size=0.1)
    assert made.before is not None
    assert made.after is not None
    torch.testing.assert_close(made.before, (features(start) - features(images)).norm(dim=1))
    torch.testing.assert_close(made.after, (features(made.images) - features(images)).norm(dim=1))
    assert (made.after < 0.6 * made.before).all()
    torch.testing.assert_close(made.moved, ((made.images.float() - start.float()) / 255).flatten(1).norm(dim=1))
    assert made.images.dtype == torch.uint8


def test_pixels_are_rounded_to_the_nearest_of_8_bits() -> None:
    pixels = torch.tensor([0.0, 0.49 / 255, 0.51 / 255, 1.0])
    assert rounded(pixels).tolist() == [0, 0, 1, 255]


def test_an_exported_set_is_read_as_data_and_as_torchvisions_image_folder(tmp_path: Path) -> None:
    from torchvision.datasets import ImageFolder

    images, labels = random_images(6).numpy(), np.array([2, 0, 1, 1, 2, 0])
    export(tmp_path / "sets", "D_rand", images, labels, ["cat", "a dog", "猫"], ["npz", "folder"])
    archive = read_archive(tmp_path / "sets" / "D_rand.npz", ["cat", "a dog", "猫"])
    assert np.array_equal(archive.images, images)
    assert archive.labels.tolist() == labels.tolist()
    folder = ImageFolder(str(tmp_path / "sets" / "D_rand"), loader=lambda path: np.array(Image.open(path)))
    assert folder.classes == ["000_cat", "001_a-dog", "002_class"]
    found: list[tuple[Any, int]] = [folder[row] for row in range(len(folder))]
    order = np.argsort(labels, kind="stable")
    assert [label for _, label in found] == labels[order].tolist()
    assert all(
        np.array_equal(image.transpose(2, 0, 1), images[row]) for (image, _), row in zip(found, order, strict=True)
    )


def test_an_exported_set_is_the_same_bytes_again(tmp_path: Path) -> None:
    images, labels = random_images(4, (1, 8, 8)).numpy(), np.array([0, 1, 1, 0])
    for name in ("one", "two"):
        export(tmp_path / name, "D", images, labels, ["a", "b"], ["npz", "folder"])
    files = [
        sorted(path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*")) for name in ("one", "two")
    ]
    assert files[0] == files[1]
    for file in files[0]:
        if (tmp_path / "one" / file).is_file():
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
