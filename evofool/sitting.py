"""One sitting of an evolution: the loop with its folder, until the budget is spent or someone stops it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .budget import Budget
from .evolution import Evolution, Progress
from .gallery.sheet import write_sheet
from .interrupt import interruptible
from .result import Result
from .run import RunFolder

CHECKPOINT_SECONDS = 20.0
"""between two checkpoints; what a killed run repeats at most"""

Observer = Callable[[Progress, Evolution], None]


class Sitting:
    """The loop with its folder: checkpoints now and then, and whatever ends it, nothing is lost.

    Args:
        evolution: new, or restored.
        budget: when it ends by itself.
        folder: to write to, or None.
        config: for the result.
    """

    def __init__(self, evolution: Evolution, budget: Budget, folder: RunFolder | None, config: dict[str, Any]) -> None:
        self.evolution, self.budget, self.folder, self.config = evolution, budget, folder, config
        self.dirty: np.ndarray | None = None

    def run(self, observer: Observer | None) -> Result:
        """Evolve until the budget is spent, or Ctrl-C or SIGTERM comes."""
        evolution, folder = self.evolution, self.folder
        saved = time.monotonic()
        with interruptible() as stopped:
            for progress in evolution.run(self.budget):
                if folder:
                    folder.append_metrics(progress)
                if observer:
                    observer(progress, evolution)
                if stopped():
                    break
                if folder and time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self.save(folder)
                    saved = time.monotonic()
            gallery = None
            if folder and evolution.archive.genomes is not None:
                self.save(folder)
                gallery = write_sheet(folder.path)
        return self.result(gallery)

    def save(self, folder: RunFolder) -> None:
        """Checkpoint, then the pictures of new elites."""
        folder.save_checkpoint(self.evolution)
        born = self.evolution.archive.born
        dirty = None if self.dirty is None else np.flatnonzero(born != self.dirty)
        folder.save_elites(self.evolution, dirty)
        self.dirty = born.copy()

    def result(self, gallery: Path | None) -> Result:
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
            gallery=gallery,
            interrupted=not evolution.spent(self.budget),
            config=self.config,
        )
