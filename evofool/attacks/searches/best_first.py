"""Best-first search for one pixel: the most promising pixel found so far is looked around next.

    scan:    a coarse grid over the image, each place with the corner of the colour cube farthest from its own colour
    expand:  the best pixel that was not expanded yet: its neighbours with the same colour, its colour with one channel
             turned over; later, when its turn comes again, smaller and smaller steps of each channel
    explore: with every expansion a few more places of the scan, so that nothing is left out for good

Neighbouring pixels share vulnerability (Vargas, Su 2019) and successes sit at corners of the colour cube more often
than not, which is why so few queries are enough. `docs/ATTACKS.md` has what was measured.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from ...encodings.pixels import Edits
from .base import Brief, Feedback
from .places import AROUND, COARSE, Node, as_edits, coarse_step, coarse_to_fine, neighbour, scan

EACH, GROWTH = 16, 8
"""candidates of a generation after the first: at least the first number, and all seen so far divided by the second"""

EXPLORE = 2
"""places of the scan with every expansion"""

STEPS = (128, 64, 32)
"""how far a channel is moved when a pixel's turn comes again"""

PENALTY = 1.0
"""log-odds by which an expanded pixel is put back, each time"""


class BestFirst:
    """One attempt's search for k = 1; draws nothing at random."""

    def __init__(self, brief: Brief) -> None:
        self.space = brief.space
        self._scan = scan(brief.space, brief.image, coarse_to_fine(brief.space))
        self._reach = max(1, coarse_step(brief.space) // 4)
        self._seen: set[Node] = set()
        self._queue: list[tuple[float, int, int, Node]] = []
        self._asked: list[Node] = []

    def generate(self) -> Edits:
        asked: list[Node] = []
        if not self._seen:
            self._explore(asked, COARSE)
        wanted = max(EACH, len(self._seen) // GROWTH)
        while len(asked) < wanted and self._queue:
            self._add(asked, self._expand())
            self._explore(asked, EXPLORE)
        if len(asked) < wanted:
            self._explore(asked, wanted - len(asked))
        self._asked = asked
        return as_edits(self.space, [[node] for node in asked])

    def update(self, edits: Edits, feedback: Feedback) -> None:
        for node, margin in zip(self._asked, feedback.margin.tolist(), strict=True):
            heapq.heappush(self._queue, (margin, 0, self._reach, node))

    def _expand(self) -> list[Node]:
        """What lies around the best pixel, which goes back into the queue for a finer look."""
        value, turn, reach, node = heapq.heappop(self._queue)
        place, colour = node
        if turn == 0:
            places = (neighbour(self.space, place, reach * dy, reach * dx) for dy, dx in AROUND)
            around: list[Node] = [(other, colour) for other in places if other is not None]
            around += [(place, changed(colour, channel, 255 - 2 * colour[channel])) for channel in range(len(colour))]
        else:
            step = STEPS[turn - 1]
            around = [(place, changed(colour, channel, by)) for channel in range(len(colour)) for by in (-step, step)]
        if turn == 0 and reach > 1:
            heapq.heappush(self._queue, (value, 0, reach // 2, node))
        elif turn < len(STEPS):
            heapq.heappush(self._queue, (value + PENALTY, turn + 1, 1, node))
        return around

    def _explore(self, asked: list[Node], count: int) -> None:
        wanted = len(asked) + count
        while len(asked) < wanted and (node := next(self._scan, None)) is not None:
            self._add(asked, [node])

    def _add(self, asked: list[Node], nodes: Iterable[Node]) -> None:
        for node in nodes:
            if node not in self._seen:
                self._seen.add(node)
                asked.append(node)


def changed(colour: tuple[int, ...], channel: int, by: int) -> tuple[int, ...]:
    """A colour with one channel moved, within 0 … 255."""
    value = min(255, max(0, colour[channel] + by))
    return (*colour[:channel], value, *colour[channel + 1 :])
