"""A target that fails in the middle costs nothing; one that is out of memory goes on in smaller parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from campaigns import archive, assert_same_campaign, outcome_lines
from runs import LONG, Killed, assert_same_run
from torch import Tensor, nn

import evofool
from evofool import Target
from evofool.errors import TargetError

Fault = Callable[[Tensor], object]


def fine(_: Tensor) -> None:
    pass


class Fragile(nn.Module):
    """A network of small whole numbers: its sums are exact, so that no row depends on how many come with it.

    Args:
        fault: Called with each batch.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randint(-8, 9, (192, 4), generator=generator) / 1024)
        self.fault = fault

    def forward(self, images: Tensor) -> Tensor:
        self.fault(images)
        return images.flatten(1) @ self.weight


def fragile(fault: Fault = fine, **options: Any) -> Target:
    options = {"device": "cpu", "precision": "float32", "micro_batch": 32, "name": "fragile", **options}
    return Target(Fragile(fault), classes=list("abcd"), image_shape=(3, 8, 8), std=1 / 255, **options)


def at(call: int, error: BaseException) -> Fault:
    """Return what raises an error at the n-th batch."""
    left = [call]

    def fault(_: Tensor) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise error

    return fault


def larger_than(rows: int) -> Fault:
    """Return a device that has memory for so many rows."""

    def fault(images: Tensor) -> None:
        if len(images) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    return fault


def sometimes(seed: int) -> Fault:
    """Return a device whose memory others use too: there is too little at five random moments."""
    due, seen = set(np.random.default_rng(seed).choice(8, 5, replace=False).tolist()), [0]

    def fault(images: Tensor) -> None:
        seen[0] += 1
        if seen[0] - 1 in due and len(images) > 1:
            raise torch.OutOfMemoryError("out of memory")

    return fault


def evolve(out: Path, target: Target) -> object:
    return evofool.evolve(target, "direct", generations=6, batch=40, out=out)


def attack(out: Path, target: Target) -> object:
    data = out.parent / "images.npz"
    if not data.exists():
        archive(data, 24, fragile())
    return evofool.attack(target, data, count=6, criterion="all", queries=60, include_misclassified=True, out=out)


COMMANDS = {"evolve": (evolve, assert_same_run), "attack": (attack, assert_same_campaign)}


def assert_same_but_for_the_parts(ours: Path, theirs: Path) -> None:
    """Check for the same, but that a campaign's config tells the rows of a batch: choosing images may lower them."""
    if (theirs / "outcomes.jsonl").exists():
        assert outcome_lines(ours) == outcome_lines(theirs)
    else:
        assert_same_run(ours, theirs)


ERRORS: dict[str, tuple[BaseException, type[BaseException]]] = {
    "runtime error": (RuntimeError("boom\nat line 5"), TargetError),
    "value error": (ValueError("boom"), TargetError),
    "interrupt": (KeyboardInterrupt(), KeyboardInterrupt),
    "killed": (Killed(), Killed),
}
"""What a target may raise, and what then comes out of the job."""


def calls(command: Callable[[Path, Target], object], folder: Path) -> int:
    """Return how many batches a command needs."""
    seen = [0]

    def count(_: Tensor) -> None:
        seen[0] += 1

    command(folder, fragile(count))
    return seen[0]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("error", ERRORS)
def test_a_target_that_fails_in_the_middle_loses_nothing(error: str, name: str, tmp_path: Path) -> None:
    command, assert_same = COMMANDS[name]
    (raised, expected), begun = ERRORS[error], False
    needed = calls(command, tmp_path / "whole")
    numbers = np.random.default_rng(0).permutation(np.arange(1, needed))[: None if LONG else 4].tolist()
    for call in [*numbers, needed]:
        run = tmp_path / f"at {call}"
        with pytest.raises(expected) as caught:
            command(run, fragile(at(call, raised)))
        if expected is TargetError:
            message, _, way_back = str(caught.value).partition("; ")
            assert message == "target fragile failed on (3, 8, 8) images: boom"
            assert not way_back or "is kept: go on with" in way_back
        begun = (run / "config.json").exists()  # else it had not begun, and nothing is there
        if begun:
            with pytest.raises(expected):
                evofool.resume(run, target=fragile(at(1, raised)))
            evofool.resume(run, target=fragile())
        else:
            assert not run.exists()
            command(run, fragile())
        assert_same(run, tmp_path / "whole")
    assert begun


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("rows", [1, 7, 15])
def test_a_device_with_little_memory_gives_the_same_in_smaller_parts(rows: int, name: str, tmp_path: Path) -> None:
    command, _ = COMMANDS[name]
    command(tmp_path / "whole", fragile())
    target = fragile(larger_than(rows))
    command(tmp_path / "a", target)
    assert target.micro_batch < 32
    assert_same_but_for_the_parts(tmp_path / "a", tmp_path / "whole")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("seed", range(50 if LONG else 3))
def test_out_of_memory_at_random_moments_it_goes_on(seed: int, name: str, tmp_path: Path) -> None:
    """Five halvings leave one row of the thirty-two."""
    command, _ = COMMANDS[name]
    command(tmp_path / "whole", fragile())
    target = fragile(sometimes(seed))
    command(tmp_path / "a", target)
    assert target.micro_batch < 32
    assert_same_but_for_the_parts(tmp_path / "a", tmp_path / "whole")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_device_without_memory_for_one_image_says_so_and_loses_nothing(name: str, tmp_path: Path) -> None:
    command, assert_same = COMMANDS[name]
    needed = calls(command, tmp_path / "whole")
    seen = [0]

    def fault(_: Tensor) -> None:
        seen[0] += 1
        if seen[0] > needed // 2:
            raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(TargetError, match="cpu is out of memory for a single image of fragile; try `device=cpu`"):
        command(tmp_path / "a", fragile(fault))
    evofool.resume(tmp_path / "a", target=fragile())
    assert_same(tmp_path / "a", tmp_path / "whole")
