"""Attempts under way together: each batch that is scored has candidates of many."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..config.records import PlanRecord
from ..encodings.pixels import Pixels, edited
from ..engines.base import Engine
from ..targets.itemised import items_of
from .attempt import Attempt, AttemptResult
from .criterion import Criterion
from .operators import Operators
from .outcome import Outcome, outcome_of
from .pool import Entry, Pool
from .scorer import Scorer, batches_under_way, build_toolbox
from .searches.base import Problem
from .searches.registry import STRATEGIES
from .subject import Subject
from .sweep import Sweep
from .tasks import Task

SLOTS_PER_ROW = {"cuda": 4}
"""Attempts under way for each row of a batch, by kind of device; 2 elsewhere."""


class Dealt(NamedTuple):
    """A task, and what it takes to do it.

    Attributes:
        task: The task.
        subject: The image under attack.
    """

    task: Task
    subject: Subject


class Ended(NamedTuple):
    """A task that is done.

    Attributes:
        task: The task.
        outcomes: Those of its criteria that had none yet.
    """

    task: Task
    outcomes: list[Outcome]


class Attempts:
    """Runs the attempts of a plan's tasks, wherever they come from.

    Every attempt draws from a generator of its own and every batch has the same shape, so that an outcome is the same
    whichever other attempts run beside it.

    Args:
        engine: Scores images for the target.
        plan: What is done with each image.
        operators: The operators of the searches.

    Raises:
        GenomeError: The plan has more pixels than the images.
    """

    def __init__(self, engine: Engine, plan: PlanRecord, operators: Operators) -> None:
        self.target, self.plan, self.operators = engine.target, plan, operators
        self.toolbox = build_toolbox(engine)
        self.spaces = {k: Pixels(self.target.image_shape, k) for k in plan.pixels}
        slots = plan.rows * max(batches_under_way(engine), SLOTS_PER_ROW.get(engine.device.type, 2))
        settle = STRATEGIES[plan.strategy].settles_all
        self.pool = Pool(Scorer(self.toolbox, engine, plan.rows, slots, settle=settle))

    def start(self, dealt: Dealt) -> Ended | None:
        """Start a task's attempt. The task is returned where it ends at once."""
        task, subject = dealt
        met = [criterion for criterion in task.criteria if criterion.met_by(subject.prediction, subject.label)]
        outcomes = [
            self._outcome(dealt, AttemptResult(criterion, None, 0, None, "reached"))
            for criterion in met
            if criterion not in task.settled
        ]
        criteria = [criterion for criterion in task.criteria if criterion not in met]
        if not criteria:
            return Ended(task, outcomes)
        entry = self.pool.add(self._attempt(dealt, criteria), subject.image, subject.label, (dealt, outcomes))
        return self._end(entry) if entry else None

    def step(self) -> list[Ended]:
        """Score a batch, and return the tasks that end with it."""
        return [self._end(entry) for entry in self.pool.step()]

    def _attempt(self, dealt: Dealt, criteria: list[Criterion]) -> Attempt | Sweep:
        """Return a task's attempt at these criteria."""
        task, subject = dealt
        strategy, space = STRATEGIES[task.strategy], self.spaces[task.pixels]
        problem = Problem(
            space=space,
            image=subject.image,
            budget=task.budget,
            rng=np.random.default_rng(task.seed(self.plan.seed)),
            toolbox=self.operators.toolboxes[task.strategy, task.pixels],
            start=task.start,
        )
        search = problem.toolbox.search(problem)
        if len(criteria) > 1:
            return Sweep(criteria, search, task.budget)
        stop_fitness = strategy.stop_fitness if criteria[0].targeted else None
        return Attempt(criteria[0], search, task.budget, stop_fitness, confirms=not self.pool.scorer.exact)

    def _end(self, entry: Entry) -> Ended:
        """Return the task of an attempt that ended."""
        dealt, outcomes = entry.tag
        self.pool.confirm(entry)
        results = [result for result in entry.attempt.results() if result.criterion not in dealt.task.settled]
        return Ended(dealt.task, outcomes + [self._outcome(dealt, result) for result in results])

    def _outcome(self, dealt: Dealt, result: AttemptResult) -> Outcome:
        task, subject = dealt
        outcome = outcome_of(
            subject,
            result,
            pixels=task.pixels,
            strategy=task.strategy,
            seed=self.plan.seed,
            classes=self.target.classes,
        )
        if result.best is not None:
            image = edited(subject.image, result.best.edits)
            outcome |= items_of(self.target, [image], [[outcome["final_index"]]])[0][0]
        return outcome
