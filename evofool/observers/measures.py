"""What the steps of each kind of job say in figures."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from .events import JobProgress
from .pictures import attempts_sheet, elites_sheet
from .rates import CampaignRate, Clock, RunRate

if TYPE_CHECKING:
    from ..attacks.outcome import Outcome
    from ..audits.job import AuditStep
    from ..config.budget import Budget
    from ..jobs.campaign import CampaignStep
    from ..jobs.run import RunStep
    from ..lab.job import ExperimentStep
    from ..search.progress import Progress
    from ..sweeps.job import SweepStep

SUCCESSES_DRAWN = 24
"""How many of a campaign's last successes are drawn."""


class Measure(Protocol):
    """Puts the steps of a job into figures. Every step is noted; of some, the figures are asked for."""

    def note(self, step: Any) -> None:
        """Take every step of the job, in order."""

    def progress(self, step: Any) -> JobProgress:
        """Return how far the job is after a step, the last one that was noted."""
        ...


class RunMeasure:
    """The figures of a run, of which a step is a generation.

    Args:
        now: The clock; the session starts when the measure is made.
    """

    def __init__(self, now: Clock = time.monotonic) -> None:
        self._now, self._started, self.rate = now, now(), RunRate()

    def note(self, step: RunStep) -> None:
        """Take the next generation."""
        self.rate.note(step.progress)

    def progress(self, step: RunStep) -> JobProgress:
        """Return how far the run is."""
        progress, evolution = step.progress, step.evolution
        unit, done, total = _nearest(progress, step.budget)
        images = self.rate.images_per_second
        speeds = {"evaluations": images, "generations": images * progress.generation / progress.evaluations}
        figures = {**vars(progress), "coverage": progress.elites / len(evolution.archive), "images_per_second": images}
        return JobProgress(
            step=progress.generation,
            done=done,
            total=total,
            unit=unit,
            per_second=speeds.get(unit, 1.0) or None,
            eta=self.rate.remaining(progress, step.budget),
            seconds=self._now() - self._started,
            figures=figures,
            pictures=lambda: elites_sheet(evolution),
        )


class CampaignMeasure:
    """The figures of a campaign, of which a step is a batch of candidates.

    Args:
        now: The clock; the session starts when the measure is made.
    """

    def __init__(self, now: Clock = time.monotonic) -> None:
        self._now, self._started, self.rate = now, now(), CampaignRate(now)
        self._first: int | None = None
        self._successes: deque[Outcome] = deque(maxlen=SUCCESSES_DRAWN)

    def note(self, step: CampaignStep) -> None:
        """Take the next batch."""
        self.rate.note(step)
        self._first = step.done - len(step.new) if self._first is None else self._first
        self._successes.extend(outcome for outcome in step.new if outcome["success"])

    def progress(self, step: CampaignStep) -> JobProgress:
        """Return how far the campaign is."""
        statistics, campaign = step.statistics, step.campaign
        seconds = self._now() - self._started
        speed = (step.done - (self._first or 0)) / seconds if seconds > 0 else 0.0
        figures = {
            "running": campaign.running,
            "successes": statistics.successes,
            "failures": statistics.failures,
            "success_rate": statistics.rate,
            "queries": statistics.queries,
            "queries_per_second": self.rate.queries_per_second,
        }
        if step.baseline:
            figures["random_success_rate"] = step.baseline.rate
        successes = list(self._successes)
        return JobProgress(
            step=step.done,
            done=step.done,
            total=step.expected,
            unit="attempts",
            per_second=speed or None,
            eta=self.rate.remaining,
            seconds=seconds,
            figures=figures,
            pictures=lambda: attempts_sheet(campaign.subjects, successes),
        )


class ExperimentMeasure:
    """The figures of an experiment, of which a step is a part of its work.

    Args:
        now: The clock; the session starts when the measure is made.
    """

    def __init__(self, now: Clock = time.monotonic) -> None:
        self._now, self._started, self._noted = now, now(), 0

    def note(self, step: ExperimentStep) -> None:
        """Count the parts of this session."""
        self._noted += step.part is not None

    def progress(self, step: ExperimentStep) -> JobProgress:
        """Return how far the experiment is."""
        seconds = self._now() - self._started
        return JobProgress(
            step=step.done,
            done=step.done,
            total=step.parts,
            unit="parts",
            per_second=self._noted / seconds if seconds > 0 else None,
            eta=seconds / max(1, self._noted) * (step.parts - step.done),
            seconds=seconds,
            figures={},
        )


class AuditMeasure:
    """The figures of an audit, of which a step is a task, or a step of the job that the task consists of.

    Args:
        now: The clock; the session starts when the measure is made.
    """

    unit = "tasks"

    def __init__(self, now: Clock = time.monotonic) -> None:
        self._now, self._started = now, now()
        self._task, self._done = "", 0.0
        self._inner: Measure | None = None

    def note(self, step: AuditStep | SweepStep) -> None:
        """Take a step, and give that of the job under way to its own measure."""
        if step.title != self._task or step.step is None:
            self._task, self._inner = step.title, None
        if step.step is not None:
            if self._inner is None:
                self._inner = MEASURES[type(step.step).__name__](self._now)
            self._inner.note(step.step)

    def progress(self, step: AuditStep | SweepStep) -> JobProgress:
        """Return how far the audit is; the figures are those of the job under way."""
        inner = self._inner.progress(step.step) if self._inner and step.step is not None else None
        share = inner.done / inner.total if inner and inner.total else 0.0
        self._done = max(self._done, min(step.tasks, step.done + share))  # a task can have several jobs
        return JobProgress(
            step=step.done,
            done=self._done,
            total=step.tasks,
            unit=self.unit,
            per_second=None,
            eta=None,
            seconds=self._now() - self._started,
            figures=inner.figures if inner else {},
            task=step.title,
        )


class SweepMeasure(AuditMeasure):
    """The figures of a sweep, of which a step is a run, or a step of the run that is under way."""

    unit = "runs"


class StepMeasure:
    """Counts the steps of a job of any other kind."""

    def __init__(self, now: Clock = time.monotonic) -> None:
        self._now, self._started, self._noted = now, now(), 0

    def note(self, step: object) -> None:
        """Count a step."""
        self._noted += 1

    def progress(self, step: object) -> JobProgress:
        """Return how many steps there were."""
        seconds = self._now() - self._started
        return JobProgress(self._noted, self._noted, None, "steps", None, None, seconds, {}, str(step))


MEASURES: dict[str, type[Any]] = {
    "RunStep": RunMeasure,
    "CampaignStep": CampaignMeasure,
    "ExperimentStep": ExperimentMeasure,
    "AuditStep": AuditMeasure,
    "SweepStep": SweepMeasure,
}
"""Measures by the kind of step that they read."""

OF_KIND = {
    "run": "RunStep",
    "campaign": "CampaignStep",
    "experiment": "ExperimentStep",
    "audit": "AuditStep",
    "sweep": "SweepStep",
}
"""The steps that each kind of job has."""


def measure_of(kind: str, now: Clock = time.monotonic) -> Measure:
    """Return what puts the steps of a kind of job into figures."""
    measure: Measure = MEASURES.get(OF_KIND.get(kind, ""), StepMeasure)(now)
    return measure


def _nearest(progress: Progress, budget: Budget) -> tuple[str, float, float | None]:
    """Return what counts a run's work, how much is done, and how much there is, by the limit that is nearest."""
    limits: list[tuple[str, float, float | None]] = [
        ("evaluations", progress.evaluations, budget.evaluations),
        ("generations", progress.generation, budget.generations),
        ("seconds", progress.seconds, 60 * budget.minutes if budget.minutes else None),
    ]
    return max(limits, key=lambda limit: limit[1] / limit[2] if limit[2] else 0.0)
