"""One attempt: one image, one criterion, k pixels; its search, its budget, its best candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..encodings.base import Indices
from ..encodings.pixels import Edits, keys
from .candidates import CandidateScores
from .criterion import Criterion
from .searches.base import Feedback, Search

MIN_SLICE, MAX_SLICE = 16, 256
"""Fewest and most candidates of an attempt that are scored at once."""

SLICE_DIVISOR = 8
"""A slice is at most the queries spent so far divided by this, so that a success in it wastes few."""

NEAR_MISS = 0.25
"""Log-odds by which the best candidate so far may miss its criterion for its fast score to be confirmed. Bfloat16
rounds logits between 8 and 16 to sixteenths, so that candidates this near may well reach it in float32."""

MAX_REPEATS = 50
"""Generations in a row without a new candidate after which a search counts as converged."""

Stopped = Literal["reached", "budget", "exhausted"]
"""Why an attempt stopped: its criterion was reached, its budget was spent, or its search gave up or had no more."""


@dataclass(frozen=True)
class BestCandidate:
    """The best candidate of an attempt so far.

    Attributes:
        edits: (k, 2 + C).
        margin, fitness: See :class:`evofool.attacks.searches.base.Feedback`.
        top: (T,) the classes with the highest probabilities, highest first.
        confidence: (T,) their probabilities.
        confirmed: Whether these are the scores that go on record, where searches use faster ones.
    """

    edits: Edits
    margin: float
    fitness: float
    top: Indices
    confidence: NDArray[np.float32]
    confirmed: bool

    @classmethod
    def of_row(cls, edits: Edits, scores: CandidateScores, row: int) -> BestCandidate:
        """Return a row of scored candidates."""
        return cls(
            edits[row],
            float(scores.margin[row]),
            float(scores.fitness[row]),
            scores.top[row],
            scores.confidence[row],
            bool(scores.confirmed[row]),
        )


@dataclass(frozen=True)
class AttemptResult:
    """How an attempt ended, for one criterion.

    Attributes:
        criterion: What had to be reached.
        best: Its best candidate. None where nothing was scored, because the clean image meets the criterion.
        queries: Candidates scored, confirmations included.
        queries_to_success: How many it took until the first success. None where there was none.
        stopped: Why it stopped.
        shared: How many criteria the same queries settled.
    """

    criterion: Criterion
    best: BestCandidate | None
    queries: int
    queries_to_success: int | None
    stopped: Stopped
    shared: int = 1


def slice_size(left: int, spent: int) -> int:
    """Return how many candidates to score next, with ``left`` queries left and ``spent`` of them spent."""
    return min(left, MAX_SLICE, max(MIN_SLICE, spent // SLICE_DIVISOR))


class Attempt:
    """The state of one attempt. What it does depends on nothing but its own search and scores.

    A generation is scored in slices, one at a time, so that a success stops the attempt inside a generation. A
    candidate that was scored before is not scored again.

    Args:
        criterion: What has to be reached.
        search: Proposes the candidates.
        budget: Most queries.
        stop_fitness: Go on after a success until the fitness is at most this. None: stop at the first success.
        confirms: Whether each candidate may cost a second query, which confirms its score. A budget of 1 is then
            too small to score any.
    """

    def __init__(
        self,
        criterion: Criterion,
        search: Search,
        budget: int,
        stop_fitness: float | None = None,
        *,
        confirms: bool = False,
    ) -> None:
        self.criterion, self.search, self.budget = criterion, search, budget
        self.stop_fitness, self.confirms = stop_fitness, confirms
        self.queries = 0
        self.queries_to_success: int | None = None
        self.best: BestCandidate | None = None
        self.stopped: Stopped | None = None
        self._scored: dict[bytes, tuple[float, float]] = {}
        self._edits: Edits = np.empty((0, 0, 0), np.int16)
        self._keys: list[bytes] = []
        self._new_rows: list[int] = []
        self._sent = self._repeats = 0

    @property
    def confirm_below(self) -> float:
        """The margin below which a candidate's fast score is confirmed: a success, or a near miss better than all."""
        return NEAR_MISS if self.best is None else min(max(self.best.margin, 0.0), NEAR_MISS)

    def next_slice(self) -> Edits:
        """Return the next candidates (N, k, 2 + C) to be scored; none when the attempt has stopped."""
        while self.stopped is None and self._sent == len(self._new_rows):
            self._next_generation()
        left = self.budget - self.queries
        if self.confirms:
            left = (left - 1) // 2 if left > 2 else left - 1  # one is kept for the best candidate of a failure
        if self.stopped is None and left <= 0:
            self.stopped = "reached" if self.queries_to_success else "budget"
        if self.stopped is not None:
            return self._edits[:0]
        rows = self._new_rows[self._sent : self._sent + slice_size(left, self.queries)]
        self._sent += len(rows)
        return self._edits[rows]

    def take(self, edits: Edits, scores: CandidateScores) -> None:
        """Take the scores of the last slice."""
        margin, fitness, confirmed = scores.margin, scores.fitness, scores.confirmed
        rows = self._new_rows[self._sent - len(edits) : self._sent]
        for row, values in zip(rows, zip(margin.tolist(), fitness.tolist(), strict=True), strict=True):
            self._scored[self._keys[row]] = values
        reached = np.array([self.criterion.reached(value) for value in margin.tolist()])
        if reached.any() and self.queries_to_success is None:
            first = int(reached.argmax())
            self.queries_to_success = self.queries + first + 1 + int(confirmed[: first + 1].sum())
        self.queries += len(edits) + int(confirmed.sum())
        value = fitness if self.stop_fitness is not None else margin
        best = BestCandidate.of_row(edits, scores, int(np.lexsort((value, ~reached))[0]))
        if self.best is None or self._rank(best) < self._rank(self.best):
            self.best = best
        if self.confirms and self.queries >= self.budget and not self.best.confirmed:
            self.best = best  # The last two queries went to it, and none is left to confirm another.
        if self.queries_to_success is not None and (
            self.stop_fitness is None or self.best.fitness <= self.stop_fitness
        ):
            self.stopped = "reached"

    def results(self) -> list[AttemptResult]:
        """Return how the attempt ended."""
        assert self.stopped is not None
        return [AttemptResult(self.criterion, self.best, self.queries, self.queries_to_success, self.stopped)]

    def confirm(self, best: BestCandidate) -> None:
        """Take the best candidate with its confirmed score, which cost a query."""
        self.best = best
        self.queries += 1
        if self.criterion.reached(best.margin) and self.queries_to_success is None:
            self.queries_to_success, self.stopped = self.queries, "reached"

    def _rank(self, best: BestCandidate) -> tuple[bool, float]:
        return not self.criterion.reached(best.margin), best.fitness if self.stop_fitness is not None else best.margin

    def _next_generation(self) -> None:
        """Tell the search what the last generation scored, and ask for the next."""
        if len(self._edits):
            values = np.array([self._scored[key] for key in self._keys], np.float32)
            self.search.tell(self._edits, Feedback(values[:, 0], values[:, 1]))
        self._edits = self.search.ask()
        self._keys, self._sent = keys(self._edits), 0
        new: dict[bytes, int] = {}
        for row, key in enumerate(self._keys):
            if key not in self._scored:
                new.setdefault(key, row)
        self._new_rows = list(new.values())
        self._repeats = 0 if self._new_rows else self._repeats + 1
        if not len(self._edits) or self._repeats > MAX_REPEATS:
            self.stopped = "reached" if self.queries_to_success else "exhausted"
