"""One search that settles several criteria of an image at once: every candidate counts for each of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..encodings.pixels import Edits
from .attempt import Best, Ended, Stopped, best_of, slice_size
from .criterion import NARROW, Criterion, margins_to_all
from .scorer import Scored
from .searches.base import Feedback, Search


class Sweep:
    """Like :class:`~evofool.attacks.attempt.Attempt` for a search that doesn't look at scores, with many target classes.

    Args:
        criteria: G target classes.
        search: proposes candidates, never the same twice.
        budget: queries at most.
    """

    criterion = Criterion(None)
    """what is watched while the search runs; the criteria' own margins come from the whole score vectors"""

    def __init__(self, criteria: list[Criterion], search: Search, budget: int) -> None:
        self.criteria, self.search, self.budget = criteria, search, budget
        self.columns = np.array([one.target for one in criteria], np.int64)
        self.queries = 0
        self.first = np.zeros(len(criteria), np.int64)
        """(G,) queries to success; 0 where there was none yet"""
        self.best: list[Best | None] = [None] * len(criteria)
        self.stopped: Stopped | None = None
        self._edits: Edits = np.empty((0, 0, 0), np.int16)
        self._sent = 0

    def next_slice(self) -> Edits:
        """The next candidates to be scored; none when the sweep has stopped."""
        if self._sent == len(self._edits) and self.stopped is None:
            if len(self._edits):
                nothing = np.zeros(len(self._edits), np.float32)
                self.search.update(self._edits, Feedback(nothing, nothing))
            self._edits, self._sent = self.search.generate(), 0
        left = self.budget - self.queries
        if self.stopped is None and (left <= 0 or not len(self._edits)):
            self.stopped = "budget" if len(self._edits) else "exhausted"
        if self.stopped is not None:
            return self._edits[:0]
        part = self._edits[self._sent : self._sent + slice_size(left, self.queries)]
        self._sent += len(part)
        return part

    def take(self, edits: Edits, scored: Scored) -> None:
        """Take what scoring the last slice gave."""
        margins = margins_to_all(scored.scores)[:, self.columns]
        reached = margins < -NARROW
        new = reached.any(0) & (self.first == 0)
        self.first[new] = self.queries + reached[:, new].argmax(0) + 1
        self.queries += len(edits) + int(scored.confirmed.sum())
        for which, row in enumerate(margins.argmin(0).tolist()):
            best, margin = self.best[which], float(margins[row, which])
            if best is None or margin < best.margin:
                fitness = 1 - float(scored.scores[row, self.columns[which]])
                self.best[which] = replace(best_of(edits, scored, row), margin=margin, fitness=fitness)

    def ended(self) -> list[Ended]:
        """What the sweep came to, criterion by criterion."""
        assert self.stopped is not None
        return [
            Ended(
                criterion,
                best,
                self.queries,
                int(first) or None,
                "reached" if first else self.stopped,
                shared=len(self.criteria),
            )
            for criterion, best, first in zip(self.criteria, self.best, self.first, strict=True)
        ]

    def unconfirmed(self) -> list[Best]:
        """None: a sweep is scored in float32."""
        return []

    def confirm(self, exact: list[Best]) -> None:
        """See :meth:`unconfirmed`."""
