"""Several targets as one: scores, classes matched by name, and what can't go together."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from plain import PlainTarget
from support import random_images, tiny_network, tiny_target
from torch import Tensor

import evofool
from evofool import Ensemble, Target
from evofool.engines.local import LocalEngine
from evofool.errors import ConfigError, TargetError
from evofool.targets.itemised import items_of
from evofool.targets.members import class_orders, weights_by_name

NAMES = [f"class {index}" for index in range(4)]


def other(classes: list[str] = NAMES, name: str = "other", **options: Any) -> Target:
    """A second network, with its classes in an order of its own."""
    given = {"classes": classes, "image_shape": (3, 8, 8), "device": "cpu", "precision": "float32", **options}
    return Target(tiny_network(classes=len(classes), seed=1), name=name, **given)


class Failing(PlainTarget):
    """A target that fails."""

    def scores(self, images: Tensor) -> Tensor:
        raise ValueError("no more memory")


@pytest.mark.parametrize("combine", ["min", "mean"])
def test_the_score_of_an_ensemble_is_the_lowest_or_the_mean_of_its_members(combine: str) -> None:
    first, second = tiny_target(), other(NAMES[::-1])
    images = random_images(9)
    ensemble = Ensemble([first, second], combine=combine)
    ours, theirs = first.confirm(images), second.confirm(images).flip(1)
    expected = torch.minimum(ours, theirs) if combine == "min" else (ours + theirs) / 2
    assert torch.equal(ensemble.scores(images), expected)
    assert torch.allclose(LocalEngine(ensemble).confirm(images, 4), expected, atol=1e-6)
    assert list(ensemble.classes) == NAMES
    assert ensemble.name == "tiny + other"


def test_what_a_score_is_made_of_does_not_depend_on_what_is_scored_beside_it() -> None:
    ensemble = Ensemble([tiny_target(), other(NAMES[::-1])])
    images = random_images(11).numpy()
    together = items_of(ensemble, images, [[1]] * 11)
    assert together == [items_of(ensemble, [image], [[1]])[0] for image in images]
    mine, theirs = together[3][0]["networks"].values()
    score = float(ensemble.confirm(random_images(11))[3, 1])
    assert min(mine, theirs) == pytest.approx(score, abs=1e-6)
    assert list(together[3][0]["networks"]) == ["tiny", "other"]


def test_classes_that_one_lacks_are_named() -> None:
    with pytest.raises(TargetError, match=r"other hasn't class 3 and tiny hasn't dog; .* the same classes"):
        Ensemble([tiny_target(), other([*NAMES[:3], "dog"])])


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([tiny_target()], "at least two targets, got 1"),
        ([tiny_target(), tiny_target()], "tiny is there twice"),
        ([tiny_target(), other(image_shape=(3, 8, 8)), tiny_target(1, name="grey")], "3 channels and grey of 8 x 8"),
        ([tiny_target(), "digits"], "must be a name, an evofool.Target or an object"),
    ],
)  # fmt: skip
def test_members_that_do_not_fit_are_refused(members: list[Any], words: str) -> None:
    with pytest.raises(TargetError, match=words):
        Ensemble(members)


def test_an_unknown_way_to_combine_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r'must be min or mean, got "maen" .did you mean "mean"'):
        Ensemble([tiny_target(), other()], combine="maen")


def test_a_member_that_fails_is_named() -> None:
    whole = PlainTarget("whole")
    with pytest.raises(TargetError, match=r"target broken failed on \(3, 8, 8\) images: no more memory"):
        Ensemble([whole, Failing("broken")]).scores(random_images(2))


def test_classes_that_share_a_name_are_matched_in_order() -> None:
    orders = class_orders({"one": ["crane", "crane", "cat"], "two": ["cat", "crane", "crane"]})
    assert orders == [None, [1, 2, 0]]


def test_weights_are_given_by_name() -> None:
    files = weights_by_name(["a", "a:b"], ("a:b=x=y", "a=z"))
    assert {name: str(file) for name, file in files.items()} == {"a:b": "x=y", "a": "z"}
    with pytest.raises(ConfigError, match="must name the one that they are for, as in `weights=a=FILE`, got c=x"):
        weights_by_name(["a", "b"], "c=x")


def test_a_list_of_objects_is_refused_with_what_to_give_instead() -> None:
    with pytest.raises(TargetError, match=r"of objects make one target, evofool.Ensemble"):
        evofool.evolve([tiny_target(), other()], "direct", generations=1)  # type: ignore[list-item]
