"""A campaign's loop: the plan's attempts against many images, scored together, outcome by outcome."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..encodings.pixels import Pixels
from ..targets.torch_target import Target
from .attempt import Attempt, Ended
from .criterion import Criterion
from .outcome import Outcome, Subject, outcome
from .plan import RANDOM, Plan, Task, follow_ups, remaining
from .pool import Entry, Pool
from .scorer import Scorer, build_toolbox
from .searches import STRATEGIES, Brief
from .sweep import Sweep

ROWS = {"cpu": 64}
"""rows of a batch at most, by kind of device: a campaign's last attempts can't fill larger ones, and a small network's
activations stay in the caches (ResNet-20: 1,680 rows/s with 64, 1,230 with 128)"""

SEQUENTIAL_ROWS = 32
"""the same where a search wants its candidates scored one by one"""


_REMEMBERED = ("image", "criterion_index", "pixels", "strategy", "success", "already", "queries", "edits")
"""what a finished attempt's outcome means for those to come"""


class Campaign:
    """Attempts against images. Nothing is printed or written here: iterate over :meth:`run`.

    Every attempt draws from a generator of its own and every batch has the same shape, so that an outcome is the same
    whichever other attempts run beside it.

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
        """attempts under way"""
        return len(self.pool.entries)

    def run(self, finished: Iterable[Outcome] = ()) -> Iterator[list[Outcome]]:
        """Fight all attempts that have no outcome yet; gives the new outcomes after each batch, often none."""
        known: dict[int, list[Outcome]] = {}
        for record in finished:
            known.setdefault(record["image"], []).append({name: record[name] for name in _REMEMBERED})
        subjects = iter(self.subjects)
        while True:
            outcomes: list[Outcome] = []
            while self.pool.hungry and (task := self._next(subjects, known)):
                outcomes += self._start(task)
            for entry in self.pool.step():
                outcomes += self._end(entry)
            yield outcomes
            if not self.pool.entries and not self._ready:
                task = self._next(subjects, known)
                if task is None:
                    return
                self._ready.appendleft(task)

    def _next(self, subjects: Iterator[Subject], known: dict[int, list[Outcome]]) -> Task | None:
        while not self._ready:
            subject = next(subjects, None)
            if subject is None:
                return None
            tasks, _ = remaining(self.plan, subject, known.pop(subject.index, []), self.classes, self.channels)
            self._ready.extend(tasks)
        return self._ready.popleft()

    def _start(self, task: Task) -> list[Outcome]:
        """Let an attempt begin; its outcome where it ends at once."""
        subject = self.subjects[task.image]
        criteria = [Criterion(criterion) for criterion in task.criteria]
        met = [criterion for criterion in criteria if met_already(criterion, subject)]
        outcomes = [
            self._outcome(task, Ended(criterion, None, 0, None, "reached"))
            for criterion in met
            if criterion.target not in task.known
        ]
        criteria = [criterion for criterion in criteria if criterion not in met]
        if not criteria:
            return outcomes
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
        attempt: Attempt | Sweep
        if len(criteria) > 1:
            attempt = Sweep(criteria, search, queries)
        else:
            sure = strategy.sure if criteria[0].target is not None else None
            attempt = Attempt(criteria[0], search, queries, sure, confirms=not self.pool.scorer.exact)
        ended = self.pool.add(attempt, subject.image, criteria[0].column(subject.label), task)
        return outcomes + (self._end(ended) if ended else [])

    def _end(self, entry: Entry) -> list[Outcome]:
        """The outcomes of an attempt that ended; attempts that follow from them are put first in line."""
        task = entry.tag
        assert isinstance(task, Task)
        self.pool.confirm(entry)
        ends = [ended for ended in entry.attempt.ended() if ended.criterion.target not in task.known]
        outcomes = [self._outcome(task, ended) for ended in ends]
        for record in outcomes:
            self._ready.extendleft(follow_ups(self.plan, task, record, self.channels))
        return outcomes

    def _outcome(self, task: Task, ended: Ended) -> Outcome:
        subject, classes = self.subjects[task.image], self.target.classes
        return outcome(subject, ended, k=task.k, strategy=task.strategy, seed=self.plan.seed, classes=classes)

    def _seed(self, task: Task) -> list[int]:
        """Of an attempt's own generator: the same for the same attempt, whatever else the campaign does."""
        criterion = task.criteria[0]
        return [self.plan.seed, task.image, 0 if criterion is None else criterion + 1, task.k, task.strategy == RANDOM]


def met_already(criterion: Criterion, subject: Subject) -> bool:
    """Whether the clean image reaches the criterion: it was misclassified before."""
    return subject.prediction != subject.label if criterion.target is None else subject.prediction == criterion.target


def batch_rows(target: Target, plan: Plan) -> int:
    """Rows of a campaign's batches."""
    most = SEQUENTIAL_ROWS if STRATEGIES[plan.strategy].sequential else ROWS.get(target.device.type, target.micro_batch)
    return min(target.micro_batch, most)
