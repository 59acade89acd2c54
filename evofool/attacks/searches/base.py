"""What a search for pixel edits is: one attempt's strategy, in DEAP's ask-tell words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from deap import base
from numpy.typing import NDArray

from ...encodings.pixels import Edits, Pixels


@dataclass(frozen=True)
class Feedback:
    """What scoring N candidates gave; lower is better in both.

    Attributes:
        margin: (N,) float32, log-odds by which the criterion is missed: below 0 it is reached. Untargeted: log of the
            true class's probability over that of the best other; targeted: of the best other over the criterion's.
        fitness: (N,) float32, the probability the papers minimise: the true class's, or 1 minus the criterion's.
    """

    margin: NDArray[np.float32]
    fitness: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.margin)


@dataclass(frozen=True)
class Brief:
    """What a search is told when its attempt starts."""

    space: Pixels
    image: NDArray[np.uint8]
    """(C, H, W), the image under attack"""
    queries: int
    """budget of the attempt"""
    rng: np.random.Generator
    """the attempt's own, so that no attempt depends on another"""
    toolbox: base.Toolbox
    """operators, looked up at every step: ``random mutate mate select``"""
    start: Edits
    """(0 or more, j, 2 + C) edits with j ≤ k pixels to start from: the best that an attempt with fewer pixels found"""


class Search(Protocol):
    """Proposes candidates and takes what scoring them gave, until someone stops it."""

    def generate(self) -> Edits:
        """The next candidates, (N, k, 2 + C); none when the search has nothing left to try."""
        ...

    def update(self, edits: Edits, feedback: Feedback) -> None:
        """Take the outcome of all candidates of the last :meth:`generate`."""
        ...
