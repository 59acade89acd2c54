"""A search that ends early where its attempt is hopeless.

Most queries of a campaign go to images that no edit flips. How far the best edit is from the border tells them apart
soon: `docs/ATTACKS.md` has what was measured.
"""

from __future__ import annotations

import numpy as np

from ...encodings.pixels import Edits
from .base import Feedback, Problem, Search

MIN_PATIENCE = 2_000
"""Budget below which an attempt is as patient as with this one: a small budget is not cut further."""

UNKNOWN = 80.0
"""Margin from which on one tells nothing: a probability was 0, as classifiers have it that tell labels alone or round.
The logarithm of the smallest float32 is -87."""


class GivingUp:
    """A search that has nothing left to try once its best margin is above what the queries so far allow.

    After n of N queries that is N / n log-odds: a quarter of the budget must have led to within 4 of the border, half
    of it to within 2. N is at least ``MIN_PATIENCE``. While all margins are unknown, nothing says that it is hopeless.

    Args:
        search: What proposes the candidates.
        problem: Its attempt, with its budget.
    """

    def __init__(self, search: Search, problem: Problem) -> None:
        self.search, self._patience = search, max(problem.budget, MIN_PATIENCE)
        self._told, self._margin = 0, np.inf

    def ask(self) -> Edits:
        if self._margin < UNKNOWN and self._told * self._margin > self._patience:
            return np.empty((0, 0, 0), np.int16)
        return self.search.ask()

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        self._told += len(edits)
        self._margin = min(self._margin, float(feedback.margin.min()))
        self.search.tell(edits, feedback)
