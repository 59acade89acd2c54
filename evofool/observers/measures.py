"""What the steps of each kind of job say in figures."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Any

from .events import JobProgress
from .pictures import attempts_sheet, elites_sheet
from .rates import CampaignRate, Clock, ExperimentRate, RunRate
from .under_way import UnderWay

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


class Measure(ABC):
    """Puts the steps of a job into figures. Every step is noted; of some, the figures are asked for.

    Args:
        now: The clock; the session starts when the measure is made.
    """

    def __init__(self, now: Clock = time.monotonic) -> None:
        self._now, self._started = now, now()

    @property
    def seconds(self) -> float:
        """Seconds of this session."""
        return self._now() - self._started

    @abstractmethod
    def note(self, step: Any) -> None:
        """Take every step of the job, in order."""

    @abstractmethod
    def progress(self, step: Any) -> JobProgress:
        """Return how far the job is after a step, the last one that was noted."""


class RunMeasure(Measure):
    """The figures of a run, of which a step is a generation."""

    def __init__(self, now: Clock = time.monotonic) -> None:
        super().__init__(now)
        self.rate = RunRate()

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
            seconds=self.seconds,
            figures=figures,
            pictures=lambda: elites_sheet(evolution),
        )


class CampaignMeasure(Measure):
    """The figures of a campaign, of which a step is a batch of candidates."""

    def __init__(self, now: Clock = time.monotonic) -> None:
        super().__init__(now)
        self.rate = CampaignRate(now)
        self._first: int | None = None
        self._successes: deque[Outcome] = deque(maxlen=SUCCESSES_DRAWN)

    def note(self, step: CampaignStep) -> None:
        """Take the next batch."""
        self.rate.note(step)
        self._first = step.done - len(step.new) if self._first is None else self._first
        self._successes.extend(outcome for outcome in step.new if outcome["success"])

    def progress(self, step: CampaignStep) -> JobProgress:
        """Return how far the campaign is."""
        statistics, campaign, seconds = step.statistics, step.campaign, self.seconds
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


class ExperimentMeasure(Measure):
    """The figures of an experiment, of which a step is a part of its work."""

    def __init__(self, now: Clock = time.monotonic) -> None:
        super().__init__(now)
        self.rate = ExperimentRate(now)

    def note(self, step: ExperimentStep) -> None:
        """Take the next part."""
        self.rate.note(step)

    def progress(self, step: ExperimentStep) -> JobProgress:
        """Return how far the experiment is."""
        return JobProgress(
            step=step.done,
            done=step.done,
            total=step.parts,
            unit="parts",
            per_second=self.rate.parts_per_second,
            eta=self.rate.remaining(step),
            seconds=self.seconds,
            figures={},
        )


class AuditMeasure(Measure):
    """The figures of an audit, of which a step is a task, or a step of the job that the task consists of."""

    unit = "tasks"

    def __init__(self, now: Clock = time.monotonic) -> None:
        super().__init__(now)
        self._done = 0.0
        self._under_way = UnderWay[Measure](lambda step: MEASURES[type(step).__name__](now))

    def note(self, step: AuditStep | SweepStep) -> None:
        """Take a step, and give that of the job under way to its own measure."""
        self._under_way.note(step)

    def progress(self, step: AuditStep | SweepStep) -> JobProgress:
        """Return how far the audit is; the figures are those of the job under way."""
        measure = self._under_way.inner
        inner = measure.progress(step.step) if measure else None
        share = inner.done / inner.total if inner and inner.total else 0.0
        self._done = max(self._done, min(step.tasks, step.done + share))  # a task can have several jobs
        return JobProgress(
            step=step.done,
            done=self._done,
            total=step.tasks,
            unit=self.unit,
            per_second=None,
            eta=None,
            seconds=self.seconds,
            figures=inner.figures if inner else {},
            task=step.title,
        )


class SweepMeasure(AuditMeasure):
    """The figures of a sweep, of which a step is a run, or a step of the run that is under way."""

    unit = "runs"


class StepMeasure(Measure):
    """Counts the steps of a job of any other kind."""

    def __init__(self, now: Clock = time.monotonic) -> None:
        super().__init__(now)
        self._noted = 0

    def note(self, step: object) -> None:
        """Count a step."""
        self._noted += 1

    def progress(self, step: object) -> JobProgress:
        """Return how many steps there were."""
        return JobProgress(self._noted, self._noted, None, "steps", None, None, self.seconds, {}, str(step))


MEASURES: dict[str, type[Measure]] = {
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
    return MEASURES.get(OF_KIND.get(kind, ""), StepMeasure)(now)


def _nearest(progress: Progress, budget: Budget) -> tuple[str, float, float | None]:
    """Return what counts a run's work, how much is done, and how much there is, by the limit that is nearest."""
    limits: list[tuple[str, float, float | None]] = [
        ("evaluations", progress.evaluations, budget.evaluations),
        ("generations", progress.generation, budget.generations),
        ("seconds", progress.seconds, 60 * budget.minutes if budget.minutes else None),
    ]
    return max(limits, key=lambda limit: limit[1] / limit[2] if limit[2] else 0.0)
