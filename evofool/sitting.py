"""One sitting of an evolution: the loop with its folder, until the budget is spent or someone stops it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .budget import Budget
from .evolution import Evolution, Progress
from .gallery.run_page import write_run_page
from .gallery.sheet import write_sheet
from .history.recorder import Recorder
from .interrupt import interruptible
from .result import Result
from .run import RunFolder

CHECKPOINT_SECONDS = 20.0
"""between two checkpoints, at least: what a killed run repeats, unless its checkpoints are large"""
CHECKPOINT_SHARE = 0.02
"""of the time that checkpoints may take; large ones are written less often"""
PAGE_SECONDS = 3.0
"""between two refreshes of the page, at least"""
PAGE_SHARE = 0.02
"""of the time that refreshing the page may take"""

Observer = Callable[[Progress, Evolution], None]


class Sitting:
    """The loop with its folder: checkpoints now and then, and whatever ends it, nothing is lost.

    Args:
        evolution: new, or restored; the folder has its checkpoint.
        budget: when it ends by itself.
        folder: to write to, or None.
        config: for the result.
        gallery: keep ``index.html`` up to date, and write it and the contact sheet at the end.
    """

    def __init__(
        self,
        evolution: Evolution,
        budget: Budget,
        folder: RunFolder | None,
        config: dict[str, Any],
        *,
        gallery: bool = True,
    ) -> None:
        self.evolution, self.budget, self.folder, self.config = evolution, budget, folder, config
        self.gallery = gallery and folder is not None
        self.recorder = Recorder(folder.path) if folder else None
        self.dirty: np.ndarray | None = None
        self.every = PAGE_SECONDS
        self._saved = evolution.strategy.generation

    def run(self, observer: Observer | None) -> Result:
        """Evolve until the budget is spent, or Ctrl-C or SIGTERM comes."""
        evolution, folder, recorder = self.evolution, self.folder, self.recorder
        checkpoint, due = time.monotonic() + CHECKPOINT_SECONDS, 0.0
        if recorder:
            recorder.go_on(evolution)
        with interruptible() as stopped:
            for progress in evolution.run(self.budget):
                if folder:
                    folder.append_metrics(progress)
                if recorder:
                    recorder.note(evolution)
                if observer:
                    observer(progress, evolution)
                if stopped():
                    break
                if folder and time.monotonic() >= checkpoint:
                    checkpoint = self._checkpoint(folder)
                if folder and self.gallery and time.monotonic() >= due:
                    due = self._refresh(folder)
            sheet = page = None
            if folder and evolution.archive.genomes is not None:
                self.save(folder)
                if self.gallery:
                    sheet, page = write_sheet(folder.path), write_run_page(folder.path)
        return self.result(sheet, page)

    def save(self, folder: RunFolder) -> None:
        """Checkpoint, then the pictures of new elites."""
        if self.recorder:
            self.recorder.flush(self.evolution)
        generation = self.evolution.strategy.generation
        if generation > self._saved:
            folder.save_checkpoint(self.evolution)
            self._saved = generation
        self._save_elites(folder)

    def result(self, sheet: Path | None, page: Path | None) -> Result:
        evolution = self.evolution
        archive, target, strategy = evolution.archive, evolution.target, evolution.strategy
        return Result(
            classes=[target.classes[i] for i in archive.niches],
            indices=archive.niches,
            confidence=archive.confidence.cpu().numpy(),
            images=evolution.encoding.decode(archive.genomes).cpu().numpy(),
            generations=strategy.generation,
            evaluations=strategy.evaluations,
            seconds=evolution.seconds,
            run=self.folder.path if self.folder else None,
            gallery=sheet,
            page=page,
            interrupted=not evolution.spent(self.budget),
            config=self.config,
        )

    def _checkpoint(self, folder: RunFolder) -> float:
        """Save; returns when to do it again."""
        started = time.monotonic()
        self.save(folder)
        now = time.monotonic()
        return now + max(CHECKPOINT_SECONDS, (now - started) / CHECKPOINT_SHARE)

    def _save_elites(self, folder: RunFolder) -> None:
        """Write the pictures of elites that are new since the last call."""
        born = self.evolution.archive.born
        dirty = None if self.dirty is None else np.flatnonzero(born != self.dirty)
        folder.save_elites(self.evolution, dirty)
        self.dirty = born.copy()

    def _refresh(self, folder: RunFolder) -> float:
        """Write the page as things stand; returns when to do it again."""
        started = time.monotonic()
        if self.recorder:
            self.recorder.flush(self.evolution)
        self._save_elites(folder)
        write_run_page(folder.path, every=self.every)
        now = time.monotonic()
        self.every = max(PAGE_SECONDS, (now - started) / PAGE_SHARE)
        return now + self.every
