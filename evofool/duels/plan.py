"""Which duels a campaign has: images × goals × numbers of pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..encodings.pixels import Edits
from ..strategies.pixels import STRATEGIES
from .verdict import Subject, Verdict, recorded_edits

ALL = "all"
RANDOM = "random"


@dataclass(frozen=True)
class Plan:
    """What a campaign does with every image.

    Attributes:
        goals: target classes, None among them for untargeted; or ``ALL`` for every class but the image's own.
        pixels: numbers of pixels, tried in this order until one succeeds.
        strategy: a name of :data:`~evofool.strategies.pixels.STRATEGIES`.
        queries: budget of a duel; None for the strategy's own.
        seed: of all duels.
        baseline: after each duel, random search with the queries it took.
    """

    goals: tuple[int | None, ...] | str
    pixels: tuple[int, ...]
    strategy: str
    queries: int | None
    seed: int
    baseline: bool


@dataclass(frozen=True)
class Task:
    """One duel to come; ``goals`` are several where one search settles them all."""

    image: int
    goals: tuple[int | None, ...]
    k: int
    strategy: str
    queries: int | None
    start: Edits = field(compare=False)
    """(0 or 1, j, 2 + C) what the duel with fewer pixels ended with"""
    known: frozenset[int | None] = frozenset()
    """goals that have their verdict already"""

    def key(self, goal: int | None) -> tuple[Any, ...]:
        """What tells this duel's verdict for a goal from all others."""
        return self.image, goal, self.k, self.strategy


def key(verdict: Verdict) -> tuple[Any, ...]:
    """:meth:`Task.key` of the duel a verdict is of."""
    return verdict["image"], verdict["goal_index"], verdict["pixels"], verdict["strategy"]


def first_tasks(plan: Plan, subject: Subject, classes: int, channels: int) -> list[Task]:
    """An image's duels with the smallest number of pixels."""
    goals = goals_of(plan, subject.label, classes)
    settles_all = STRATEGIES[plan.strategy].settles_all
    together = [tuple(goals)] if settles_all else [(goal,) for goal in goals]
    blank = np.empty((0, plan.pixels[0], 2 + channels), np.int16)
    return [Task(subject.index, some, plan.pixels[0], plan.strategy, plan.queries, blank) for some in together if some]


def goals_of(plan: Plan, label: int, classes: int) -> list[int | None]:
    """An image's goals: those of the plan but its own class."""
    wanted: Iterable[int | None] = range(classes) if isinstance(plan.goals, str) else plan.goals
    return [goal for goal in wanted if goal != label]


def follow_ups(plan: Plan, task: Task, verdict: Verdict, channels: int) -> Iterator[Task]:
    """The duels that a verdict asks for: the random baseline, and one more pixel after a failure."""
    if task.strategy != plan.strategy:
        return  # the baseline itself
    goal = verdict["goal_index"]
    blank = task.start[:0]
    if plan.baseline and plan.strategy != RANDOM and not verdict["already"]:
        yield replace(task, goals=(goal,), strategy=RANDOM, queries=verdict["queries"], start=blank)
    larger = [k for k in plan.pixels if k > task.k]
    if larger and not verdict["success"] and not verdict["already"]:
        yield replace(task, goals=(goal,), k=larger[0], start=recorded_edits(verdict, channels)[None])


def remaining(
    plan: Plan, subject: Subject, verdicts: Sequence[Verdict], classes: int, channels: int
) -> tuple[list[Task], list[Verdict]]:
    """What is left of an image's duels.

    Args:
        verdicts: of this image, in any order.

    Returns:
        the duels that have no verdict but could start, and the verdicts that belong to the plan.
    """
    known = {key(verdict): verdict for verdict in verdicts}
    todo, waiting, kept = [], first_tasks(plan, subject, classes, channels), []
    while waiting:
        task = waiting.pop(0)
        open_goals = tuple(goal for goal in task.goals if task.key(goal) not in known)
        if open_goals:
            todo.append(replace(task, known=frozenset(task.goals) - set(open_goals)))
        for goal in task.goals:
            if goal not in open_goals:
                verdict = known[task.key(goal)]
                kept.append(verdict)
                waiting += follow_ups(plan, task, verdict, channels)
    return todo, kept
