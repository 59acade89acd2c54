"""The engine of one machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from support import random_images, tiny_target
from torch import Tensor

from evofool.engines.local import LocalEngine
from evofool.errors import TargetError


class Answers:
    """A target without torch that returns what it is told to."""

    name, classes, image_shape = "odd", ["a", "b"], (3, 8, 8)

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def scores(self, images: Tensor) -> Any:
        return self.answer

    def confirm(self, images: Tensor) -> Any:
        return self.answer


class Deferring(Answers):
    """A target that leaves it to others to look at its scores."""

    def scores(self, images: Tensor, *, checked: bool = True) -> Any:
        assert not checked
        return self.answer

    def confirm(self, images: Tensor, *, rows: int | None = None, checked: bool = True) -> Any:
        assert not checked
        return self.answer


def test_it_waits_for_nobody_and_checks_later() -> None:
    bad = torch.tensor([[0.5, 0.5], [float("nan"), 0.5]])
    engine = LocalEngine(Deferring(bad))
    for scores in (engine.scores(random_images(2)), engine.confirm(random_images(2))):
        for part in (scores, scores[:, 0]):
            with pytest.raises(TargetError, match=r"target odd returned NaN or infinite scores.*`precision=float32`"):
                engine.check(part)
        engine.check(scores[:, 1])


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
def test_a_target_that_checks_nothing_is_checked_at_once(answer: Tensor, message: str, method: str) -> None:
    with pytest.raises(TargetError, match=f"target odd .*{message}"):
        getattr(LocalEngine(Answers(answer)), method)(random_images(2))


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
@pytest.mark.parametrize("kind", [Answers, Deferring])
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
