"""Audits as jobs: tasks one after the other, each resumable by itself, and what is asked of such a folder later."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ..config.audit import AuditConfig
from ..datasets import Fitting
from ..engines.opening import ServedTarget, opened
from ..errors import ConfigError, OutOfQueries, RunError
from ..gallery.pages.commands import audit_command
from ..io.files import write_atomically, writing
from ..io.lock import is_held
from ..jobs.life import inspect, repair
from ..jobs.queries import LIMIT, keep_ledger, query_facts, with_changes
from ..jobs.schedule import Later
from ..jobs.session import Job
from ..jobs.swapped import check_hook
from ..jobs.verification import verify_scores
from ..store.audit import AuditFolder, TaskLine
from ..store.folder import CONFIG
from ..store.ledger import LEDGER, FolderLedger
from ..targets.prepare import PreparedTarget, reload_target
from ..targets.protocols import runs_in_torch
from ..text import counted
from .assembling import record_of
from .prepare import asked, uncounted
from .record import AUDIT_CSV, AUDIT_JSON
from .report import write_report
from .result import AuditResult
from .tasks import Came, Task, Work, tasks_of

VERIFIED_IMAGES = 16
"""Images that are scored again when an audit goes on."""


@dataclass(frozen=True)
class AuditStep:
    """Where an audit stands; what an observer is given after each task, and after each step of the jobs in it.

    Attributes:
        target: The target's name.
        title: The task that is under way, or was done last.
        done, tasks: How many tasks are done, and how many there are.
        step: The step of the job that the task consists of; None after a task.
    """

    target: str
    title: str
    done: int
    tasks: int
    step: Any = None


class AuditJob(Job[AuditStep]):
    """An audit as a job. Its records are all it needs to go on: a task that is done is not done again.

    Args:
        work: What its tasks work with.
    """

    def __init__(self, work: Work) -> None:
        self.work, self.folder, self.path, self.config = work, work.folder, work.folder.path, work.folder.config
        self.in_torch, self.engine = runs_in_torch(work.prepared.target), work.prepared.engine
        self._tasks, self._done = tasks_of(work.config), self.folder.done()
        keep_ledger(work.prepared.target, self.path)

    @property
    def begun(self) -> bool:
        """Always: choosing the images took queries."""
        return True

    @property
    def reached(self) -> int:
        """The tasks that are done."""
        return len(self._done)

    def steps(self) -> Iterator[AuditStep]:
        """Do the tasks that are left, one by one."""
        for task in self._tasks:
            if task.name in self._done:
                continue
            started = time.monotonic()
            came = self._came(task)
            if not came.interrupted:
                seconds = round(time.monotonic() - started, 3)
                line = TaskLine(task.name, came.why, came.queries, seconds, came.short)
                self.folder.add(line)
                self._done[task.name] = line
            yield self._step(task)
            if came.interrupted:
                return

    def _came(self, task: Task) -> Came:
        """Do a task. One that can't be done says why, and the others go on."""
        observer = self.observer

        def watch(step: Any) -> None:
            assert observer
            observer(self._step(task, step))

        try:
            return task.do(self.work, watch if observer else None)
        except (ConfigError, OutOfQueries) as error:
            return Came(why=str(error), short=isinstance(error, OutOfQueries))

    def _step(self, task: Task, step: Any = None) -> AuditStep:
        return AuditStep(self.work.config.target.name, task.title, len(self._done), len(self._tasks), step)

    def record(self, step: AuditStep, later: Later) -> None:
        """Do nothing: a task is noted when it is done."""

    def close(self) -> None:
        """End the workers, if there are any."""
        self.work.prepared.engine.close()

    def finish(self) -> None:
        """Write the record and the report, as far as the audit got."""
        record = self._record = record_of(self.folder)
        path = self.folder.path
        with writing(path):
            write_atomically(path / AUDIT_JSON, record.to_json())
            write_atomically(path / AUDIT_CSV, record.to_csv())
        write_report(path, record, audit_command(self.folder.config), _planned(self.folder.config))

    def result(self, interrupted: bool) -> AuditResult:
        """Return what the session ended with."""
        left = len(self._done) < len(self._tasks)
        return AuditResult(self.folder.path, self.work.config, self._record, interrupted or left)


class AuditKind:
    """What can be done with the folder of an audit."""

    def open(self, path: Path) -> AuditFolder:
        """Read the folder's config."""
        return AuditFolder.open(path)

    def restore(self, path: Path, *, target: Any, toolbox: Any, changes: Mapping[str, Any], gallery: bool) -> AuditJob:
        """Return the audit with the tasks that are not done yet."""
        folder = AuditFolder.open(path)
        config, short = _with_more(folder, changes), [name for name, line in folder.done().items() if line.short]
        folder.config = config
        check_hook(path, {}, toolbox)
        network = reload_target(config.target, path, target, asking=asked(config.options).model)
        fitting = Fitting(network.classes, network.image_shape, config.resize, config.interpolation)
        prepared = uncounted(PreparedTarget(network, fitting, config.target), config.options, target)
        keep_ledger(prepared.target, path)
        if tuple(network.classes) != config.classes:
            raise RunError(f"{path} was made with other classes than {network.name} has; give the same target")
        with ExitStack() as stack:
            engine = stack.enter_context(closing(opened([(prepared.target, config.target)], config.options)))
            if subjects := folder.subjects[:VERIFIED_IMAGES]:
                known = [(subject.prediction, subject.confidence) for subject in subjects]
                images = [subject.image for subject in subjects]
                verify_scores(engine, path, images, known, resumed=True)
            folder.trim()  # When all is checked: a refusal changes nothing.
            if changes:
                folder.write_config()
            if LIMIT in changes:
                folder.drop(short)
            stack.pop_all()  # From here on the job closes its engine.
        return AuditJob(Work(folder, ServedTarget(prepared.target, fitting, config.target, engine), target))

    def opened(self, path: Path) -> AuditResult:
        """Return what the audit has come to."""
        folder, running = AuditFolder.open(path), is_held(path)
        done = folder.done()
        left = any(task.name not in done for task in tasks_of(folder.config))
        return AuditResult(path, folder.config, record_of(folder), left, running)

    def inspect(self, path: Path) -> dict[str, Any]:
        """Return what the audit is and how far it got."""
        folder = AuditFolder.open(path)
        config, done = folder.config, folder.done()
        tasks, lost = tasks_of(config), folder.unmeasured()
        return {
            "audit": str(path),
            **config.target.facts(),
            "profile": config.options.profile,
            "budget": config.options.budget,
            "seed": config.options.seed,
            "data": config.data.name if config.data else None,
            "images": config.data.chosen if config.data else 0,
            "plan": {name: getattr(config.plan, name) for name in config.plan.__struct_fields__},
            "tasks": len(tasks),
            "done": len(done),
            "finished": all(task.name in done for task in tasks),
            **query_facts(path, config.options),
            "device": config.target.device,
            "damaged": [
                *(f"measured/{name}.npz is missing or damaged; measure it again with --repair" for name in lost),
                *(fault for job in jobs_in(path) for fault in inspect(job).get("damaged", [])),
            ],
            "versions": config.versions,
        }

    def repair(self, path: Path) -> list[str]:
        """Take damaged lines out, have what is damaged measured again, and repair the jobs inside."""
        folder = AuditFolder.open(path)
        dropped = folder.drop_damaged()
        lines = [f"{counted(dropped, 'line')} of {path / 'parts.jsonl'}: taken out"] if dropped else []
        lines += [f"{name}: taken out, to be measured again" for name in folder.drop_unmeasured()]
        return lines + [line for job in jobs_in(path) for line in repair(job)]


def _planned(config: AuditConfig) -> str:
    """Return what an audit's budget came to, in a sentence."""
    queries = counted(config.plan.queries, "query")
    if config.speed is None:
        return f"The plan is made for {queries}. The same command gives the same figures."
    return (
        f"The time came to {queries}, at {config.speed:.3g} images a second as measured at the start. The same "
        "command makes another plan on another machine; a budget in queries does not."
    )


def _with_more(folder: AuditFolder, changes: Mapping[str, Any]) -> AuditConfig:
    """Return an audit's config with a new budget of queries, if one is given.

    Raises:
        ConfigError: It has none, it is spent already, or nothing is left to do with a larger one.
    """
    config, path = folder.config, folder.path
    options, others = with_changes(config.options, changes)
    anew = "; for another plan, make another audit with `budget`"
    if others:
        raise ConfigError(
            f"{path} is an audit: its plan says when it ends; leave {', '.join(map('`{}`'.format, others))} out{anew}"
        )
    if LIMIT not in changes:
        return replace(config, options=options)
    if not (path / LEDGER).exists():
        raise ConfigError(f"{path} is an audit whose queries aren't counted; leave `max_queries` out{anew}")
    spent, done = FolderLedger(path).spent, folder.done()
    if options.max_queries is not None and options.max_queries <= spent:
        raise ConfigError(
            f"`max_queries` must be over the {spent:,} queries that {path} has spent, got {options.max_queries:,}"
        )
    if all(task.name in done and not done[task.name].short for task in tasks_of(config)):
        raise ConfigError(
            f"{path} has done all of its plan of {counted(config.plan.queries, 'query')}, and leaves nothing to "
            f"`max_queries`{anew}; what was asked already is not paid again"
        )
    return replace(config, options=options)


def jobs_in(path: Path) -> list[Path]:
    """Return the folders of the jobs that an audit is made of, as far as they have begun."""
    return sorted(file.parent for file in path.glob(f"*/{CONFIG}"))


KIND = AuditKind()
