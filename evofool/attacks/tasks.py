"""Which attempts a campaign has: images × criteria × numbers of pixels, and those that follow from an outcome."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..config.records import PlanRecord
from ..encodings.pixels import Edits
from .criterion import Criterion
from .outcome import Outcome, recorded_edits
from .plan import criteria_of
from .searches.registry import BASELINE, STRATEGIES
from .subject import Subject


@dataclass(frozen=True)
class Task:
    """One attempt to come.

    Attributes:
        image: Index of the image under attack.
        criteria: What has to be reached: several where one search settles them all.
        pixels: k, how many pixels may change.
        strategy: Name of the strategy.
        budget: Most queries.
        start: (0 or 1, j, 2 + C) the edits that the attempt with fewer pixels ended with.
        settled: Criteria that have their outcome already.
    """

    image: int
    criteria: tuple[Criterion, ...]
    pixels: int
    strategy: str
    budget: int
    start: Edits = field(compare=False)
    settled: frozenset[Criterion] = frozenset()

    def key(self, criterion: Criterion) -> tuple[Any, ...]:
        """Return what tells this attempt's outcome for a criterion from all others; see :func:`attempt_key`."""
        return self.image, criterion.target_class, self.pixels, self.strategy

    def seed(self, campaign_seed: int) -> list[int]:
        """Return the seed of the attempt's own generator: the same whatever else the campaign does."""
        target_class = self.criteria[0].target_class
        number = 0 if target_class is None else target_class + 1
        return [campaign_seed, self.image, number, self.pixels, self.strategy == BASELINE]


def attempt_key(outcome: Outcome) -> tuple[Any, ...]:
    """Return what tells the attempt of an outcome from all others; see :meth:`Task.key`."""
    return outcome["image"], outcome["criterion_index"], outcome["pixels"], outcome["strategy"]


def first_tasks(plan: PlanRecord, subject: Subject, classes: int) -> list[Task]:
    """Return an image's attempts with the smallest number of pixels."""
    criteria = criteria_of(plan, subject.label, classes)
    settles_all = STRATEGIES[plan.strategy].settles_all
    groups = [tuple(criteria)] if settles_all else [(criterion,) for criterion in criteria]
    k, start = plan.pixels[0], np.empty((0, plan.pixels[0], 2 + len(subject.image)), np.int16)
    return [Task(subject.index, group, k, plan.strategy, plan.queries, start) for group in groups if group]


def follow_ups(plan: PlanRecord, task: Task, outcome: Outcome) -> Iterator[Task]:
    """Yield the attempts that an outcome asks for: the baseline, and one with more pixels after a failure."""
    if task.strategy != plan.strategy or outcome["already"]:
        return  # nothing follows from the baseline itself
    criteria = (Criterion(outcome["criterion_index"]),)
    if plan.baseline and plan.strategy != BASELINE:
        yield replace(task, criteria=criteria, strategy=BASELINE, budget=outcome["queries"], start=task.start[:0])
    larger = [k for k in plan.pixels if k > task.pixels]
    if larger and not outcome["success"]:
        edits = recorded_edits(outcome, task.start.shape[-1] - 2)
        yield replace(task, criteria=criteria, pixels=larger[0], start=edits[None])


def remaining_tasks(plan: PlanRecord, subject: Subject, outcomes: Sequence[Outcome], classes: int) -> list[Task]:
    """Return an image's attempts that have no outcome yet and can start.

    Args:
        outcomes: Those of this image, in any order.
        classes: How many classes the target has.
    """
    recorded = {attempt_key(outcome): outcome for outcome in outcomes}
    remaining, waiting = [], deque(first_tasks(plan, subject, classes))
    while waiting:
        task = waiting.popleft()
        settled = frozenset(criterion for criterion in task.criteria if task.key(criterion) in recorded)
        if len(settled) < len(task.criteria):
            remaining.append(replace(task, settled=settled))
        for criterion in task.criteria:
            if criterion in settled:
                waiting.extend(follow_ups(plan, task, recorded[task.key(criterion)]))
    return remaining
