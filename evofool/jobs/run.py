"""Runs as jobs: an evolution with its folder, and what is asked of such a folder later."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..config.budget import Budget
from ..config.evolve import BUDGET, EvolveOptions, settings_of
from ..config.records import RunConfig
from ..encodings import registry as encodings
from ..engines.base import Engine
from ..engines.opening import opened
from ..engines.toolbox import Hook
from ..errors import ConfigError, OutOfQueries, TargetError, suggestion
from ..gallery.pages.run_page import write_run_page
from ..gallery.prints.sheet import write_sheet
from ..io.arrays import Arrays
from ..io.files import writing
from ..search.evolution import Evolution
from ..search.profiler import SAVING, Profiler
from ..search.progress import Progress
from ..store.elites import Elites, LinesByNiche
from ..store.history.recorder import Recorder
from ..store.run import RunFolder
from ..targets.prepare import reload_target
from ..targets.protocols import Target, runs_in_torch
from ..text import counted
from .queries import keep_ledger, query_facts, spent_by, with_changes
from .result import Result
from .schedule import Later, Work
from .session import Job, Refresh
from .swapped import check_hook, check_same

DECODED_PIXELS = 2**22
"""Pixels of new elites that are decoded between two generations for their files."""


class RunStep:
    """Where a run stands after a generation; what an observer is given.

    Attributes:
        progress: The generation's figures.
        evolution: The evolution, to look at.
        budget: When the run ends by itself.
        confidence: (M,) float32. The confidence of each class's surest elite, as the figures have it.
    """

    def __init__(self, progress: Progress, evolution: Evolution, budget: Budget) -> None:
        self.progress, self.evolution, self.budget = progress, evolution, budget
        self.confidence = evolution.archive.surest_confidence()


class RunJob(Job[RunStep]):
    """An evolution as a job.

    Args:
        evolution: A new evolution, or one restored from the folder's checkpoint.
        config: The run's config.
        folder: Where it is written; None keeps all in memory.
        gallery: Whether ``index.html`` is kept up to date, and written with the contact sheet at the end.
        profiler: Measures where the time of the loop goes.
    """

    config: RunConfig

    def __init__(
        self,
        evolution: Evolution,
        config: RunConfig,
        folder: RunFolder | None = None,
        *,
        gallery: bool = True,
        profiler: Profiler | None = None,
    ) -> None:
        self.evolution, self.config, self.folder = evolution, config, folder
        self.engine = evolution.engine
        self.gallery = gallery and folder is not None
        self.path = folder.path if folder else None
        self.checkpoints = folder.checkpoints if folder else None
        self.in_torch = runs_in_torch(evolution.target)
        self._recorder: Recorder | None = None
        self._saved = evolution.search.generation or None
        self._seen: np.ndarray | None = None
        self._lines: LinesByNiche | None = None
        self._sheet: Path | None = None
        self._missing = ""
        self._page: Path | None = None
        self._profiler = profiler
        self._spent = False
        if profiler:
            profiler.attach(evolution)

    @property
    def begun(self) -> bool:
        """Whether a generation has ended, or something was paid."""
        return bool(self.evolution.search.generation or spent_by(self.evolution.target))

    @property
    def reached(self) -> int:
        """The generations so far."""
        return self.evolution.search.generation

    @property
    def consistent(self) -> bool:
        """Whether the generation that was not told, if any, waits for another session."""
        return self.evolution.consistent and self.evolution.search.generation > 0

    def steps(self) -> Iterator[RunStep]:
        """Evolve until the budget is spent."""
        budget = self.config.options.budget
        try:
            for progress in self.evolution.run(budget):
                yield RunStep(progress, self.evolution, budget)
        except OutOfQueries as error:
            if not self.evolution.search.generation:
                raise ConfigError(
                    f"`max_queries` ends within the first generation, {spent_by(self.evolution.target):,} are spent; "
                    "allow more, at least as many as `batch`"
                ) from error
            raise
        finally:
            if self._profiler:
                self._profiler.stop()

    def begin(self, later: Later) -> None:
        """Cut the history back to where the evolution goes on from."""
        if self.folder:
            self._recorder = Recorder(self.folder.history, later)
            self._recorder.resume(self.evolution)

    def record(self, step: RunStep, later: Later) -> None:
        """Write the generation's figures, and note which elites changed."""
        if self.folder and self._recorder:
            later(partial(self.folder.append_metrics, step.progress))
            self._recorder.record(self.evolution)

    def state(self) -> Arrays | None:
        """Return the evolution's state, where there was a generation since the last call."""
        generation = self.evolution.search.generation
        if self._recorder:
            self._recorder.flush(self.evolution)
        if generation == self._saved:
            return None
        self._saved = generation
        return self.evolution.state()

    @property
    def left(self) -> str:
        """The elites that still are provisional."""
        waiting = self.evolution.archive.waiting()
        return f"confirming {counted(waiting, 'elite')}" if waiting else ""

    def conclude(self, later: Later) -> None:
        """Confirm the elites that still are provisional, and put their figures in the last generation's line."""
        self._spent = self.evolution.spent(self.config.options.budget)
        if not self.consistent:
            return
        if self.evolution.confirm_elites() and self.folder:
            later(partial(self.folder.correct_metrics, self.evolution.figures()))
        if self._profiler:
            self._profiler.stop()

    def refresh(self, interval: float, *, last: bool) -> Refresh | None:
        """Decode the elites that changed, bit by bit, then write them and the page."""
        if not self.folder or not self._recorder or not self.evolution.search.generation:
            return None
        self._recorder.flush(self.evolution)
        elites, folder = self._changed(), self.folder
        page = self.gallery and not last

        def write() -> None:
            folder.save_elites(elites)
            if page:
                write_run_page(folder.path, every=interval)
                folder.page_written()

        return _decoded(elites, write)

    def finish(self) -> None:
        """Write the contact sheet and the page."""
        if self.folder and self.gallery and self.evolution.search.generation:
            self._sheet, self._missing = write_sheet(self.folder.path)
            self._page = write_run_page(self.folder.path)
            self.folder.page_written()

    def close(self) -> None:
        """End the workers, if there are any."""
        self.evolution.engine.close()

    def saving(self) -> AbstractContextManager[None]:
        """Let the profiler count what is written between two generations."""
        return self._profiler.phase(SAVING) if self._profiler else nullcontext()

    def result(self, interrupted: bool) -> Result:
        """Return what the run ended with."""
        return Result.of(
            self.evolution,
            self.config,
            self.path,
            self._page,
            self._sheet,
            interrupted=not self._spent,
            note=self.note,
            missing=self._missing,
        )

    def _changed(self) -> Elites:
        """Return the elites that are new since the last call, or were provisional then."""
        archive = self.evolution.archive
        seen = np.where(archive.provisional, -2 - archive.evaluation_id, archive.evaluation_id)
        changed = None if self._seen is None else np.flatnonzero(seen != self._seen)
        self._seen = seen
        elites = Elites.of(self.evolution, changed, self._lines)
        self._lines = elites.lines_by_niche
        return elites


def _decoded(elites: Elites, write: Work) -> Refresh:
    """Decode elites, so many pixels at a time; the end gives what writes them."""
    while not elites.decode(DECODED_PIXELS):
        yield
    return write


def evolution_of(
    config: RunConfig, target: Target, hook: Hook | None = None, engine: Engine | None = None
) -> Evolution:
    """Return the evolution that a config describes, before its first generation."""
    options = config.options
    encoding = encodings.build(options.encoding, settings_of(options), target.image_shape, config.target.device)
    return Evolution(target, encoding, options, engine=engine, toolbox=hook)


class RunKind:
    """What can be done with the folder of a run."""

    def open(self, path: Path) -> RunFolder:
        """Read the folder's config."""
        return RunFolder.open(path)

    def restore(
        self, path: Path, *, target: Any, toolbox: Hook | None, changes: Mapping[str, Any], gallery: bool
    ) -> RunJob:
        """Return the run where its last checkpoint left it, with its budget or a new one."""
        folder = RunFolder.open(path)
        check_hook(path, folder.config.swapped, toolbox)
        options, limits = with_changes(folder.config.options, changes)
        wanted = _budget_of(limits)
        folder.config = msgspec.structs.replace(folder.config, options=options)
        if not wanted.empty:
            folder.config = folder.with_budget(wanted)
        network = reload_target(folder.config.target, path, target, asking=options.model)
        keep_ledger(network, path)
        with ExitStack() as stack:
            engine = stack.enter_context(closing(opened([(network, folder.config.target)], options, target)))
            evolution = evolution_of(folder.config, network, toolbox, engine)
            check_same(path, folder.config.swapped, evolution.swapped)
            folder.load_checkpoint(evolution)
            if evolution.archive.genomes is not None:
                _verify_determinism(evolution, path)
            if not wanted.empty:
                _check_left(evolution, wanted, folder)
            folder.trim_metrics(evolution.search.generation)
            if evolution.archive.provisional.any():
                folder.correct_metrics(evolution.figures())
            if changes:
                folder.write_config()
            job = RunJob(evolution, folder.config, folder, gallery=gallery)
            stack.pop_all()  # From here on the job closes its engine.
        return job

    def opened(self, path: Path) -> Result:
        """Return what the run has come to."""
        return Result.opened(RunFolder.open(path))

    def inspect(self, path: Path) -> dict[str, Any]:
        """Return what the run is and how far it got.

        ``saved`` is what a resume goes on from, ``damaged`` what is to be repaired, in words, and ``elites`` are the
        lines of ``elites.jsonl``.
        """
        run = RunFolder.open(path)
        config, elites, metrics = run.config, run.elites(), run.metrics()
        options, target, last = config.options, config.target, metrics[-1] if metrics else {}
        shown = ("generation", "evaluations", "confirmations", "seconds", "median", "mean", "min", "at_99")
        chosen = ["emitters", "descriptors", "novelty", "bins", "apart"]
        if "select" not in config.swapped:
            chosen.insert(0, "selector")
        several = {"pictures": last.get("elites"), "qd_score": last.get("qd_score")} if options.bins else {}
        return {
            "run": str(path),
            **target.facts(),
            "encoding": options.encoding,
            "preset": options.preset,
            "batch": options.batch,
            "seed": options.seed,
            "budget": {name: limit for name, limit in vars(options.budget).items() if limit is not None},
            **{key: last.get(key) for key in shown},
            **{name: _plain(getattr(options, name)) for name in chosen if getattr(options, name)},
            **several,
            **({"swapped": config.swapped} if config.swapped else {}),
            "classes": len(config.class_indices),
            "niches": config.niches,
            **query_facts(path, options),
            "device": target.device,
            "precision": target.precision,
            "versions": config.versions,
            "saved": dict(zip(("generation", "evaluations"), saved, strict=True)) if (saved := run.saved()) else None,
            "damaged": run.damage(),
            "elites_written": _are_written(elites, metrics),
            "elites": elites,
        }

    def repair(self, path: Path) -> list[str]:
        """Go back to the checkpoint before a damaged one, set damaged parts of the history aside, and take damaged
        lines of ``metrics.jsonl`` out."""
        run, done = RunFolder.open(path), []
        if fault := run.checkpoints.go_back():
            generation = int(run.checkpoints.load()["search.counts"][0])
            done.append(f"{fault}: went back to the checkpoint before it, of generation {generation}")
        for file, fault in run.history.damaged():
            with writing(path):
                os.replace(file, file.with_name(f"{file.name}.damaged"))
            done.append(f"{fault}: set aside; the ancestors in it are not shown")
        if dropped := run.drop_damaged_metrics():
            done.append(f"{counted(dropped, 'damaged line')} of {path / 'metrics.jsonl'}: taken out")
        return done


def _budget_of(limits: Mapping[str, Any]) -> Budget:
    """Return a new budget from what a user gave, by Python names."""
    for name in limits:
        if name not in BUDGET:
            limits_are = ", ".join(f"`{limit}`" for limit in BUDGET)
            raise ConfigError(f"`{name}` is no limit of a run{suggestion(name, BUDGET)}; limits are {limits_are}")
    return EvolveOptions.of(limits).budget


def _verify_determinism(evolution: Evolution, path: Path) -> None:
    """Check that a restored evolution's target gives the scores on record."""
    try:
        evolution.verify_determinism(resumed=True)
    except TargetError as error:
        raise TargetError(f"{path} has other scores on record: {error}") from error


def _check_left(evolution: Evolution, wanted: Budget, folder: RunFolder) -> None:
    """Refuse a new budget that was spent before the last generation. One that the run has just reached is done."""
    search, path = evolution.search, folder.path
    earlier = [line for line in folder.metrics() if line["generation"] < search.generation][-1:]
    approximate = bool(evolution.archive.provisional.any())  # then no line tells whether a median was reached
    if not any(
        wanted.spent(line["generation"], line["evaluations"], line["seconds"], 0.0 if approximate else line["median"])
        for line in earlier
    ):
        return
    further = f"`generations={2 * search.generation}`"
    if wanted.evaluations:
        further = f"`evaluations={2 * search.evaluations}`"
    raise ConfigError(
        f"{path} is past that already: {counted(search.generation, 'generation')}, "
        f"{counted(search.evaluations, 'evaluation')}, {evolution.seconds / 60:.1f} minutes; "
        f"ask for more in all, as in {further}"
    )


def _are_written(elites: list[dict[str, Any]], metrics: list[dict[str, Any]]) -> bool:
    """Return whether the files of elites are those of the last generation. A killed run may have had newer ones."""
    won = [line["generation"] for line in metrics if line["improved"]]
    return not won or max((line["generation"] for line in elites), default=0) >= won[-1]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


KIND = RunKind()
