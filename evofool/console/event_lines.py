"""What a job does as JSON lines, for programs that start evofool and want to know how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ..jobs.session import Follower, Job
from ..observers.events import FINISHED, STOPPED, JobStarted
from ..observers.measures import Measure, measure_of
from ..observers.rates import Clock

EVENT_SECONDS = 0.5
"""Minimum seconds between two events of progress."""


class EventLines(Follower):
    """Writes an object for each event: start, progress, warning, end, error.

    The first step of a job is told, and its last one, and others every ``EVENT_SECONDS``.

    Args:
        write: Writes a line; its argument is an object of plain JSON values.
        quiet: Whether progress is left out.
        now: The clock.
        wall: Returns seconds since 1970.
    """

    def __init__(
        self,
        write: Callable[[Mapping[str, Any]], object],
        *,
        quiet: bool = False,
        now: Clock = time.monotonic,
        wall: Clock = time.time,
    ) -> None:
        self._write, self._quiet, self._now, self._wall = write, quiet, now, wall
        self._job: dict[str, Any] = {}
        self._measure: Measure | None = None
        self._told_at = float("-inf")
        self._untold: Any = None

    def begin(self, job: Job[Any], *, resumed: bool) -> None:
        """Tell that a job begins or goes on."""
        started = JobStarted.of(job, resumed=resumed)
        self._job = {"job": str(started.path) if started.path else None, "kind": started.kind}
        self._measure, self._told_at, self._untold = measure_of(started.kind, self._now), float("-inf"), None
        self._tell(
            "start",
            target=started.target,
            step=started.step,
            resumed=started.resumed,
            options={name: value for name, value in started.options.items() if value is not None},
            versions=dict(started.versions),
        )

    def __call__(self, step: Any) -> None:
        """Tell how far the job is, if it is time."""
        assert self._measure
        self._measure.note(step)
        if self._told_at == float("-inf"):
            for note in getattr(step, "notes", ()):
                self.warn(note)
        self._untold = step
        if self._now() - self._told_at >= EVENT_SECONDS:
            self._progress()

    def end(self, result: Any) -> None:
        """Tell how far the job got; that it is over is told by :meth:`finish`."""
        self._progress()

    def fail(self, error: BaseException) -> None:
        """Tell how far the job got; the error is told by :meth:`error`."""
        self._progress()

    def warn(self, message: str) -> None:
        """Tell what people should know."""
        self._tell("warning", message=message)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Tell what came out."""
        status = STOPPED if summary.get("interrupted") else FINISHED
        self._tell("end", status=status, summary=dict(summary))

    def error(self, message: str, code: int) -> None:
        """Tell what went wrong, and the exit code of the command."""
        self._tell("error", message=message, exit_code=code)

    def _progress(self) -> None:
        """Tell how far the job is after its last step, unless that was told."""
        if self._untold is None or self._quiet or self._measure is None:
            return
        step, self._untold, self._told_at = self._untold, None, self._now()
        progress = self._measure.progress(step)
        self._tell(
            "progress",
            step=progress.step,
            done=progress.done,
            total=progress.total,
            unit=progress.unit,
            per_second=progress.per_second,
            eta=progress.eta,
            seconds=round(progress.seconds, 3),
            **({"task": progress.task} if progress.task else {}),
            figures=dict(progress.figures),
        )

    def _tell(self, event: str, **fields: Any) -> None:
        self._write({"event": event, "time": round(self._wall(), 3), **self._job, **fields})
