"""How far an audit is: its tasks, and the job that is under way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..observers.rates import Clock
from ..observers.under_way import UnderWay
from ..text import clock
from .campaign_view import CampaignView
from .experiment_view import ExperimentView
from .live import Snapshot, View
from .run_view import RunView

if TYPE_CHECKING:
    from ..audits.job import AuditStep
    from ..sweeps.job import SweepStep

VIEWS: dict[str, type[Any]] = {"RunStep": RunView, "CampaignStep": CampaignView, "ExperimentStep": ExperimentView}
"""Views by the kind of step that they describe."""


class AuditView:
    """Describes the steps of an audit, and those of the job that is under way.

    Args:
        now: The clock; the session starts when the view is made.
    """

    notes: Sequence[str] = ()
    kind, noun = "audit", "tasks"

    def __init__(self, now: Clock = time.monotonic) -> None:
        self._now, self._started = now, now()
        self._under_way = UnderWay[View](lambda step: VIEWS[type(step).__name__]())

    def note(self, step: AuditStep | SweepStep) -> None:
        """Take a step, and give that of the job under way to the view that describes it."""
        self._under_way.note(step)

    def describe(self, step: AuditStep | SweepStep) -> Snapshot:
        """Return how far the audit is."""
        view = self._under_way.inner
        inner = view.describe(step.step) if view else None
        elapsed = clock(self._now() - self._started)
        inside = f"  {inner.line}" if inner else ""
        share = (step.done + (inner.share or 0.0 if inner else 0.0)) / step.tasks
        return Snapshot(
            title=f"{step.target} · {self.kind} · {step.title}",
            rows=[(self.noun, f"{step.done} of {step.tasks} done   {elapsed}"), *(inner.rows if inner else ())],
            share=min(1.0, share),
            line=f"{self.noun} {step.done}/{step.tasks}  {step.title}  elapsed {elapsed}{inside}",
        )
