"""How far an experiment is: parts, time, and what is left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..observers.rates import Clock
from ..text import clock
from .live import Snapshot
from .phrases import describe_workers

if TYPE_CHECKING:
    from ..lab.job import ExperimentStep


class ExperimentView:
    """Describes the steps of an experiment.

    Args:
        now: The clock; the session starts when the view is made.
    """

    notes: Sequence[str] = ()

    def __init__(self, now: Clock = time.monotonic) -> None:
        self._now, self._started, self._noted = now, now(), 0

    def note(self, step: ExperimentStep) -> None:
        """Count the parts of this session."""
        self._noted += step.part is not None

    def describe(self, step: ExperimentStep) -> Snapshot:
        """Return how far the experiment is."""
        elapsed = self._now() - self._started
        remaining = elapsed / max(1, self._noted) * (step.parts - step.done)
        times = f"{clock(elapsed)}   remaining {clock(remaining)}"
        return Snapshot(
            title=f"{step.target} · {step.experiment}",
            rows=[
                ("parts", f"{step.done:,} of {step.parts:,}"),
                ("elapsed", times),
                *describe_workers(step.engine),
            ],
            share=step.done / step.parts,
            line=f"parts {step.done:,}/{step.parts:,}  elapsed {times}",
        )
