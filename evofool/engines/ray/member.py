"""A worker as the crew knows it, and how the passes of a batch are dealt to workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from ..base import WorkerFacts

SPEED_RATE = 0.5
"""Weight of a worker's last piece of work in its measured speed."""


@dataclass(eq=False)
class Member:
    """A worker.

    Attributes:
        actor: Its actor.
        described: What it says of itself, once it has begun.
        speed: Images a second, measured; 0 while nothing is known.
        warm: Whether it has done a piece of work.
        asked: Whether it has work of :meth:`~.crew.Crew.ask` under way.
        sign: A call that tells, by failing, that it died while it had nothing to do.
        dead: Whether a call to it failed. Others that were under way then tell nothing new.
    """

    actor: Any
    described: WorkerFacts | None = None
    speed: float = 0.0
    warm: bool = False
    asked: bool = False
    sign: Any = None
    dead: bool = False

    def measure(self, images: int, seconds: float) -> None:
        """Note how long a piece of work took.

        The first one counts for nothing. It takes seconds, in which the worker loads and compiles what it needs: a
        worker that was taken to be so slow would get no further pass beside others, and so never be measured again.
        """
        if self.warm:
            speed = images / max(seconds, 1e-9)
            self.speed = speed if not self.speed else (1 - SPEED_RATE) * self.speed + SPEED_RATE * speed
        self.warm = True


def shares(members: Sequence[Member], first: int, last: int) -> list[tuple[Member, int, int]]:
    """Return which worker computes which of the passes from ``first`` up to ``last``, in proportion to their speeds.

    A worker whose speed is not known counts as an average one.
    """
    known = [member.speed for member in members if member.speed]
    average = sum(known) / len(known) if known else 1.0
    ends = list(accumulate(member.speed or average for member in members))
    bounds = [first, *(first + round((last - first) * end / ends[-1]) for end in ends)]
    return [(m, start, stop) for m, (start, stop) in zip(members, pairwise(bounds), strict=True) if stop > start]
