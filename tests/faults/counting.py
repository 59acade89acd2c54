"""A third kind of job: it draws numbers and adds them up. All that a kind of job has to write is here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from evofool.config.records import JobConfig
from evofool.io.arrays import Arrays
from evofool.io.files import write_atomically, writing
from evofool.io.lines import append_lines, json_line, read_lines
from evofool.jobs import life
from evofool.jobs.schedule import Later
from evofool.jobs.session import Job
from evofool.rng import Rng
from evofool.store.checkpoint import Checkpoints
from evofool.store.folder import make_folder, read_config


class CountingConfig(JobConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: ClassVar[str] = "count"
    numbers: int
    seed: int = 0

    def identity(self) -> dict[str, Any]:
        return {"numbers": self.numbers, "seed": self.seed}


class CountingJob(Job[int]):
    def __init__(self, path: Path, config: CountingConfig) -> None:
        self.path, self.config, self.checkpoints = path, config, Checkpoints(path, config.digest())
        self.rng, self.drawn, self.total = Rng(config.seed), 0, 0
        self.saved: int | None = None

    @property
    def begun(self) -> bool:
        return self.drawn > 0

    def steps(self) -> Iterator[int]:
        while self.drawn < self.config.numbers:
            self.drawn, self.total = self.drawn + 1, self.total + int(self.rng.host.integers(1000))
            yield self.drawn

    def record(self, step: int, later: Later) -> None:
        line = json_line({"drawn": step, "total": self.total})
        later(lambda: append_lines(self.path / "numbers.jsonl", [line]))

    def state(self) -> Arrays | None:
        if self.drawn == self.saved:
            return None
        self.saved = self.drawn
        return {"counts": np.array([self.drawn, self.total]), **self.rng.state()}

    def finish(self) -> None:
        with writing(self.path):
            write_atomically(self.path / "page.txt", f"{self.total} after {self.drawn} numbers\n")

    def result(self, interrupted: bool) -> dict[str, Any]:
        return {"total": self.total, "interrupted": interrupted}


class CountingKind:
    def open(self, path: Path) -> CountingConfig:
        return read_config(path, CountingConfig)

    def restore(
        self, path: Path, *, target: Any, toolbox: Any, changes: Mapping[str, Any], gallery: bool
    ) -> CountingJob:
        job = CountingJob(path, self.open(path))
        state = job.checkpoints.load()
        job.drawn, job.total = state.pop("counts").tolist()
        job.rng.restore(state)
        job.saved = job.drawn
        kept = [line for line in read_lines(path / "numbers.jsonl", ("drawn",)) if line["drawn"] <= job.drawn]
        with writing(path):
            write_atomically(path / "numbers.jsonl", "".join(map(json_line, kept)))
        return job

    def opened(self, path: Path) -> dict[str, Any]:
        return self.inspect(path)

    def inspect(self, path: Path) -> dict[str, Any]:
        return {"numbers": self.open(path).numbers, "drawn": len(list(read_lines(path / "numbers.jsonl", ("drawn",))))}

    def repair(self, path: Path) -> list[str]:
        fault = CountingJob(path, self.open(path)).checkpoints.go_back()
        return [fault] if fault else []


life.KINDS["count"] = CountingKind()


def count(path: Path, numbers: int = 10) -> dict[str, Any]:
    """Begin such a job and work on it."""
    config = CountingConfig(numbers=numbers, versions={})

    def create() -> CountingJob:
        make_folder(path, config)
        return CountingJob(path, config)

    return life.start(path, create)
