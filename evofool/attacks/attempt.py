"""One attempt: one image, one criterion, k pixels; its search, its budget, its best candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..encodings.pixels import Edits, keys
from .criterion import Criterion
from .scorer import Scored
from .searches.base import Feedback, Search

LEAST_SLICE, MOST_SLICE = 16, 256
"""rows of an attempt that are under way at once"""

SLICE_SHARE = 8
"""a slice is at most this fraction of the queries already spent: what a success in it wastes"""

STALE = 50
"""generations in a row without a single new candidate, after which a search has converged"""

Stopped = Literal["reached", "budget", "exhausted"]


@dataclass
class Best:
    """The best candidate of an attempt so far."""

    edits: Edits
    """(k, 2 + C)"""
    margin: float
    fitness: float
    top: NDArray[np.int64]
    confidence: NDArray[np.float32]
    confirmed: bool


@dataclass(frozen=True)
class Ended:
    """How an attempt ended, for one criterion."""

    criterion: Criterion
    best: Best | None
    """None where nothing was scored: the clean image reached the criterion"""
    queries: int
    queries_to_success: int | None
    stopped: Stopped
    shared: int = 1
    """criteria that the same queries settled"""


def best_of(edits: Edits, scored: Scored, row: int) -> Best:
    """A row of a slice as the best candidate."""
    return Best(
        edits[row],
        float(scored.margin[row]),
        float(scored.fitness[row]),
        scored.top[row],
        scored.confidence[row],
        bool(scored.confirmed[row]),
    )


def slice_size(left: int, queries: int) -> int:
    """Rows of the next slice, of a budget of which so much is left and so much is spent."""
    return min(left, MOST_SLICE, max(LEAST_SLICE, queries // SLICE_SHARE))


class Attempt:
    """The state of one attempt. What it does depends on nothing but its own search and scores.

    A generation is scored in slices, one under way at a time, so that a success stops the attempt inside a generation;
    candidates that were scored before are not scored again.

    Args:
        criterion: what is wanted.
        search: proposes the candidates.
        budget: queries at most.
        sure: go on after a success until the criterion's fitness is at most this; None stops at once.
        confirms: whether each candidate may cost a second query, that of its confirmation in float32.
    """

    def __init__(
        self, criterion: Criterion, search: Search, budget: int, sure: float | None = None, *, confirms: bool = False
    ) -> None:
        self.criterion, self.search, self.budget, self.sure, self.confirms = criterion, search, budget, sure, confirms
        self.queries = 0
        self.queries_to_success: int | None = None
        self.best: Best | None = None
        self.stopped: Stopped | None = None
        self._known: dict[bytes, tuple[float, float]] = {}
        self._edits: Edits = np.empty((0, 0, 0), np.int16)
        self._keys: list[bytes] = []
        self._fresh: list[int] = []
        self._sent = self._stale = 0

    def next_slice(self) -> Edits:
        """The next candidates to be scored; none when the attempt has stopped."""
        while self.stopped is None and self._sent == len(self._fresh):
            self._next_generation()
        left = self.budget - self.queries
        if self.confirms:
            left = max((left - 1) // 2, int(self.queries == 0))  # one is kept for the best candidate of a failure
        if self.stopped is None and left <= 0:
            self.stopped = "reached" if self.queries_to_success else "budget"
        if self.stopped is not None:
            return self._edits[:0]
        rows = self._fresh[self._sent : self._sent + slice_size(left, self.queries)]
        self._sent += len(rows)
        return self._edits[rows]

    def take(self, edits: Edits, scored: Scored) -> None:
        """Take what scoring the last slice gave."""
        margin, fitness, confirmed = scored.margin, scored.fitness, scored.confirmed
        done = self._sent - len(edits)
        for row, values in zip(self._fresh[done : self._sent], zip(margin, fitness, strict=True), strict=True):
            self._known[self._keys[row]] = (float(values[0]), float(values[1]))
        reached = np.array([self.criterion.reached(value) for value in margin.tolist()])
        if reached.any() and self.queries_to_success is None:
            first = int(reached.argmax())
            self.queries_to_success = self.queries + first + 1 + int(confirmed[: first + 1].sum())
        self.queries += len(edits) + int(confirmed.sum())
        value = fitness if self.sure is not None else margin
        found = best_of(edits, scored, int(np.lexsort((value, ~reached))[0]))
        if self.best is None or self._rank(found) < self._rank(self.best):
            self.best = found
        if self.queries_to_success is not None and (self.sure is None or self.best.fitness <= self.sure):
            self.stopped = "reached"

    def ended(self) -> list[Ended]:
        """What the attempt came to."""
        assert self.stopped is not None
        return [Ended(self.criterion, self.best, self.queries, self.queries_to_success, self.stopped)]

    def unconfirmed(self) -> list[Best]:
        """Best candidates whose scores are not float32's yet."""
        return [self.best] if self.best and not self.best.confirmed else []

    def confirm(self, exact: list[Best]) -> None:
        """Put float32's scores in place of those of :meth:`unconfirmed`, one more query each."""
        for best in exact:
            self.best = best
            self.queries += 1
            if self.criterion.reached(best.margin) and self.queries_to_success is None:
                self.queries_to_success, self.stopped = self.queries, "reached"

    def _rank(self, best: Best) -> tuple[bool, float]:
        return not self.criterion.reached(best.margin), best.fitness if self.sure is not None else best.margin

    def _next_generation(self) -> None:
        """Tell the search what the last generation gave, and ask for the next."""
        if len(self._edits):
            values = np.array([self._known[key] for key in self._keys], np.float32)
            self.search.update(self._edits, Feedback(values[:, 0], values[:, 1]))
        self._edits = self.search.generate()
        self._keys, self._sent = keys(self._edits), 0
        first: dict[bytes, int] = {}
        for row, key in enumerate(self._keys):
            if key not in self._known:
                first.setdefault(key, row)
        self._fresh = list(first.values())
        self._stale = 0 if self._fresh else self._stale + 1
        if not len(self._edits) or self._stale > STALE:
            self.stopped = "reached" if self.queries_to_success else "exhausted"
