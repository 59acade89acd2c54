"""How a session's steps reach its observers: several at once, and none of them can end the job."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import in_words
from ..io.interrupts import Stopped
from ..jobs.session import Follower, Job, Notified
from .events import FAILED, FINISHED, STOPPED, JobEnded, JobObserver, JobStarted
from .measures import Measure, measure_of
from .rates import Clock

Warn = Callable[[str], object]
"""Tells people something in one line."""


class Observers(Follower):
    """Tells observers what a job does. One that fails is told of no more, and people are told so in a line.

    Args:
        observers: They, each with what it is called.
        warn: Tells people.
        now: The clock.
    """

    def __init__(self, observers: Sequence[tuple[str, JobObserver]], warn: Warn, now: Clock = time.monotonic) -> None:
        self._observers, self._warn, self._now = list(observers), warn, now
        self._measure: Measure | None = None

    def begin(self, job: Job[Any], *, resumed: bool) -> None:
        """Tell that a session begins."""
        started = JobStarted.of(job, resumed=resumed)
        self._measure = measure_of(started.kind, self._now)
        self._each(lambda observer: observer.start(started))

    def __call__(self, step: Any) -> None:
        """Tell how far the job is."""
        assert self._measure
        self._measure.note(step)
        if self._observers:
            progress = self._measure.progress(step)
            self._each(lambda observer: observer.progress(progress))

    def end(self, result: Any) -> None:
        """Tell what the session ended with."""
        summary = result.summary() if hasattr(result, "summary") else {}
        ended = JobEnded(STOPPED if summary.get("interrupted") else FINISHED, summary)
        self._each(lambda observer: observer.end(ended))

    def fail(self, error: BaseException) -> None:
        """Tell that the session ended without a result."""
        stopped = isinstance(error, Stopped | KeyboardInterrupt)
        ended = JobEnded(STOPPED if stopped else FAILED, {}, in_words(error))
        self._each(lambda observer: observer.end(ended))

    def _each(self, tell: Callable[[JobObserver], object]) -> None:
        """Tell every observer something, and leave those out from now on that fail."""
        for named in list(self._observers):
            name, observer = named
            try:
                tell(observer)
            except Exception as error:
                self._observers.remove(named)
                self._warn(f"observer {name} failed and is told of no more, the job goes on: {in_words(error)}")


class Together(Follower):
    """Several observers as one.

    Args:
        observers: Followers, and functions that take a step.
    """

    def __init__(self, observers: Sequence[Callable[[Any], object]]) -> None:
        self._observers = observers
        self._followers = [observer for observer in observers if isinstance(observer, Follower)]

    def begin(self, job: Job[Any], *, resumed: bool) -> None:
        """Tell those who want to know that a session begins."""
        for follower in self._followers:
            follower.begin(job, resumed=resumed)

    def __call__(self, step: Any) -> None:
        """Give every observer a step."""
        for observer in self._observers:
            observer(step)

    def notice(self, words: str) -> None:
        """Tell those who want to know what the job does after its last step."""
        for observer in self._observers:
            if isinstance(observer, Notified):
                observer.notice(words)

    def end(self, result: Any) -> None:
        """Tell those who want to know what the session ended with."""
        for follower in self._followers:
            follower.end(result)

    def fail(self, error: BaseException) -> None:
        """Tell those who want to know that there is no result."""
        for follower in self._followers:
            follower.fail(error)
