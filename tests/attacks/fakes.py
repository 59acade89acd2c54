"""Searches and scores that are made up, for attempts without a network; and a network that notes its forward passes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from support import tiny_network
from torch import Tensor, nn

from evofool import Target
from evofool.attacks.attempt import Attempt
from evofool.attacks.candidates import CandidateScores
from evofool.attacks.searches.base import Feedback
from evofool.encodings.pixels import Edits


def candidates(numbers: Iterable[int]) -> Edits:
    """Return one single-pixel edit for each number, which tells them apart."""
    numbers = list(numbers)
    edits = np.zeros((len(numbers), 1, 5), np.int16)
    edits[:, 0, 0] = numbers
    return edits


def numbers_of(edits: Edits) -> list[int]:
    return [int(number) for number in edits[:, 0, 0]]


class Script:
    """A search that proposes prepared generations, then nothing.

    Attributes:
        asked: How often it was asked.
        answers: What it was told: the edits, their margins and their fitnesses.
    """

    def __init__(self, generations: Iterable[Edits]) -> None:
        self._left = iter(generations)
        self._nothing = np.empty((0, 1, 5), np.int16)
        self.asked = 0
        self.answers: list[tuple[Edits, list[float], list[float]]] = []

    def ask(self) -> Edits:
        self.asked += 1
        return next(self._left, self._nothing)

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        self.answers.append((edits.copy(), feedback.margin.tolist(), feedback.fitness.tolist()))


def script(*generations: Iterable[int]) -> Script:
    return Script([candidates(numbers) for numbers in generations])


def scored(margin: Sequence[float], fitness: Sequence[float] = (), confirmed: Sequence[bool] = ()) -> CandidateScores:
    """Return what a scorer would give for candidates with these margins."""
    n = len(margin)
    return CandidateScores(
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
    """Score an attempt's slices until it stops, and return them as numbers."""
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


class Foreign:
    """A target that is no torch module: it knows nothing but what the protocol asks for.

    It scores images with arithmetic in numpy, as one behind a network would.
    """

    name = "foreign"
    classes = ("dark", "bright")
    image_shape = (1, 4, 4)

    def scores(self, images: Tensor) -> Tensor:
        bright = images.numpy().astype(np.float32).mean((1, 2, 3)) / 255
        return torch.from_numpy(np.stack([1 - bright, bright], 1))

    def confirm(self, images: Tensor) -> Tensor:
        return self.scores(images)
