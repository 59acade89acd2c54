"""One search that settles several criteria of an image at once: every candidate counts for each of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..encodings.pixels import Edits
from .attempt import AttemptResult, BestCandidate, Stopped, slice_size
from .candidates import CandidateScores
from .criterion import SUCCESS_MARGIN, Criterion
from .margins import margins_to_all
from .searches.base import Feedback, Search


class Sweep:
    """Like :class:`~evofool.attacks.attempt.Attempt`, but with many classes to reach, by a search that ignores scores.

    Its scores must be those that go on record, for none is confirmed.

    Args:
        criteria: G targeted criteria.
        search: Proposes candidates, never the same twice.
        budget: Most queries.
    """

    criterion = Criterion()
    """What single margins are about. A sweep doesn't look at them: it has the whole score vectors."""

    confirm_below = 0.0
    """See :class:`~evofool.attacks.attempt.Attempt`; nothing of a sweep has a fast score."""

    def __init__(self, criteria: list[Criterion], search: Search, budget: int) -> None:
        self.criteria, self.search, self.budget = criteria, search, budget
        self.queries = 0
        self.stopped: Stopped | None = None
        self._classes = np.array([criterion.target_class for criterion in criteria], np.int64)
        self._queries_to_success = np.zeros(len(criteria), np.int64)  # 0 where there was no success yet
        self._best: list[BestCandidate | None] = [None] * len(criteria)
        self._edits: Edits = np.empty((0, 0, 0), np.int16)
        self._sent = 0

    def next_slice(self) -> Edits:
        """Return the next candidates (N, k, 2 + C) to be scored; none when the sweep has stopped."""
        if self._sent == len(self._edits) and self.stopped is None:
            if len(self._edits):
                zeros = np.zeros(len(self._edits), np.float32)
                self.search.tell(self._edits, Feedback(zeros, zeros))
            self._edits, self._sent = self.search.ask(), 0
        left = self.budget - self.queries
        if self.stopped is None and (left <= 0 or not len(self._edits)):
            self.stopped = "budget" if len(self._edits) else "exhausted"
        if self.stopped is not None:
            return self._edits[:0]
        edits = self._edits[self._sent : self._sent + slice_size(left, self.queries)]
        self._sent += len(edits)
        return edits

    def take(self, edits: Edits, scores: CandidateScores) -> None:
        """Take the scores of the last slice."""
        margins = margins_to_all(scores.scores)[:, self._classes]
        reached = margins < -SUCCESS_MARGIN
        first_time = reached.any(0) & (self._queries_to_success == 0)
        self._queries_to_success[first_time] = self.queries + reached[:, first_time].argmax(0) + 1
        self.queries += len(edits) + int(scores.confirmed.sum())
        for number, row in enumerate(margins.argmin(0).tolist()):
            best, margin = self._best[number], float(margins[row, number])
            if best is None or margin < best.margin:
                fitness = 1 - float(scores.scores[row, self._classes[number]])
                self._best[number] = replace(BestCandidate.of_row(edits, scores, row), margin=margin, fitness=fitness)

    def results(self) -> list[AttemptResult]:
        """Return how the sweep ended, criterion by criterion."""
        assert self.stopped is not None
        return [
            AttemptResult(
                criterion,
                best,
                self.queries,
                int(queries) or None,
                "reached" if queries else self.stopped,
                shared=len(self.criteria),
            )
            for criterion, best, queries in zip(self.criteria, self._best, self._queries_to_success, strict=True)
        ]
