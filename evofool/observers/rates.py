"""Speed and remaining time of jobs, measured over one session."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config.budget import Budget
    from ..jobs.campaign import CampaignStep
    from ..lab.job import ExperimentStep
    from ..search.progress import Progress

Clock = Callable[[], float]
"""Returns seconds since some fixed moment."""

BASIS = 2
"""Generations of a session that give no speed yet."""

MAX_NOTED = 100
"""Generations that are remembered for the speed; the newer half of them counts."""


class RunRate:
    """Speed and remaining time of a run, measured over this session only.

    The first generation doesn't count: loops are compiled and memory is taken in it. Of those that follow, the newer
    half counts, so that a slow beginning is soon forgotten.

    Attributes:
        images_per_second: The speed; 0 while it is unknown.
    """

    def __init__(self) -> None:
        self.images_per_second = 0.0
        self._noted: deque[Progress] = deque(maxlen=MAX_NOTED)

    def note(self, progress: Progress) -> None:
        """Take the figures of the next generation."""
        self._noted.append(progress)
        if len(self._noted) <= BASIS:
            return
        first = self._noted[len(self._noted) // 2]
        if progress.seconds > first.seconds:
            self.images_per_second = (progress.evaluations - first.evaluations) / (progress.seconds - first.seconds)

    def remaining(self, progress: Progress, budget: Budget) -> float | None:
        """Return the seconds until the first countable limit; None where nobody knows."""
        seconds: list[float] = []
        left: list[float] = []
        if budget.evaluations:
            left.append(budget.evaluations - progress.evaluations)
        if budget.generations:
            left.append((budget.generations - progress.generation) * progress.evaluations / progress.generation)
        if left and min(left) <= 0:
            return 0.0
        if self.images_per_second:
            seconds += [images / self.images_per_second for images in left]
        if budget.minutes:
            seconds.append(60 * budget.minutes - progress.seconds)
        return max(0.0, min(seconds)) if seconds else None


class CampaignRate:
    """Speed and remaining time of a campaign, measured over this session only.

    Args:
        now: The clock; the session starts when the rate is made.

    Attributes:
        elapsed: Seconds since the start.
        queries_per_second: The speed; 0 while it is unknown.
        remaining: Seconds until all attempts have ended; None before the first one has.
    """

    def __init__(self, now: Clock = time.monotonic) -> None:
        self._now, self._started = now, now()
        self.elapsed = self.queries_per_second = 0.0
        self.remaining: float | None = None
        self._first: tuple[float, int, int] | None = None

    def note(self, step: CampaignStep) -> None:
        """Take the figures of the next batch. What was done until the first one gives no speed: it holds the start."""
        now, scored = self._now(), step.campaign.scored
        self.elapsed = now - self._started
        if step.done >= step.expected:
            self.remaining = 0.0
        if self._first is None:
            self._first = now, scored, step.done
            return
        since, scored_before, done_before = self._first
        if now > since:
            self.queries_per_second = (scored - scored_before) / (now - since)
            done = step.done - done_before
            self.remaining = (now - since) / done * (step.expected - step.done) if done > 0 else self.remaining


class ExperimentRate:
    """Speed and remaining time of an experiment, measured over this session only.

    Args:
        now: The clock; the session starts when the rate is made.
    """

    def __init__(self, now: Clock = time.monotonic) -> None:
        self._now, self._started, self._noted = now, now(), 0

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._now() - self._started

    @property
    def parts_per_second(self) -> float | None:
        """The speed; None while it is unknown."""
        elapsed = self.elapsed
        return self._noted / elapsed if elapsed > 0 else None

    def note(self, step: ExperimentStep) -> None:
        """Count the parts of this session."""
        self._noted += step.part is not None

    def remaining(self, step: ExperimentStep) -> float:
        """Return the seconds until all parts are done."""
        return self.elapsed / max(1, self._noted) * (step.parts - step.done)
