"""What an archive keeps of its elites' probabilities of all classes.

The next guesses of a picture, the emitter ``restart`` and the check that a target gives the same scores again read
them. They are kept whole up to ``WHOLE`` classes. Of more, every elite's highest are kept, so that memory and
checkpoints grow in proportion to the classes and not to their square.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..encodings.base import Indices
from .states import State

WHOLE = 1024
"""Largest number of classes of which all probabilities are kept: 4 kB an elite."""

HIGHEST = 64
"""How many probabilities are kept of each elite where there are more classes: 0.5 kB an elite."""


def bytes_per_elite(class_count: int) -> int:
    """Return how many bytes the probabilities of an elite take."""
    return 4 * class_count if class_count <= WHOLE else 8 * HIGHEST


class KeptScores:
    """The probabilities of N niches.

    Args:
        niche_count: The number N of niches.
        class_count: The number K of classes.
        device: Where they are kept.

    Attributes:
        values: (N, W) float32. Where there are at most ``WHOLE`` classes, W is K and a row has the probability of each
            class. Else W is ``HIGHEST`` and a row has the highest ones, the highest first.
        classes: (N, W) int32. The class of each value, None where a row has all classes.
    """

    def __init__(self, niche_count: int, class_count: int, device: torch.device | str) -> None:
        self._class_count, whole = class_count, class_count <= WHOLE
        shape = (niche_count, class_count if whole else HIGHEST)
        self.values = torch.zeros(shape, device=device)
        self.classes = None if whole else torch.zeros(shape, dtype=torch.int32, device=device)

    def put(self, niches: Indices, scores: Tensor, rows: Indices) -> None:
        """Give niches (n,) the probabilities in rows (n,) of ``scores`` (B, K)."""
        at = self._on_device(niches)
        if self.classes is None:
            self.values[at] = scores[self._on_device(rows)]
            return
        children, child = np.unique(rows, return_inverse=True)  # a child may win thousands of niches
        values, classes = scores[self._on_device(children)].topk(HIGHEST, dim=1)
        child_of_niche = self._on_device(child)
        self.values[at], self.classes[at] = values[child_of_niche], classes.int()[child_of_niche]

    def adopt(self, other: KeptScores, niches: Indices) -> None:
        """Take what another one keeps of niches."""
        at = self._on_device(niches)
        self.values[at] = other.values[at]
        if self.classes is not None and other.classes is not None:
            self.classes[at] = other.classes[at]

    def clear(self, niches: Indices) -> None:
        """Forget the probabilities of niches."""
        at = self._on_device(niches)
        self.values[at] = 0.0
        if self.classes is not None:
            self.classes[at] = 0

    def top(self, k: int, niches: Indices) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the k classes with the highest probabilities in niches: indices (n, k) and probabilities (n, k)."""
        at = self._on_device(niches)
        if self.classes is None:
            values, classes = self.values[at].topk(min(k, self._class_count), dim=1)
        else:
            values, classes = self.values[at, :k], self.classes[at, :k].long()
        return classes.cpu().numpy(), values.cpu().numpy()

    def of_class(self, class_index: int, niches: Indices) -> NDArray[np.float64]:
        """Return the probability (n,) of a class in niches, 0 where it is not among those kept."""
        at = self._on_device(niches)
        if self.classes is None:
            values = self.values[at, class_index]
        else:
            values = self.values[at].mul(self.classes[at] == class_index).sum(1)
        return values.numpy(force=True).astype(np.float64)

    def beside(self, niches: Indices, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is kept (n, W) of niches, and what other probabilities (n, K) have in its place."""
        at = self._on_device(niches)
        return self.values[at], scores if self.classes is None else scores.gather(1, self.classes[at].long())

    def state(self) -> State:
        """Return copies of the arrays."""
        state = {"scores": self.values.numpy(force=True).copy()}
        if self.classes is not None:
            state["score_classes"] = self.classes.numpy(force=True).copy()
        return state

    def restore(self, state: State) -> None:
        """Take up what :meth:`state` returned.

        Raises:
            ValueError: A class is none of the target's.
        """
        if self.classes is not None:
            classes = state["score_classes"]
            if classes.min() < 0 or classes.max() >= self._class_count:
                raise ValueError(f"score_classes should be whole numbers from 0 to {self._class_count - 1}")
            self.classes = torch.from_numpy(classes.copy()).to(self.values.device)
        self.values = torch.from_numpy(state["scores"].copy()).to(self.values.device)

    def _on_device(self, rows: NDArray[np.integer[Any]]) -> Tensor:
        return torch.from_numpy(rows).to(self.values.device)


def own_scores(state: State, class_of_niche: Indices, otherwise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a state of :class:`KeptScores` has as the probability (N,) of every niche's own class.

    Args:
        state: The state.
        class_of_niche: (N,) The niches' classes.
        otherwise: (N,) What stands for a probability that is not among those kept.
    """
    values, classes = state["scores"], state.get("score_classes")
    if classes is None:
        whole: NDArray[np.float32] = values[np.arange(len(values)), class_of_niche]
        return whole
    own = classes == class_of_niche[:, None]
    return np.where(own.any(1), np.where(own, values, 0).max(1), otherwise)
