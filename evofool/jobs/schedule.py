"""When work is due that comes again and again and may take only a share of the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

Work = Callable[[], object]
Later = Callable[[Work], object]
"""A function that queues work for the writer's thread, which does it in order."""


class Schedule:
    """Decides when recurring work is due.

    Args:
        least: Minimum seconds between the end of one piece of work and the start of the next; negative: always due.
        share: Largest share of the time that the work may take; work that takes longer is done less often.
    """

    def __init__(self, least: float, share: float) -> None:
        self.interval, self._least, self._share = least, least, share
        self._next, self._under_way = 0.0, False

    def restart(self) -> None:
        """Count the interval from now on."""
        self._next = time.monotonic() + self.interval

    def due(self) -> bool:
        """Return whether it is time, and the last piece of work is done."""
        return self._least < 0 or (not self._under_way and time.monotonic() >= self._next)

    def submit(self, later: Later, work: Work) -> None:
        """Let a piece of work be done later; the time that it takes counts."""
        self._under_way = True
        later(partial(self._timed, work))

    def _timed(self, work: Work) -> None:
        started = time.monotonic()
        work()
        self.interval = max(self._least, (time.monotonic() - started) / self._share)
        self.restart()
        self._under_way = False
