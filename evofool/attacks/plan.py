"""Which attempts a campaign has: images × criteria × numbers of pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..encodings.pixels import Edits
from .outcome import Outcome, Subject, recorded_edits
from .searches import STRATEGIES

ALL = "all"
RANDOM = "random"


@dataclass(frozen=True)
class Plan:
    """What a campaign does with every image.

    Attributes:
        criteria: target classes, None among them for untargeted; or ``ALL`` for every class but the image's own.
        pixels: numbers of pixels, tried in this order until one succeeds.
        strategy: a name of :data:`~evofool.attacks.searches.STRATEGIES`.
        queries: budget of an attempt; None for the strategy's own.
        seed: of all attempts.
        baseline: after each attempt, random search with the queries it took.
    """

    criteria: tuple[int | None, ...] | str
    pixels: tuple[int, ...]
    strategy: str
    queries: int | None
    seed: int
    baseline: bool


@dataclass(frozen=True)
class Task:
    """One attempt to come; ``criteria`` are several where one search settles them all."""

    image: int
    criteria: tuple[int | None, ...]
    k: int
    strategy: str
    queries: int | None
    start: Edits = field(compare=False)
    """(0 or 1, j, 2 + C) what the attempt with fewer pixels ended with"""
    known: frozenset[int | None] = frozenset()
    """criteria that have their outcome already"""

    def key(self, criterion: int | None) -> tuple[Any, ...]:
        """What tells this attempt's outcome for a criterion from all others."""
        return self.image, criterion, self.k, self.strategy


def key(outcome: Outcome) -> tuple[Any, ...]:
    """:meth:`Task.key` of the attempt an outcome is of."""
    return outcome["image"], outcome["criterion_index"], outcome["pixels"], outcome["strategy"]


def first_tasks(plan: Plan, subject: Subject, classes: int, channels: int) -> list[Task]:
    """An image's attempts with the smallest number of pixels."""
    criteria = criteria_of(plan, subject.label, classes)
    settles_all = STRATEGIES[plan.strategy].settles_all
    together = [tuple(criteria)] if settles_all else [(criterion,) for criterion in criteria]
    blank = np.empty((0, plan.pixels[0], 2 + channels), np.int16)
    return [Task(subject.index, some, plan.pixels[0], plan.strategy, plan.queries, blank) for some in together if some]


def criteria_of(plan: Plan, label: int, classes: int) -> list[int | None]:
    """An image's criteria: those of the plan but its own class."""
    wanted: Iterable[int | None] = range(classes) if isinstance(plan.criteria, str) else plan.criteria
    return [criterion for criterion in wanted if criterion != label]


def follow_ups(plan: Plan, task: Task, outcome: Outcome, channels: int) -> Iterator[Task]:
    """The attempts that an outcome asks for: the random baseline, and one more pixel after a failure."""
    if task.strategy != plan.strategy:
        return  # the baseline itself
    criterion = outcome["criterion_index"]
    blank = task.start[:0]
    if plan.baseline and plan.strategy != RANDOM and not outcome["already"]:
        yield replace(task, criteria=(criterion,), strategy=RANDOM, queries=outcome["queries"], start=blank)
    larger = [k for k in plan.pixels if k > task.k]
    if larger and not outcome["success"] and not outcome["already"]:
        yield replace(task, criteria=(criterion,), k=larger[0], start=recorded_edits(outcome, channels)[None])


def remaining(
    plan: Plan, subject: Subject, outcomes: Sequence[Outcome], classes: int, channels: int
) -> tuple[list[Task], list[Outcome]]:
    """What is left of an image's attempts.

    Args:
        outcomes: of this image, in any order.

    Returns:
        the attempts that have no outcome but could start, and the outcomes that belong to the plan.
    """
    known = {key(outcome): outcome for outcome in outcomes}
    todo, waiting, kept = [], first_tasks(plan, subject, classes, channels), []
    while waiting:
        task = waiting.pop(0)
        open_criteria = tuple(criterion for criterion in task.criteria if task.key(criterion) not in known)
        if open_criteria:
            todo.append(replace(task, known=frozenset(task.criteria) - set(open_criteria)))
        for criterion in task.criteria:
            if criterion not in open_criteria:
                outcome = known[task.key(criterion)]
                kept.append(outcome)
                waiting += follow_ups(plan, task, outcome, channels)
    return todo, kept
