"""One session of a job: from its start, or from where it was left, until its work is done or somebody stops it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

from ..config.records import JobConfig
from ..errors import EvofoolError, OutOfQueries
from ..io.arrays import Arrays
from ..io.interrupts import interruptible
from ..io.writer import Writer
from ..store.checkpoint import Checkpoints
from .hardware import notes_of
from .schedule import Later, Schedule, Work

if TYPE_CHECKING:
    from ..engines.base import Engine

CHECKPOINT_SECONDS = 20.0
"""Minimum seconds between checkpoints; a killed job repeats at most this much. Negative: after every step."""

CHECKPOINT_SHARE = 0.02
"""Largest share of the time that checkpoints may take; large ones are written less often."""

PAGE_SECONDS = 3.0
"""Minimum seconds between two refreshes of the page, and of the files that it shows."""

PAGE_SHARE = 0.02
"""Largest share of the time that refreshing the page may take."""

S = TypeVar("S")
Refresh = Generator[None, None, Work]
"""Bits of work that are done between two steps; at the end it returns what is to be written."""


class Follower(ABC):
    """An observer that is told of a session's beginning and end as well as of its steps."""

    @abstractmethod
    def begin(self, job: Job[Any], *, resumed: bool) -> None:
        """Take the job before its first step.

        Args:
            job: The job.
            resumed: Whether it goes on where an earlier session left it.
        """

    @abstractmethod
    def __call__(self, step: Any) -> None:
        """Take a step."""

    @abstractmethod
    def end(self, result: Any) -> None:
        """Take what the session ended with."""

    @abstractmethod
    def fail(self, error: BaseException) -> None:
        """Take what ended the session without a result."""


@runtime_checkable
class Notified(Protocol):
    """An observer that is also told what a job does after its last step."""

    def notice(self, words: str) -> None:
        """Take what the job does now, in words."""
        ...


class Job(ABC, Generic[S]):
    """One job, ready to work: what a kind of job adds to the life that all share.

    Attributes:
        path: The job's folder; None where nothing is written.
        config: What is recorded of it.
        engine: Where its images are scored; None where other jobs have all of them scored.
        checkpoints: Where its states are kept; None where its records say all that it needs to go on.
        gallery: Whether its page is kept up to date. Without one, the files that a page shows wait for checkpoints.
        in_torch: Whether what it asks may compute in torch.
        note: Why the session ended early, where neither the budget of the job nor its user is the reason.
        observer: Who is called after every step, for a job that works on others and passes their steps on.
    """

    path: Path | None = None
    config: JobConfig | None = None
    engine: Engine | None = None
    checkpoints: Checkpoints | None = None
    gallery: bool = True
    in_torch: bool = True
    note: str | None = None
    observer: Callable[[S], object] | None = None

    @property
    @abstractmethod
    def begun(self) -> bool:
        """Whether something would be lost with the folder."""

    @property
    def reached(self) -> int:
        """How much of the work was done in earlier sessions, as its steps count it."""
        return 0

    @abstractmethod
    def steps(self) -> Iterator[S]:
        """Do the work step by step. What comes out tells an observer how far it is."""

    @abstractmethod
    def result(self, interrupted: bool) -> Any:
        """Return what the session ended with."""

    @property
    def consistent(self) -> bool:
        """Whether :meth:`state` is one to go on from after a step that could not be done."""
        return True

    def begin(self, later: Later) -> None:
        """Prepare the folder for this session's records."""

    def record(self, step: S, later: Later) -> None:
        """Write down what a step brought. Work that is given to ``later`` is done beside the job, in order."""

    def state(self) -> Arrays | None:
        """Return all that the next step depends on, or None where nothing changed.

        What has to be on disk before that state is written here as well.
        """
        return None

    @property
    def left(self) -> str:
        """What :meth:`conclude` will do, in words; empty where that is nothing to wait for."""
        return ""

    def conclude(self, later: Later) -> None:
        """Bring what the last step left to its end, once the last checkpoint has what the next step depends on."""

    def refresh(self, interval: float, *, last: bool) -> Refresh | None:
        """Begin to refresh what is shown while the job works, and a last time at its end; None where nothing is.

        Args:
            interval: Seconds until the next refresh.
            last: Whether this is the last one of the session; :meth:`finish` follows it.
        """
        return None

    def finish(self) -> None:
        """Write what is made at the end of a session, when all else is on disk."""

    def close(self) -> None:
        """Let go of what the job holds beside its folder, such as workers on other machines."""

    def saving(self) -> AbstractContextManager[None]:
        """Return a context for what is written between two steps, so that a profiler can count it."""
        return nullcontext()


class Session(Generic[S]):
    """Runs a job: records, checkpoints and pages at their time, and whatever ends it, nothing is lost.

    Args:
        job: A new job, or one restored from its last checkpoint.
        observer: Called after every step. A :class:`Follower` is told of more.
        resumed: Whether the job was restored.
    """

    def __init__(self, job: Job[S], observer: Callable[[S], object] | None = None, *, resumed: bool = False) -> None:
        self.job, self._observer, self._resumed = job, observer, resumed
        job.observer = observer
        self._checkpoints = Schedule(CHECKPOINT_SECONDS, CHECKPOINT_SHARE)
        self._pages = Schedule(PAGE_SECONDS if job.gallery else CHECKPOINT_SECONDS, PAGE_SHARE)
        self._refresh: Refresh | None = None

    def run(self) -> Any:
        """Work until the job is done, or Ctrl-C or SIGTERM comes.

        Returns:
            The job's result.
        """
        follower = self._observer if isinstance(self._observer, Follower) else None
        if follower is None:
            return self._run()
        try:
            follower.begin(self.job, resumed=self._resumed)
            result = self._run()
        except BaseException as error:
            follower.fail(error)
            raise
        follower.end(result)
        return result

    def _run(self) -> Any:
        from ..kernels.threads import torch_on_one_thread  # It imports torch.

        with interruptible() as stopped, nullcontext() if self.job.in_torch else torch_on_one_thread():
            if self.job.path is None:
                interrupted = self._work(lambda work: work(), stopped)
            else:
                with Writer() as writer:
                    interrupted = self._work(writer.do, stopped)
                self.job.finish()
        return self.job.result(interrupted)

    def _work(self, later: Later, stopped: Callable[[], bool]) -> bool:
        """Run the loop. Return whether it was stopped.

        Where a step can't be done, because the queries are spent for example, the state before it is saved if the job
        still has it.
        """
        job, interrupted = self.job, False
        job.begin(later)
        hardware = notes_of(job.path, job.engine)
        self._checkpoints.restart()
        try:
            for step in job.steps():
                with job.saving():
                    if hardware:
                        hardware.note()
                    job.record(step, later)
                if self._observer:
                    self._observer(step)
                if stopped():
                    interrupted = True
                    break
                with job.saving():
                    if self._checkpoints.due():
                        self._checkpoint(later)
                    self._show(later)
        except OutOfQueries as end:
            job.note, interrupted = str(end), True
        except EvofoolError:
            if job.consistent:
                self._checkpoint(later)
            raise
        self._end_refresh(later)
        if job.consistent:
            self._checkpoint(later)
        if (words := job.left) and isinstance(self._observer, Notified):
            self._observer.notice(words)
        job.conclude(later)
        self._refresh = job.refresh(self._pages.interval, last=True)
        self._end_refresh(later)
        return interrupted

    def _checkpoint(self, later: Later) -> None:
        if self.job.checkpoints and (state := self.job.state()) is not None:
            self._checkpoints.submit(later, partial(self.job.checkpoints.save, state))

    def _show(self, later: Later) -> None:
        """Do a bit of a refresh that is under way, or begin one that is due."""
        if not self._refresh and self._pages.due():
            self._refresh = self.job.refresh(self._pages.interval, last=False)
        if self._refresh:
            self._advance(self._refresh, later)

    def _end_refresh(self, later: Later) -> None:
        while self._refresh:
            self._advance(self._refresh, later)

    def _advance(self, refresh: Refresh, later: Later) -> None:
        try:
            next(refresh)
        except StopIteration as end:
            self._refresh = None
            self._pages.submit(later, end.value)
