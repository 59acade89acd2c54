"""What observers of a job are given: its beginning, its progress, and its end, in plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec
from PIL import Image

from ..jobs.session import Job

FINISHED, STOPPED, FAILED = "finished", "stopped", "failed"
"""How a session can end: all is done; somebody stopped it, or its queries are spent; or neither."""

Pictures = Callable[[], Image.Image | None]
"""Draws what a job has found so far; None where there is nothing to see yet."""


@dataclass(frozen=True)
class JobStarted:
    """A session of a job begins.

    Attributes:
        kind: ``run``, ``campaign``, ``experiment``, ``audit`` or ``sweep``.
        path: The job's folder; None where nothing is written.
        name: What the job is called: its folder, or its target where it has none.
        target: The target's name.
        step: Where it goes on from, as :attr:`JobProgress.step` counts; 0 at its very beginning.
        resumed: Whether it goes on where an earlier session left it.
        options: The job's options as plain JSON values.
        versions: The versions of evofool and what it stands on, by name.
    """

    kind: str
    path: Path | None
    name: str
    target: str
    step: int
    resumed: bool
    options: Mapping[str, Any]
    versions: Mapping[str, str]

    @classmethod
    def of(cls, job: Job[Any], *, resumed: bool) -> JobStarted:
        """Return the beginning of a job's session."""
        config = job.config
        options = msgspec.json.decode(msgspec.json.encode(getattr(config, "options", {})))
        target = getattr(getattr(config, "target", None), "name", "")
        return cls(
            kind=config.kind if config else "job",
            path=job.path,
            name=_name_of(job.path) if job.path else f"{target}-{options.get('encoding', 'job')}",
            target=target,
            step=job.reached,
            resumed=resumed,
            options=options,
            versions=config.versions if config else {},
        )


@dataclass(frozen=True)
class JobProgress:
    """How far a job is after a step.

    Attributes:
        step: The number of generations, of finished attempts, parts, tasks or runs: what figures are plotted against.
            Several steps of a campaign, an audit or a sweep can have the same.
        done, total: How much of the work is done, and how much there is; ``total`` is None where nobody knows.
        unit: What these count: ``evaluations``, ``generations``, ``seconds``, ``attempts``, ``parts``,
            ``tasks`` or ``runs``.
        per_second: How many units a second are done; None while that is unknown.
        eta: Seconds until the end; None while that is unknown.
        seconds: Seconds of this session.
        figures: What the job has reached, by name.
        task: What is under way, where a job consists of others; else empty.
        pictures: Draws what was found so far.
    """

    step: int
    done: float
    total: float | None
    unit: str
    per_second: float | None
    eta: float | None
    seconds: float
    figures: Mapping[str, float]
    task: str = ""
    pictures: Pictures = field(default=lambda: None, repr=False, compare=False)


@dataclass(frozen=True)
class JobEnded:
    """A session of a job is over.

    Attributes:
        status: ``finished``, ``stopped`` or ``failed``.
        summary: The result as plain JSON values; empty where there is none.
        error: What went wrong, in one line; else empty.
    """

    status: str
    summary: Mapping[str, Any]
    error: str = ""


@runtime_checkable
class JobObserver(Protocol):
    """Whoever wants to be told what a job does.

    An observer that raises an exception is told of no more, and the job goes on without it.

    Example:
        >>> class Printing:
        ...     def start(self, job):
        ...         print("start", job.target)
        ...     def progress(self, progress):
        ...         print(progress.done, "of", progress.total, progress.unit)
        ...     def end(self, ended):
        ...         print(ended.status, ended.summary["generations"])
        >>> import evofool
        >>> options = {"generations": 2, "classes": ["3"], "batch": 50, "device": "cpu"}
        >>> _ = evofool.evolve("digits", "direct", observer=Printing(), **options)
        start digits
        1 of 2 generations
        2 of 2 generations
        finished 2
    """

    def start(self, job: JobStarted) -> None:
        """Take the beginning of a session."""

    def progress(self, progress: JobProgress) -> None:
        """Take a step."""

    def end(self, ended: JobEnded) -> None:
        """Take the end of the session."""


def _name_of(path: Path) -> str:
    """Return what a folder is called from here: without ``outputs/``, where jobs are by default."""
    whole, here = path.absolute(), Path.cwd()
    if not whole.is_relative_to(here) or whole == here:
        return whole.name
    parts = whole.relative_to(here).parts
    return "/".join(parts[1:] if parts[0] == "outputs" and len(parts) > 1 else parts)
