"""A campaign's loop: the attempts of a plan against many images, scored together, outcome by outcome."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..config.records import PlanRecord
from ..encodings.pixels import Pixels, edited
from ..engines.base import Engine
from ..engines.local import engine_of
from ..targets.itemised import items_of
from ..targets.protocols import Target
from .attempt import Attempt, AttemptResult
from .criterion import Criterion
from .operators import Operators, operators_of
from .outcome import Outcome, outcome_of
from .pool import Entry, Pool
from .scorer import Scorer, build_toolbox
from .searches.base import Problem
from .searches.registry import STRATEGIES
from .subject import Subject
from .sweep import Sweep
from .tasks import Task, follow_ups, remaining_tasks

SLOTS_PER_ROW = {"cuda": 4}
"""Attempts under way for each row of a batch, by kind of device; 2 elsewhere."""

_REMEMBERED = ("image", "criterion_index", "pixels", "strategy", "success", "already", "queries", "edits")
"""What a finished attempt's outcome means for those to come; the rest need not be kept in memory."""


class Campaign:
    """Attempts against images. Nothing is printed or written here: iterate over :meth:`run`.

    Every attempt draws from a generator of its own and every batch has the same shape, so that an outcome is the same
    whichever other attempts run beside it.

    Args:
        target: The classifier to fool, or an engine that scores images for it.
        subjects: The images under attack, in order.
        plan: What is done with each.
        operators: The operators of the searches, where some are swapped.

    Raises:
        GenomeError: The plan has more pixels than the images.
        ConfigError: The plan has more pixels than its strategy can edit.
    """

    def __init__(
        self,
        target: Target | Engine,
        subjects: Sequence[Subject],
        plan: PlanRecord,
        operators: Operators | None = None,
    ) -> None:
        self.engine = engine_of(target)
        self.target, self.subjects, self.plan = self.engine.target, subjects, plan
        self.toolbox = build_toolbox(self.engine)
        self.spaces = {k: Pixels(self.target.image_shape, k) for k in plan.pixels}
        self.operators = operators or operators_of(plan, self.target.image_shape)
        slots = plan.rows * SLOTS_PER_ROW.get(self.engine.device.type, 2)
        settle = STRATEGIES[plan.strategy].settles_all
        self.pool = Pool(Scorer(self.toolbox, self.engine, plan.rows, slots, settle=settle))
        self._ready: deque[Task] = deque()

    @property
    def scored(self) -> int:
        """Candidates scored in this session."""
        return self.pool.scored

    @property
    def running(self) -> int:
        """Attempts under way."""
        return len(self.pool.entries)

    def run(self, finished: Iterable[Outcome] = ()) -> Iterator[list[Outcome]]:
        """Run all attempts that have no outcome yet. Yields the new outcomes after each batch, often none.

        Args:
            finished: The outcomes that there are.
        """
        recorded: dict[int, list[Outcome]] = {}
        for outcome in finished:
            recorded.setdefault(outcome["image"], []).append({name: outcome[name] for name in _REMEMBERED})
        subjects = iter(self.subjects)
        while True:
            outcomes: list[Outcome] = []
            while self.pool.has_room and (task := self._next_task(subjects, recorded)):
                outcomes += self._start(task)
            for entry in self.pool.step():
                outcomes += self._end(entry)
            yield outcomes
            if not self.pool.entries and not self._ready:
                task = self._next_task(subjects, recorded)
                if task is None:
                    return
                self._ready.appendleft(task)

    def _next_task(self, subjects: Iterator[Subject], recorded: dict[int, list[Outcome]]) -> Task | None:
        while not self._ready:
            subject = next(subjects, None)
            if subject is None:
                return None
            outcomes = recorded.pop(subject.index, [])
            self._ready.extend(remaining_tasks(self.plan, subject, outcomes, len(self.target.classes)))
        return self._ready.popleft()

    def _start(self, task: Task) -> list[Outcome]:
        """Start an attempt. Returns its outcomes where it ends at once."""
        subject = self.subjects[task.image]
        met = [criterion for criterion in task.criteria if criterion.met_by(subject.prediction, subject.label)]
        outcomes = [
            self._outcome(task, AttemptResult(criterion, None, 0, None, "reached"))
            for criterion in met
            if criterion not in task.settled
        ]
        criteria = [criterion for criterion in task.criteria if criterion not in met]
        if not criteria:
            return outcomes
        entry = self.pool.add(self._attempt(task, subject, criteria), subject.image, subject.label, task)
        return outcomes + (self._end(entry) if entry else [])

    def _attempt(self, task: Task, subject: Subject, criteria: list[Criterion]) -> Attempt | Sweep:
        """Return a task's attempt at these criteria."""
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

    def _end(self, entry: Entry) -> list[Outcome]:
        """Return the outcomes of an attempt that ended. The attempts that follow from them come next."""
        task: Task = entry.tag
        self.pool.confirm(entry)
        results = [result for result in entry.attempt.results() if result.criterion not in task.settled]
        outcomes = [self._outcome(task, result) for result in results]
        for outcome in outcomes:
            self._ready.extendleft(follow_ups(self.plan, task, outcome))
        return outcomes

    def _outcome(self, task: Task, result: AttemptResult) -> Outcome:
        subject = self.subjects[task.image]
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
