"""Jobs that count, with a diary of what a session asks of them and on which thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from evofool.config.records import JobConfig
from evofool.io.arrays import Arrays
from evofool.jobs.schedule import Later, Work
from evofool.jobs.session import Job, Refresh
from evofool.store.checkpoint import Checkpoints
from evofool.store.folder import make_folder, read_config


class FakeConfig(JobConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: ClassVar[str] = "fake"
    steps: int = 3

    def identity(self) -> dict[str, Any]:
        return {"steps": self.steps}


class FakeJob(Job[int]):
    """A job of a few steps.

    Args:
        path: Its folder, or None.
        steps: The number of steps.
        bits: Bits of work of a refresh of its page, besides what is written.

    Attributes:
        diary: What happened, in order.
        threads: Names of the threads that wrote.
    """

    def __init__(self, path: Path | None = None, steps: int = 3, bits: int = 0) -> None:
        self.path, self.wanted, self.bits, self.done = path, steps, bits, 0
        self.checkpoints = Checkpoints(path, FakeConfig(steps=steps, versions={}).digest()) if path else None
        self.diary: list[str] = []
        self.threads: set[str] = set()
        self.on: Callable[[str], object] = lambda event: None

    def saved(self) -> int:
        """Return the step of the last checkpoint."""
        assert self.checkpoints
        return int(self.checkpoints.load()["done"])

    def tell(self, event: str) -> None:
        self.diary.append(event)
        self.on(event)

    def writes(self, event: str) -> Work:
        """Return work that is noted when it is done."""

        def write() -> None:
            self.threads.add(threading.current_thread().name)
            self.tell(event)

        return write

    @property
    def begun(self) -> bool:
        return self.done > 0

    def begin(self, later: Later) -> None:
        self.tell("begin")

    def steps(self) -> Iterator[int]:
        while self.done < self.wanted:
            self.done += 1
            self.tell(f"step {self.done}")
            yield self.done

    def record(self, step: int, later: Later) -> None:
        later(self.writes(f"record {step}"))

    def state(self) -> Arrays | None:
        self.tell(f"state {self.done}")
        return {"done": np.array(self.done)}

    def refresh(self, interval: float, *, last: bool) -> Refresh | None:
        return self._refresh(f"{'last ' if last else ''}page {self.done}")

    def _refresh(self, page: str) -> Refresh:
        for bit in range(self.bits):
            self.tell(f"bit {bit + 1} of {page}")
            yield
        return self.writes(page)

    def finish(self) -> None:
        self.tell("finish")

    def result(self, interrupted: bool) -> str:
        return f"{'stopped' if interrupted else 'done'} after {self.done}"


class FakeKind:
    """What can be done with the folder of such a job.

    Attributes:
        asked: The calls of :meth:`restore`.
        jobs: What they returned.
    """

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.jobs: list[FakeJob] = []

    def open(self, path: Path) -> FakeConfig:
        return read_config(path, FakeConfig)

    def restore(self, path: Path, *, target: Any, toolbox: Any, changes: Mapping[str, Any], gallery: bool) -> FakeJob:
        self.asked.append({"target": target, "changes": dict(changes), "gallery": gallery})
        job = FakeJob(path, self.open(path).steps)
        job.done = job.saved()
        self.jobs.append(job)
        return job

    def opened(self, path: Path) -> str:
        return f"opened after {self.open(path).steps}"

    def inspect(self, path: Path) -> dict[str, Any]:
        return {"steps": self.open(path).steps}

    def repair(self, path: Path) -> list[str]:
        fault = FakeJob(path, self.open(path).steps).checkpoints.go_back()  # type: ignore[union-attr]
        return [fault] if fault else []


def create(path: Path, steps: int = 3) -> FakeJob:
    """Make the folder of a new job."""
    make_folder(path, FakeConfig(steps=steps, versions={}))
    return FakeJob(path, steps)
