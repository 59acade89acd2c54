"""One sitting of an evolution: the loop with its folder, until the budget is spent or someone stops it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..config.budget import Budget
from ..gallery.pages.run_page import write_run_page
from ..gallery.prints.sheet import write_sheet
from ..io.interrupts import interruptible
from ..io.writer import Writer
from ..search.evolution import Evolution, Progress
from ..search.profiler import SAVING, Profiler
from ..store.history.recorder import Recorder
from ..store.run import Elites, Lines, RunFolder
from .result import Result

CHECKPOINT_SECONDS = 20.0
"""between two checkpoints, at least: what a killed run repeats, unless its checkpoints are large; below 0: one after
every generation"""
CHECKPOINT_SHARE = 0.02
"""of the time that checkpoints may take; large ones are written less often"""
PAGE_SECONDS = 3.0
"""between two refreshes of the page, and of the elites' files that it shows, at least"""
PAGE_SHARE = 0.02
"""of the time that refreshing these may take"""

DECODED = 2**22
"""pixels of new elites that are decoded between two generations, for their files"""

Observer = Callable[[Progress, Evolution], None]


Do = Callable[[Callable[[], object]], object]


class Pace:
    """When work is due that comes again and again and may take only a share of the time.

    Args:
        least: seconds between the end of one and the beginning of the next, at least.
        share: of the time.
    """

    def __init__(self, least: float, share: float) -> None:
        self.every, self._least, self._share = least, least, share
        self.spent = 0.0
        self._next, self._under_way = 0.0, False

    def begun(self) -> None:
        """It was done just now."""
        self._next = time.monotonic() + self.every

    def due(self) -> bool:
        """Whether it is time, and the last one is done."""
        return self._least < 0 or (not self._under_way and time.monotonic() >= self._next)

    def timed(self, writer: Writer) -> Do:
        """What gives the writer jobs whose time counts, together."""
        took = 0.0

        def timed(job: Callable[[], object]) -> None:
            nonlocal took
            started = time.monotonic()
            job()
            spent = time.monotonic() - started
            took += spent
            self.spent += spent
            self.every = max(self._least, took / self._share)
            self.begun()
            self._under_way = False

        def do(job: Callable[[], object]) -> None:
            self._under_way = True
            writer.do(partial(timed, job))

        return do


class Sitting:
    """The loop with its folder: checkpoints now and then, and whatever ends it, nothing is lost.

    Args:
        evolution: new, or restored; the folder has its checkpoint.
        budget: when it ends by itself.
        folder: to write to, or None.
        config: for the result.
        gallery: keep ``index.html`` up to date, and write it and the contact sheet at the end.
        watch: tells where the time of the loop goes.
    """

    def __init__(
        self,
        evolution: Evolution,
        budget: Budget,
        folder: RunFolder | None,
        config: dict[str, Any],
        *,
        gallery: bool = True,
        watch: Profiler | None = None,
    ) -> None:
        self.evolution, self.budget, self.folder, self.config = evolution, budget, folder, config
        self.gallery = gallery and folder is not None
        self._seen: np.ndarray | None = None
        self._lines: Lines | None = None
        self._checkpoints = Pace(CHECKPOINT_SECONDS, CHECKPOINT_SHARE)
        self._pages = Pace(PAGE_SECONDS if self.gallery else CHECKPOINT_SECONDS, PAGE_SHARE)
        self._saved = evolution.strategy.generation
        self._under_way: tuple[Elites, Callable[[], object]] | None = None
        self._watch = watch or Profiler()
        if watch:
            watch.attach(evolution)

    def run(self, observer: Observer | None) -> Result:
        """Evolve until the budget is spent, or Ctrl-C or SIGTERM comes."""
        sheet = page = None
        with interruptible() as stopped:
            if self.folder is None:
                for progress in self.evolution.run(self.budget):
                    if observer:
                        observer(progress, self.evolution)
                    if stopped():
                        break
                self._watch.stop()
            else:
                with Writer() as writer:
                    self._recorded(self.folder, writer, observer, stopped)
                if self.gallery and self.evolution.archive.genomes is not None:
                    sheet, page = write_sheet(self.folder.path), write_run_page(self.folder.path)
                    self.folder.page_written()
        return self.result(sheet, page)

    def _recorded(
        self, folder: RunFolder, writer: Writer, observer: Observer | None, stopped: Callable[[], bool]
    ) -> None:
        """The loop, with all that happens kept in the folder."""
        evolution, recorder = self.evolution, Recorder(folder.history, writer.do)
        recorder.go_on(evolution)
        self._checkpoints.begun()
        for progress in evolution.run(self.budget):
            with self._watch.phase(SAVING):
                writer.do(partial(folder.append_metrics, progress))
                recorder.note(evolution)
            if observer:
                observer(progress, evolution)
            if stopped():
                break
            with self._watch.phase(SAVING):
                if self._checkpoints.due():
                    self._save(folder, recorder, writer)
                if self._under_way:
                    self._go_on(DECODED)
                elif self._pages.due():
                    self._show(folder, recorder, writer, page=self.gallery)
        self._watch.stop()
        self._go_on()
        if evolution.archive.genomes is not None:
            self._save(folder, recorder, writer)
            self._show(folder, recorder, writer, page=False)
            self._go_on()

    def _save(self, folder: RunFolder, recorder: Recorder, writer: Writer) -> None:
        """Let a checkpoint be written, where there was a generation since the last."""
        recorder.flush(self.evolution)
        if self.evolution.strategy.generation > self._saved:
            self._saved = self.evolution.strategy.generation
            self._checkpoints.timed(writer)(partial(folder.checkpoints.save, self.evolution.state()))

    def _show(self, folder: RunFolder, recorder: Recorder, writer: Writer, *, page: bool) -> None:
        """Begin to write the elites that are new, and the page: when they are decoded."""
        recorder.flush(self.evolution)
        elites, every = self._changed(), self._pages.every

        def write() -> None:
            folder.save_elites(elites)
            if page:
                write_run_page(folder.path, every=every)
                folder.page_written()

        self._under_way = elites, partial(self._pages.timed(writer), write)
        self._go_on(DECODED)

    def _go_on(self, pixels: int | None = None) -> None:
        """Decode so many pixels, or all, of what is to be written."""
        if self._under_way:
            elites, write = self._under_way
            if elites.decode(pixels):
                self._under_way = None
                write()

    def _changed(self) -> Elites:
        """What is new among the elites since the last call."""
        evaluation_id = self.evolution.archive.evaluation_id
        dirty = None if self._seen is None else np.flatnonzero(evaluation_id != self._seen)
        self._seen = evaluation_id.copy()
        elites = Elites.of(self.evolution, dirty, self._lines)
        self._lines = elites.line_of
        return elites

    def result(self, sheet: Path | None, page: Path | None) -> Result:
        evolution = self.evolution
        archive, target, strategy = evolution.archive, evolution.target, evolution.strategy
        held = archive.held()
        return Result(
            classes=[target.classes[i] for i in archive.niches[held]],
            indices=archive.niches[held],
            confidence=archive.confidence[held],
            images=evolution.encoding.decode(archive.genomes.take(held)).cpu().numpy(),
            places=evolution.diversity.told(archive, held) if evolution.diversity else None,
            niches=len(archive),
            generations=strategy.generation,
            evaluations=strategy.evaluations,
            seconds=evolution.seconds,
            run=self.folder.path if self.folder else None,
            gallery=sheet,
            page=page,
            interrupted=not evolution.spent(self.budget),
            config=self.config,
        )
