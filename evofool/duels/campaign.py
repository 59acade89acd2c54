"""A campaign's loop: the plan's duels against many images, scored together, verdict by verdict."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..encodings.pixels import Pixels
from ..strategies.pixels import STRATEGIES, Brief
from ..target import Target
from .duel import Duel, Ended
from .goals import Goal
from .plan import RANDOM, Plan, Task, follow_ups, remaining
from .pool import Entry, Pool
from .scorer import Scorer, build_toolbox
from .sweep import Sweep
from .verdict import Subject, Verdict, verdict

ROWS = {"cpu": 64}
"""rows of a batch at most, by kind of device: a campaign's last duels can't fill larger ones, and a small network's
activations stay in the caches (ResNet-20: 1,680 rows/s with 64, 1,230 with 128)"""

SEQUENTIAL_ROWS = 32
"""the same where a search wants its candidates scored one by one"""


_REMEMBERED = ("image", "goal_index", "pixels", "strategy", "success", "already", "queries", "edits")
"""what a finished duel's verdict means for those to come"""


class Campaign:
    """Duels against images. Nothing is printed or written here: iterate over :meth:`run`.

    Every duel draws from a generator of its own and every batch has the same shape, so that a verdict is the same
    whichever other duels run beside it.

    Args:
        target: what is to be fooled.
        subjects: the images under attack, in order.
        plan: what is done with each.
        rows: of a batch.
    """

    def __init__(self, target: Target, subjects: Sequence[Subject], plan: Plan, rows: int | None = None) -> None:
        self.target, self.subjects, self.plan = target, subjects, plan
        self.classes, self.channels = len(target.classes), target.image_shape[0]
        self.toolbox = build_toolbox(target)
        self.spaces = {k: Pixels(target.image_shape, k) for k in plan.pixels}
        self.operators = {
            (name, k): STRATEGIES[name].toolbox(space)
            for name in {plan.strategy, *([RANDOM] if plan.baseline else [])}
            for k, space in self.spaces.items()
        }
        rows = rows or batch_rows(target, plan)
        slots = 2 * rows if target.device.type != "cuda" else 4 * rows
        settle = STRATEGIES[plan.strategy].settles_all
        self.pool = Pool(Scorer(self.toolbox, target, rows, slots, settle=settle))
        self._ready: deque[Task] = deque()

    @property
    def scored(self) -> int:
        """rows scored in this sitting"""
        return self.pool.scored

    @property
    def running(self) -> int:
        """duels under way"""
        return len(self.pool.entries)

    def run(self, finished: Iterable[Verdict] = ()) -> Iterator[list[Verdict]]:
        """Fight all duels that have no verdict yet; gives the new verdicts after each batch, often none."""
        known: dict[int, list[Verdict]] = {}
        for record in finished:
            known.setdefault(record["image"], []).append({name: record[name] for name in _REMEMBERED})
        subjects = iter(self.subjects)
        while True:
            verdicts: list[Verdict] = []
            while self.pool.hungry and (task := self._next(subjects, known)):
                verdicts += self._start(task)
            for entry in self.pool.step():
                verdicts += self._end(entry)
            yield verdicts
            if not self.pool.entries and not self._ready:
                task = self._next(subjects, known)
                if task is None:
                    return
                self._ready.appendleft(task)

    def _next(self, subjects: Iterator[Subject], known: dict[int, list[Verdict]]) -> Task | None:
        while not self._ready:
            subject = next(subjects, None)
            if subject is None:
                return None
            tasks, _ = remaining(self.plan, subject, known.pop(subject.index, []), self.classes, self.channels)
            self._ready.extend(tasks)
        return self._ready.popleft()

    def _start(self, task: Task) -> list[Verdict]:
        """Let a duel begin; its verdict where it ends at once."""
        subject = self.subjects[task.image]
        goals = [Goal(goal) for goal in task.goals]
        met = [goal for goal in goals if met_already(goal, subject)]
        verdicts = [
            self._verdict(task, Ended(goal, None, 0, None, "reached")) for goal in met if goal.target not in task.known
        ]
        goals = [goal for goal in goals if goal not in met]
        if not goals:
            return verdicts
        strategy, space = STRATEGIES[task.strategy], self.spaces[task.k]
        queries = task.queries or strategy.queries(space)
        brief = Brief(
            space=space,
            image=subject.image,
            queries=queries,
            rng=np.random.default_rng(self._seed(task)),
            toolbox=self.operators[task.strategy, task.k],
            start=task.start,
        )
        search = strategy.search(brief)
        duel: Duel | Sweep
        if len(goals) > 1:
            duel = Sweep(goals, search, queries)
        else:
            sure = strategy.sure if goals[0].target is not None else None
            duel = Duel(goals[0], search, queries, sure, confirms=not self.pool.scorer.exact)
        ended = self.pool.add(duel, subject.image, goals[0].column(subject.label), task)
        return verdicts + (self._end(ended) if ended else [])

    def _end(self, entry: Entry) -> list[Verdict]:
        """The verdicts of a duel that ended; duels that follow from them are put first in line."""
        task = entry.tag
        assert isinstance(task, Task)
        self.pool.confirm(entry)
        ends = [ended for ended in entry.duel.ended() if ended.goal.target not in task.known]
        verdicts = [self._verdict(task, ended) for ended in ends]
        for record in verdicts:
            self._ready.extendleft(follow_ups(self.plan, task, record, self.channels))
        return verdicts

    def _verdict(self, task: Task, ended: Ended) -> Verdict:
        subject, classes = self.subjects[task.image], self.target.classes
        return verdict(subject, ended, k=task.k, strategy=task.strategy, seed=self.plan.seed, classes=classes)

    def _seed(self, task: Task) -> list[int]:
        """Of a duel's own generator: the same for the same duel, whatever else the campaign does."""
        goal = task.goals[0]
        return [self.plan.seed, task.image, 0 if goal is None else goal + 1, task.k, task.strategy == RANDOM]


def met_already(goal: Goal, subject: Subject) -> bool:
    """Whether the clean image reaches the goal: it was misclassified before."""
    return subject.prediction != subject.label if goal.target is None else subject.prediction == goal.target


def batch_rows(target: Target, plan: Plan) -> int:
    """Rows of a campaign's batches."""
    most = SEQUENTIAL_ROWS if STRATEGIES[plan.strategy].sequential else ROWS.get(target.device.type, target.micro_batch)
    return min(target.micro_batch, most)
