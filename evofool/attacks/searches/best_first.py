"""Best-first search for one pixel: the most promising pixel found so far is looked around next.

    scan:    a coarse grid over the image, each place with the corner of the colour cube farthest from its own colour
    expand:  the best pixel that was not expanded yet: its neighbours with the same colour, and its colour with one
             channel inverted; later, when its turn comes again, smaller and smaller steps of each channel
    explore: with every expansion a few more places of the scan, so that nothing is left out for good

Neighbouring pixels share vulnerability (Vargas, Su 2019) and successes sit at corners of the colour cube more often
than not, which is why so few queries are enough. `docs/ATTACKS.md` has what was measured.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from ...encodings.pixels import Edits
from .base import Feedback, Problem
from .scan import (
    COARSE_PLACES,
    NEIGHBOURS,
    Edit,
    as_edits,
    coarse_step,
    coarse_to_fine,
    inverted,
    neighbour,
    scan,
    shifted,
)

MIN_GENERATION, GROWTH_DIVISOR = 16, 8
"""Candidates of every other generation: all seen so far divided by the second number, and at least the first."""

EXPLORED_PER_EXPANSION = 2
"""Positions of the scan that are looked at with every expansion."""

CHANNEL_STEPS = (128, 64, 32)
"""Distances by which a channel is moved, one each time a pixel's turn comes again."""

EXPANSION_PENALTY = 1.0
"""Log-odds by which an expanded pixel falls behind, each time."""


class BestFirst:
    """One attempt's search for k = 1. It draws nothing at random."""

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space
        self._scan = scan(problem.space, problem.image, coarse_to_fine(problem.space))
        self._reach = max(1, coarse_step(problem.space) // 4)
        self._seen: set[Edit] = set()
        self._queue: list[tuple[float, int, int, Edit]] = []  # priority, turn, reach
        self._asked: list[Edit] = []

    def ask(self) -> Edits:
        asked: list[Edit] = []
        if not self._seen:
            self._explore(asked, COARSE_PLACES)
        wanted = max(MIN_GENERATION, len(self._seen) // GROWTH_DIVISOR)
        while len(asked) < wanted and self._queue:
            self._add(asked, self._expand())
            self._explore(asked, EXPLORED_PER_EXPANSION)
        if len(asked) < wanted:
            self._explore(asked, wanted - len(asked))
        self._asked = asked
        return as_edits(self.space, [[edit] for edit in asked])

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        for edit, margin in zip(self._asked, feedback.margin.tolist(), strict=True):
            heapq.heappush(self._queue, (margin, 0, self._reach, edit))

    def _expand(self) -> list[Edit]:
        """Return what lies around the best pixel, and put that back into the queue for a finer look."""
        priority, turn, reach, edit = heapq.heappop(self._queue)
        place, colour = edit
        channels = range(len(colour))
        if turn == 0:
            places = (neighbour(self.space, place, reach * dy, reach * dx) for dy, dx in NEIGHBOURS)
            around: list[Edit] = [(other, colour) for other in places if other is not None]
            around += [(place, inverted(colour, channel)) for channel in channels]
        else:
            step = CHANNEL_STEPS[turn - 1]
            around = [(place, shifted(colour, channel, by)) for channel in channels for by in (-step, step)]
        if turn == 0 and reach > 1:
            heapq.heappush(self._queue, (priority, 0, reach // 2, edit))
        elif turn < len(CHANNEL_STEPS):
            heapq.heappush(self._queue, (priority + EXPANSION_PENALTY, turn + 1, 1, edit))
        return around

    def _explore(self, asked: list[Edit], count: int) -> None:
        """Add ``count`` more places of the scan, as long as there are any."""
        wanted = len(asked) + count
        while len(asked) < wanted and (edit := next(self._scan, None)) is not None:
            self._add(asked, [edit])

    def _add(self, asked: list[Edit], edits: Iterable[Edit]) -> None:
        """Add those that were not seen before."""
        for edit in edits:
            if edit not in self._seen:
                self._seen.add(edit)
                asked.append(edit)
