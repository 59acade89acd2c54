"""A search that ends early where its attempt is hopeless.

Most queries of a campaign go to images that no edit flips. How far the best edit is from the border tells them apart
soon: `docs/ATTACKS.md` has what was measured.
"""

from __future__ import annotations

import numpy as np

from ...encodings.pixels import Edits
from .base import Feedback, Problem, Search


class GivingUp:
    """A search that has nothing left to try once its best margin is above what the queries so far allow.

    After n of N queries that is N / n log-odds: a quarter of the budget must have led to within 4 of the border, half
    of it to within 2.

    Args:
        search: What proposes the candidates.
        problem: Its attempt, whose budget is N.
    """

    def __init__(self, search: Search, problem: Problem) -> None:
        self.search, self.budget = search, problem.budget
        self._told, self._margin = 0, np.inf

    def ask(self) -> Edits:
        if self._told * self._margin > self.budget:
            return np.empty((0, 0, 0), np.int16)
        return self.search.ask()

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        self._told += len(edits)
        self._margin = min(self._margin, float(feedback.margin.min()))
        self.search.tell(edits, feedback)
