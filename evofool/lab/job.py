"""Experiments as jobs: parts of work with their folder, and what is asked of such a folder later."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ..config.experiments import ExperimentConfig
from ..engines.base import Cluster, Engine
from ..engines.opening import opened
from ..errors import ConfigError, RunError
from ..gallery.pages.experiment_page import write_experiment
from ..gallery.pages.run_page import PAGE, write_gallery
from ..io.lock import is_held
from ..jobs.queries import LIMIT, keep_ledger, query_facts, with_changes
from ..jobs.schedule import Later
from ..jobs.session import Job
from ..jobs.swapped import check_hook
from ..jobs.verification import verify_scores
from ..store.experiment import ExperimentFolder
from ..targets.prepare import reload_target
from ..targets.protocols import Target, runs_in_torch
from ..text import counted
from .experiment import Part
from .registry import find
from .result import ExperimentResult
from .spread import in_order

VERIFIED_IMAGES = 16
"""Images that are scored again when an experiment goes on."""


@dataclass(frozen=True)
class ExperimentStep:
    """Where an experiment stands after a part of its work; what an observer is given.

    Attributes:
        experiment, target: Their names.
        done, parts: How many parts are done, and how many there are.
        part: What the last one brought; None while workers do the next ones.
        engine: Whose workers do them, where it has some.
    """

    experiment: str
    target: str
    done: int
    parts: int
    part: Part | None
    engine: Engine


class ExperimentJob(Job[ExperimentStep]):
    """An experiment as a job. Its records are all it needs to go on: parts that have results are not done again.

    Args:
        folder: The experiment's folder.
        targets: The networks that it asks.
        engine: Whose workers do its parts, where it has some.
    """

    engine: Engine

    def __init__(self, folder: ExperimentFolder, targets: Sequence[Target], engine: Engine) -> None:
        self.folder, self.path, self.config = folder, folder.path, folder.config
        self.targets, self.engine = targets, engine
        self.experiment = find(folder.config.experiment)
        self.total = self.experiment.parts(folder.config)
        self.in_torch = any(map(runs_in_torch, targets))
        self._started = time.monotonic()
        for target in targets:
            keep_ledger(target, self.path)

    @property
    def begun(self) -> bool:
        """Whether a part is done."""
        return self.folder.parts > 0

    @property
    def reached(self) -> int:
        """The parts that have results."""
        return self.folder.parts

    def steps(self) -> Iterator[ExperimentStep]:
        """Do the parts that are left, one by one."""
        if isinstance(self.engine, Cluster):
            shared = range(self.folder.parts, self.experiment.spread(self.folder.config))
            for found in in_order(self.engine, self.folder, shared) if shared else ():
                yield self._step(found)
        for number in range(self.folder.parts, self.total):
            yield self._step(self.experiment.work(self.folder, self.targets, number))

    def _step(self, part: Part | None) -> ExperimentStep:
        """Return where the experiment stands after a part, or while workers do some."""
        done = self.folder.parts + (part is not None)
        return ExperimentStep(
            self.folder.config.experiment, self.targets[0].name, done, self.total, part, engine=self.engine
        )

    def record(self, step: ExperimentStep, later: Later) -> None:
        """Write a part's pictures and results."""
        if step.part:
            self.folder.append(*step.part)

    def close(self) -> None:
        """End the workers, if there are any."""
        self.engine.close()

    def finish(self) -> None:
        """Write the pages."""
        self._findings = self.experiment.findings(self.folder)
        write_experiment(self.folder.path, self._findings.page)
        if self._findings.gallery:
            write_gallery([self.folder.path], self.folder.path / PAGE)

    def result(self, interrupted: bool) -> ExperimentResult:
        """Return what the session ended with."""
        seconds = time.monotonic() - self._started
        return ExperimentResult(self.folder.path, self.folder.config, self._findings, seconds, interrupted, self.note)


class ExperimentKind:
    """What can be done with the folder of an experiment."""

    def open(self, path: Path) -> ExperimentFolder:
        """Read the folder's config."""
        return ExperimentFolder.open(path)

    def restore(
        self, path: Path, *, target: Any, toolbox: Any, changes: Mapping[str, Any], gallery: bool
    ) -> ExperimentJob:
        """Return the experiment with the parts that have no results yet."""
        folder = ExperimentFolder.open(path)
        experiment = find(folder.config.experiment)
        options, limits = with_changes(folder.config.options, changes)
        if limits or (LIMIT in changes and not experiment.asks):
            raise ConfigError(f"{path} is an experiment: it ends when all its parts are done; leave the limits out")
        check_hook(path, {}, toolbox)
        config = folder.config = replace(folder.config, options=options)
        experiment.check_engine(options)
        targets = _reloaded(config, path, target)
        if tuple(targets[0].classes) != config.classes:
            raise RunError(f"{path} was made with other classes than {targets[0].name} has; give the same target")
        with ExitStack() as stack:
            networks = list(zip(targets, config.targets, strict=True))
            engine = stack.enter_context(closing(opened(networks, options)))
            job = ExperimentJob(folder, targets, engine)
            if known := list(experiment.known_scores(folder, VERIFIED_IMAGES)):
                images, expected = zip(*known, strict=True)
                verify_scores(engine, path, images, expected, resumed=True)
            folder.trim()  # When all is checked: a refusal changes nothing.
            if changes:
                folder.write_config()
            stack.pop_all()  # From here on the job closes its engine.
        return job

    def opened(self, path: Path) -> ExperimentResult:
        """Return what the experiment has come to."""
        folder, running = ExperimentFolder.open(path), is_held(path)
        experiment = find(folder.config.experiment)
        left = folder.parts < experiment.parts(folder.config)
        return ExperimentResult(path, folder.config, experiment.findings(folder), 0.0, left, running=running)

    def inspect(self, path: Path) -> dict[str, Any]:
        """Return what the experiment is and how far it got."""
        folder = ExperimentFolder.open(path)
        folder.check_images()
        config, experiment = folder.config, find(folder.config.experiment)
        parts = experiment.parts(config)
        return {
            "run": str(path),
            "experiment": config.experiment,
            "target": config.target.name,
            "weights_sha256": config.target.weights_sha256,
            **config.facts(),
            "seed": config.options.seed,
            "parts": parts,
            "done": folder.parts,
            "finished": folder.parts == parts,
            **query_facts(path, config.options),
            "device": config.target.device,
            "versions": config.versions,
        }

    def repair(self, path: Path) -> list[str]:
        """Take out the first damaged part and those after it; they are done again."""
        folder = ExperimentFolder.open(path)
        dropped = folder.drop_damaged(find(folder.config.experiment).result)
        return [f"{counted(dropped, 'line')} of {path / 'results.jsonl'}: taken out"] if dropped else []


def _reloaded(config: ExperimentConfig, path: Path, given: Any) -> list[Target]:
    """Return the networks that a config describes; ``given`` is the user's own one, or a list of them in order."""
    asking = config.options.model
    if len(config.targets) == 1:
        return [reload_target(config.target, path, given, asking=asking)]
    own = list(given) if isinstance(given, list | tuple) else [] if given is None else [given]
    targets = [
        reload_target(record, path, own.pop(0) if record.own and own else None, asking=asking)
        for record in config.targets
    ]
    if own:
        raise RunError(f"{path} was made with fewer targets of your own; leave {own[0].name} out")
    return targets


KIND = ExperimentKind()
