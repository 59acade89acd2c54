"""What a search for pixel edits is: how one attempt looks for them, in ask-tell form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from deap.base import Toolbox
from numpy.typing import NDArray

from ...encodings.pixels import Edits, Pixels


@dataclass(frozen=True)
class Feedback:
    """What N candidates scored. Lower is better in both.

    Attributes:
        margin: (N,) float32, the log-odds by which the criterion is missed; below 0 it is reached. Untargeted: log of
            the true class's probability over that of the best other class. Targeted: log of the best other class's
            probability over that of the class to reach.
        fitness: (N,) float32, the probability that the papers minimise: the true class's, or 1 minus that of the class
            to reach.
    """

    margin: NDArray[np.float32]
    fitness: NDArray[np.float32]


@dataclass(frozen=True)
class Problem:
    """What a search is given when its attempt starts.

    Attributes:
        space: The edits that it searches.
        image: (C, H, W), the image under attack.
        budget: Most queries of the attempt.
        rng: The attempt's own generator, so that no attempt depends on another.
        toolbox: The operators ``random mutate mate select``, as far as the strategy has them; looked up at every step.
            ``search`` starts the search of an attempt.
        start: (0 or 1, j, 2 + C) edits with j ≤ k pixels to start from: the best of an attempt with fewer pixels.
    """

    space: Pixels
    image: NDArray[np.uint8]
    budget: int
    rng: np.random.Generator
    toolbox: Toolbox
    start: Edits


class Search(Protocol):
    """Proposes candidates and takes what they scored, until someone stops it."""

    def ask(self) -> Edits:
        """Return the next candidates (N, k, 2 + C); none when the search has nothing left to try."""
        ...

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        """Take what all candidates of the last :meth:`ask` scored."""
        ...
