"""Every argument of a target takes what Python users have, and what can't be is named."""

from __future__ import annotations

import inspect
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from plain_values import WHOLE
from support import tiny_network

import evofool
from evofool import Target
from evofool.errors import EvofoolError, TargetError

TARGET: dict[str, list[tuple[str, Any]]] = {
    "classes": [("array", np.array(list("abcd"))), ("generator", (name for name in "abcd")), ("tuple", tuple("abcd"))],
    "image_shape": [
        ("array", np.array([3, 8, 8])), ("tensor", torch.tensor([3, 8, 8])), ("size", torch.zeros(3, 8, 8).shape),
        ("numbers", (np.int64(3), np.uint8(8), torch.tensor(8))), ("list", [3, 8, 8]),
    ],
    "mean": [
        ("float32", np.float32(0.5)), ("0-d array", np.array(0.5)), ("0-d tensor", torch.tensor(0.5)),
        ("array", np.full(3, 0.5, np.float32)), ("tensor", torch.full((3,), 0.5)),
        ("list", [0.5, np.float32(0.5), 0.5]),
        ("(C, 1, 1)", torch.full((3, 1, 1), 0.5)), ("(1, C, 1, 1)", np.full((1, 3, 1, 1), 0.5)),
        ("with gradients", torch.full((3,), 0.5, requires_grad=True)), ("fraction", Fraction(1, 2)),
    ],
    "std": [
        ("float32", np.float32(0.5)), ("0-d tensor", torch.tensor(0.5)),
        ("(1, C, 1, 1)", torch.full((1, 3, 1, 1), 0.5)),
    ],
    "name": [("str_", np.str_("tiny"))],
    "outputs": [("str_", np.str_("logits"))],
    "device": [("device", torch.device("cpu")), ("str_", np.str_("cpu"))],
    "precision": [("dtype", torch.float32)],
    "micro_batch": [(name, make(16)) for name, make in WHOLE.items()],
    "resize": [(name, make(8)) for name, make in WHOLE.items()],
    "memory_format": [("format", torch.contiguous_format), ("channels", torch.channels_last)],
    "fold": [("bool_", np.False_)],
    "parallel": [("bool_", np.True_)],
}  # fmt: skip


def target_of(**given: Any) -> Target:
    usual = {"classes": list("abcd"), "image_shape": (3, 8, 8), "mean": 0.5, "std": 0.5, "name": "tiny"}
    return Target(tiny_network(), **{**usual, "device": "cpu", "precision": "float32", "micro_batch": 16, **given})


def test_every_argument_of_a_target_is_tried_below() -> None:
    assert TARGET.keys() == inspect.signature(Target).parameters.keys() - {"module"}


@pytest.mark.parametrize(
    ("name", "given"),
    [pytest.param(name, given, id=f"{name} {way}") for name, ways in TARGET.items() for way, given in ways],
)
def test_every_argument_of_a_target_takes_values_as_users_have_them(name: str, given: Any) -> None:
    target, usual = target_of(**{name: given}), target_of()
    images = torch.arange(3 * 8 * 8, dtype=torch.uint8).reshape(1, 3, 8, 8)
    torch.testing.assert_close(target.confirm(images), usual.confirm(images))
    described = (target.name, target.classes, target.image_shape, target.precision, target.micro_batch)
    assert described == ("tiny", list("abcd"), (3, 8, 8), "float32", 16)
    assert {type(edge) for edge in target.image_shape} == {int}
    assert {type(text) for text in (target.name, *target.classes)} == {str}
    assert type(target.micro_batch) is int


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": 3}, "`name` must be text, got 3"),
        ({"image_shape": (3, 8.0, 8)}, "tiny: `image_shape` must be (1 or 3 channels, height, width), got [3, 8.0, 8]"),
        ({"image_shape": 8}, "tiny: `image_shape` must be (1 or 3 channels, height, width), got 8"),
        ({"classes": range(4)}, "tiny: `classes` must be the name of every output, in order; got [0, 1, 2, 3]"),
        ({"classes": 4}, "tiny: `classes` must be the name of every output, in order; got 4"),
        ({"mean": "imagenet"}, "tiny: `mean` must be numbers, got 'imagenet'"),
        ({"std": None}, "tiny: `std` must be numbers, got None"),
        ({"mean": torch.zeros(2)}, "tiny: `mean` needs 1 or 3 values, got 2"),
        ({"micro_batch": 1.5}, "`micro_batch` must be a whole number of at least 1, got 1.5"),
        ({"resize": 7}, "`resize` must be at least 8, the shorter side of the images, got 7"),
        ({"resize": 8.5}, "`resize` must be a whole number, got 8.5"),
        ({"fold": "yes"}, '`fold` must be true or false, got "yes"'),
        ({"parallel": 2}, "`parallel` must be true or false, got 2"),
        ({"device": 0}, "`device` must be text, got 0"),
    ],
)
def test_what_a_target_can_not_have_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(EvofoolError) as caught:
        target_of(**given)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "given",
    [
        {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]},
        {"mean": [103.939, 116.779, 123.68], "std": 1},
        {"mean": 0, "std": 255},
        {"mean": 127.5, "std": 0.5},
        {"mean": -127.5, "std": 0.5},
    ],
)
def test_a_mean_and_std_for_pixels_up_to_255_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(
        TargetError, match=r"`mean` and `std` must be for pixels in \[0, 1\], got .*; divide both by 255"
    ):
        target_of(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"mean": 0.0, "std": 1 / 255},
        {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
        {"mean": -1, "std": 2},
    ],
)
def test_a_mean_and_std_for_pixels_up_to_1_are_taken(given: dict[str, Any]) -> None:
    target_of(**given)


class Described:
    """A target of a user's own."""

    def __init__(self, **given: Any) -> None:
        self.name, self.classes, self.image_shape = "own", ["a", "b"], (3, 8, 8)
        vars(self).update(given)

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        return torch.full((len(images), 2), 0.5)

    confirm = scores


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"image_shape": tuple(np.array([3, 8, 8]))}, "must be a tuple of int, got .*; make it (3, 8, 8)"),
        ({"classes": np.array(["a", "b"])}, "must be a list of str, got ndarray; make it ['a', 'b']"),
    ],
)
def test_an_object_of_one_s_own_is_told_what_to_make_of_its_arrays(given: dict[str, Any], message: str) -> None:
    before, after = message.split(".*") if ".*" in message else (message, "")
    with pytest.raises(TargetError) as caught:
        evofool.evolve(Described(**given), "direct", generations=1)
    assert before in str(caught.value)
    assert str(caught.value).endswith(after)


def test_a_named_target_takes_values_as_users_have_them() -> None:
    target = evofool.load_target(
        np.str_("digits"),
        device=torch.device("cpu"),
        precision=torch.float32,
        micro_batch=np.int64(8),  # type: ignore[arg-type]
    )
    assert isinstance(target, Target)
    assert (target.precision, target.micro_batch) == ("float32", 8)


def test_a_checkup_takes_values_as_users_have_them() -> None:
    checkup = evofool.check_target(np.str_("digits"), device=torch.device("cpu"), count=np.int64(3))
    assert (checkup.target, checkup.findings) == ("digits", ())


@pytest.mark.parametrize("classes", [range(4), np.arange(4), torch.arange(4), [0, 1, 2, 3], {0, 1, 2, 3}])
def test_whole_numbers_are_indices_whatever_classes_are_called(classes: Any) -> None:
    target = target_of(classes=["1", "2", "3", "4"])
    assert evofool.evolve(target, "direct", classes=classes, generations=1, batch=4).indices.tolist() == [0, 1, 2, 3]
