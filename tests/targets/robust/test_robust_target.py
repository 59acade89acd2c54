"""Scores under transformations: what they are, what they depend on, and what each one is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from support import random_images, tiny_network, tiny_target

from evofool import Ensemble, Target
from evofool.config.records import RobustRecord
from evofool.config.scoring import TRANSFORMATIONS
from evofool.engines.local import LocalEngine
from evofool.targets.itemised import items_of
from evofool.targets.robust.resampling import filtered, resized
from evofool.targets.robust.robust_target import RobustTarget
from evofool.targets.robust.transformations import photographed_again, views

CPU = torch.device("cpu")


def robust(how: str = "worst", draws: int = 2, seed: int = 0, target: Target | Ensemble | None = None) -> RobustTarget:
    return RobustTarget(target or tiny_target(), RobustRecord(how=how, to=TRANSFORMATIONS, draws=draws, seed=seed))


@pytest.mark.parametrize("how", ["worst", "mean"])
def test_the_score_is_the_lowest_or_the_mean_of_all_views(how: str) -> None:
    target, images = robust(how), random_images(5)
    seen = [images] + [
        view(images) for name in TRANSFORMATIONS for view in views(name, (3, 8, 8), 2, 0, CPU)
    ]  # fmt: skip
    scores = torch.stack([tiny_target().confirm(each) for each in seen])
    expected = scores.amin(0) if how == "worst" else scores.mean(0)
    assert torch.allclose(LocalEngine(target).confirm(images), expected, atol=1e-6)


@pytest.mark.parametrize("name", TRANSFORMATIONS)
@pytest.mark.parametrize("shape", [(3, 32, 24), (1, 8, 8)], ids=str)
def test_a_view_is_one_of_the_image_alone_and_changes_it(name: str, shape: tuple[int, int, int]) -> None:
    images = random_images(7, shape)
    for view in views(name, shape, 3, 1, CPU):
        together = view(images)
        assert (together.shape, together.dtype) == (images.shape, torch.uint8)
        assert not torch.equal(together, images)
        alone = torch.cat([view(image[None]) for image in images])
        assert torch.equal(together, alone)
        assert torch.equal(view(images.to(memory_format=torch.channels_last)), together)


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_draws_depend_on_the_seed_and_are_apart(name: str) -> None:
    images = random_images(1, (3, 32, 32))
    first, again, other = (
        torch.cat([view(images) for view in views(name, (3, 32, 32), 4, seed, CPU)]) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len({image.numpy().tobytes() for image in first}) == 4


@pytest.mark.parametrize("wanted", [(20, 9), (40, 50)])
def test_resizing_is_pillows(wanted: tuple[int, int]) -> None:
    image = random_images(1, (3, 24, 30))
    rows, columns = resized(24, wanted[0]), resized(30, wanted[1])
    ours = filtered(image.float(), rows, columns)[0].round().numpy()
    picture = Image.fromarray(image[0].permute(1, 2, 0).numpy())
    theirs = np.asarray(picture.resize(wanted[::-1], Image.Resampling.BILINEAR), float).transpose(2, 0, 1)
    inside = np.abs(ours - theirs)[:, 2:-2, 2:-2]  # Pillow leaves out what is beyond an edge, ours repeats the edge
    assert inside.max() <= 1


def test_a_shift_moves_and_repeats_the_edge() -> None:
    image = torch.arange(8.0).expand(1, 1, 8, 8)
    whole = resized(8, 8)
    assert filtered(image, whole, resized(8, 8, 2.0))[0, 0, 0].tolist() == [2, 3, 4, 5, 6, 7, 7, 7]
    assert filtered(image, whole, resized(8, 8, -0.5))[0, 0, 0].tolist() == [0, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]


def test_what_a_score_is_made_of_is_told_by_transformation_and_by_network() -> None:
    second = Target(tiny_network(seed=1), classes=list(tiny_target().classes), image_shape=(3, 8, 8), name="second",
                    device="cpu", precision="float32")  # fmt: skip
    both = Ensemble([tiny_target(), second])
    target, images = robust(target=both), random_images(3)
    (items,) = items_of(target, images.numpy()[1:2], [[2]])[0]
    assert list(items["networks"]) == ["tiny", "second"]
    assert list(items["robust"]) == ["unchanged", *TRANSFORMATIONS, "photographed again"]
    counted = {name: value for name, value in items["robust"].items() if name != "photographed again"}
    assert min(counted.values()) == pytest.approx(float(target.confirm(images)[1, 2]), abs=1e-6)
    assert min(items["networks"].values()) == pytest.approx(items["robust"]["unchanged"], abs=1e-6)
    chain = both.confirm(photographed_again((3, 8, 8), CPU)(images))[1, 2]
    assert items["robust"]["photographed again"] == pytest.approx(float(chain), abs=1e-6)
