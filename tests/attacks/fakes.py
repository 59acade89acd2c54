"""Searches and scores that are made up, for attempts without a network."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from support import tiny_network
from torch import Tensor, nn

from evofool.attacks.attempt import Attempt
from evofool.attacks.scorer import Scored
from evofool.attacks.searches import Feedback
from evofool.encodings.pixels import Edits
from evofool.targets.torch_target import Target


def candidates(numbers: Iterable[int]) -> Edits:
    """One single-pixel edit for each number, which tells them apart."""
    numbers = list(numbers)
    edits = np.zeros((len(numbers), 1, 5), np.int16)
    edits[:, 0, 0] = numbers
    return edits


def numbers_of(edits: Edits) -> list[int]:
    return [int(number) for number in edits[:, 0, 0]]


class Script:
    """A search that proposes prepared generations, then nothing; ``told`` is what came back to it."""

    def __init__(self, generations: Iterable[Edits]) -> None:
        self._left = iter(generations)
        self._nothing = np.empty((0, 1, 5), np.int16)
        self.generated = 0
        self.told: list[tuple[Edits, list[float], list[float]]] = []

    def generate(self) -> Edits:
        self.generated += 1
        return next(self._left, self._nothing)

    def update(self, edits: Edits, feedback: Feedback) -> None:
        self.told.append((edits.copy(), feedback.margin.tolist(), feedback.fitness.tolist()))


def script(*generations: Iterable[int]) -> Script:
    return Script([candidates(numbers) for numbers in generations])


def scored(margin: Sequence[float], fitness: Sequence[float] = (), confirmed: Sequence[bool] = ()) -> Scored:
    """What a scorer would give for rows with these margins."""
    n = len(margin)
    return Scored(
        np.array(margin, np.float32),
        np.array(fitness if len(fitness) else margin, np.float32),
        np.zeros((n, 1), np.int64),
        np.ones((n, 1), np.float32),
        np.array(confirmed if len(confirmed) else [False] * n),
        np.zeros((n, 0), np.float32),
    )


def drive(
    attempt: Attempt,
    margin: Callable[[int], float],
    fitness: Callable[[int], float] | None = None,
    confirmed: Callable[[int], bool] = lambda _: False,
) -> list[list[int]]:
    """Score an attempt's slices until it stops; gives them as numbers."""
    slices = []
    while len(edits := attempt.next_slice()):
        numbers = numbers_of(edits)
        slices.append(numbers)
        values = [margin(number) for number in numbers]
        low = [(fitness or margin)(number) for number in numbers]
        attempt.take(edits, scored(values, low, [confirmed(number) for number in numbers]))
        assert len(slices) < 10_000
    return slices


class Watched(nn.Module):
    """The tests' tiny network, with a note of every forward pass."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.network = tiny_network(**options)
        self.shapes: list[tuple[int, ...]] = []
        self.dtypes: list[torch.dtype] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> Watched:
        """A target's fast copy keeps the same notes."""
        twin = Watched()
        twin.network = copy.deepcopy(self.network, memo)
        twin.shapes, twin.dtypes = self.shapes, self.dtypes
        return twin

    def forward(self, x: Tensor) -> Tensor:
        self.shapes.append(tuple(x.shape))
        self.dtypes.append(x.dtype)
        result: Tensor = self.network(x)
        return result

    def target(self, **options: Any) -> Target:
        settings: dict[str, Any] = {
            "classes": [f"class {index}" for index in range(4)],
            "image_shape": (3, 8, 8),
            "mean": 0.5,
            "std": 0.25,
            "device": "cpu",
            "precision": "float32",
        }
        return Target(self, **(settings | options))
