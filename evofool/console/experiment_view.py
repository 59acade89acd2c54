"""How far an experiment is: parts, time, and what is left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..observers.rates import Clock, ExperimentRate
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
        self.rate = ExperimentRate(now)

    def note(self, step: ExperimentStep) -> None:
        """Take the next part."""
        self.rate.note(step)

    def describe(self, step: ExperimentStep) -> Snapshot:
        """Return how far the experiment is."""
        times = f"{clock(self.rate.elapsed)}   remaining {clock(self.rate.remaining(step))}"
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
