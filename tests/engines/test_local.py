"""The engine of one machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from support import random_images, tiny_target
from torch import Tensor, nn

from evofool.engines.local import LocalEngine
from evofool.errors import ConfigError, TargetError
from evofool.targets.checked import CheckedTarget
from evofool.targets.torch_target import TorchTarget


class Answers:
    """A target without torch that returns what it is told to."""

    name, classes, image_shape = "odd", ["a", "b"], (3, 8, 8)

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def scores(self, images: Tensor) -> Any:
        return self.answer

    def confirm(self, images: Tensor) -> Any:
        return self.answer


class Keywords(Answers):
    """A target without torch that takes the keywords of torch's."""

    def scores(self, images: Tensor, *, checked: bool = True) -> Any:
        return self.answer

    def confirm(self, images: Tensor, *, rows: int | None = None, checked: bool = True) -> Any:
        return self.answer


class NotANumber(nn.Module):
    """A network whose first image of a batch is NaN for the first class."""

    def forward(self, images: Tensor) -> Tensor:
        logits = torch.zeros(len(images), 2, device=images.device)
        logits[0, 0] = float("nan")
        return logits


def test_a_module_s_scores_are_checked_when_they_are_read() -> None:
    target = TorchTarget(NotANumber(), classes=["a", "b"], image_shape=(3, 8, 8), name="odd", device="cpu")
    engine = LocalEngine(target)
    for scores in (engine.scores(random_images(2)), engine.confirm(random_images(2))):
        with pytest.raises(TargetError, match=r"target odd returned NaN or infinite scores.*`precision=float32`"):
            engine.check(scores)
        engine.check(scores[1:])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (torch.tensor([[float("nan"), 0.5]] * 2), "NaN or infinite"),
        (torch.tensor([[3.0, -1.0]] * 2), "must return probabilities, .*rows sum to 2 … 2 and its lowest value is -1"),
        (torch.tensor([[0.5, 0.4]] * 2), "rows sum to 0.9"),
        (torch.tensor([[1.5, -0.5]] * 2), "lowest value is -0.5"),
    ],
)
@pytest.mark.parametrize("method", ["scores", "confirm"])
@pytest.mark.parametrize("kind", [Answers, Keywords])
def test_a_target_without_torch_is_checked_at_once(
    kind: type[Answers], answer: Tensor, message: str, method: str
) -> None:
    with pytest.raises(TargetError, match=f"target odd .*{message}"):
        getattr(LocalEngine(kind(answer)), method)(random_images(2))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (torch.full((2, 3), 1 / 3), r"must return \(2, 2\) for 2 images and 2 classes, got \(2, 3\)"),
        (torch.full((1, 2), 0.5), r"got \(1, 2\)"),
        (0.5, r"got \(\)"),
        (None, "must return a tensor of scores, got NoneType"),
        ("scores", "must return a tensor of scores, got str"),
        ([[0.5], [0.5, 0.5]], "must return a tensor of scores, got list"),
    ],
)
@pytest.mark.parametrize("kind", [Answers, Keywords])
def test_what_is_no_row_of_scores_an_image_is_refused(kind: type[Answers], answer: Any, message: str) -> None:
    with pytest.raises(TargetError, match=f"target odd .*{message}"):
        LocalEngine(kind(answer)).scores(random_images(2))


@pytest.mark.parametrize("answer", [np.full((2, 2), 0.5), [[0.5, 0.5]] * 2, torch.full((2, 2), 0.5).double()])
def test_arrays_and_lists_of_any_precision_become_float32(answer: Any) -> None:
    scores = LocalEngine(Answers(answer)).scores(random_images(2))
    assert scores.dtype == torch.float32
    assert scores.tolist() == [[0.5, 0.5]] * 2


@pytest.mark.parametrize(("precision", "exact"), [("float32", True), ("bfloat16", False)])
def test_a_module_s_engine_has_its_device_precision_and_rows(precision: str, exact: bool) -> None:
    target = tiny_target(precision=precision, micro_batch=8)
    engine = LocalEngine(target)
    assert (engine.device, engine.exact, engine.rows) == (torch.device("cpu"), exact, 8)
    images = random_images(5)
    assert torch.equal(engine.confirm(images, 3), target.confirm(images, rows=3))
    target.apply(target.execution.__class__("float32", "contiguous", 2))
    assert engine.rows == 2  # as when memory ran out


def test_an_object_that_says_nothing_runs_on_the_cpu_in_float32() -> None:
    engine = LocalEngine(Answers(None))
    assert (engine.device, engine.exact, engine.rows) == (torch.device("cpu"), True, 64)


@pytest.mark.parametrize("method", ["scores", "confirm"])
def test_scores_with_gradients_are_detached(method: str) -> None:
    scores = getattr(LocalEngine(Answers(torch.full((2, 2), 0.5, requires_grad=True))), method)(random_images(2))
    assert not scores.requires_grad


class Fails(Answers):
    """A target that raises what it is told to."""

    def scores(self, images: Tensor) -> Any:
        raise self.answer

    confirm = scores


@pytest.mark.parametrize("method", ["scores", "confirm"])
@pytest.mark.parametrize(
    ("error", "line"), [(ValueError("no session\nin two lines"), "no session"), (KeyError(), "KeyError")]
)
def test_what_a_target_raises_is_told_with_its_name(error: Exception, line: str, method: str) -> None:
    with pytest.raises(TargetError, match=rf"^target odd failed on \(3, 8, 8\) images: {line}$") as caught:
        getattr(LocalEngine(Fails(error)), method)(random_images(2))
    assert caught.value.__cause__ is error


def test_evofool_s_own_errors_stay_as_they_are() -> None:
    with pytest.raises(ConfigError, match=r"^mine$"):
        LocalEngine(Fails(ConfigError("mine"))).scores(random_images(2))


class Elsewhere(Answers):
    """A target that notes the images that it was given."""

    device = "cpu"

    def scores(self, images: Tensor) -> Any:
        self.images = images
        return torch.full((len(images), 2), 0.5)

    confirm = scores


@pytest.mark.parametrize("method", ["scores", "confirm"])
def test_images_on_the_target_s_device_are_not_copied(method: str) -> None:
    images, target = random_images(2), Elsewhere(None)
    getattr(LocalEngine(target), method)(images)
    assert target.images is images


@pytest.mark.parametrize("method", ["scores", "confirm"])
def test_images_are_moved_to_the_target_s_device(method: str) -> None:
    target = Elsewhere(None)
    engine = CheckedTarget(target)
    engine.device = torch.device("meta")
    with pytest.raises(RuntimeError):  # scores on meta hold nothing that could be checked
        getattr(engine, method)(random_images(2))
    assert target.images.device.type == "meta"


@pytest.mark.parametrize("device", ["cuda", "auto", "abacus", 5])
def test_a_device_that_is_not_there_is_told_with_the_target_s_name(
    device: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    target = Answers(None)
    target.device = device  # type: ignore[attr-defined]
    with pytest.raises(TargetError, match=f"target odd takes its images on device '{device}', .*set its `device`"):
        LocalEngine(target)
