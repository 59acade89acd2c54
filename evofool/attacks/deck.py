"""The tasks of a campaign that are still to be done, in the order in which they are dealt."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from ..config.records import PlanRecord
from .attempts import Dealt, Ended
from .outcome import Outcome
from .subject import Subject
from .tasks import Task, follow_ups, remaining_tasks

_REMEMBERED = ("image", "criterion_index", "pixels", "strategy", "success", "already", "queries", "edits")
"""What a finished attempt's outcome means for those to come; the rest need not be kept in memory."""


class Deck:
    """Tasks that have no outcome yet. Those of an image are made when its turn comes.

    Args:
        plan: What is done with each image.
        subjects: The images, in order.
        classes: How many classes the target has.
        finished: The outcomes that there are.

    Attributes:
        dealt: Tasks that were taken and aren't done.
    """

    def __init__(
        self, plan: PlanRecord, subjects: Sequence[Subject], classes: int, finished: Iterable[Outcome] = ()
    ) -> None:
        self._plan, self._subjects, self._classes = plan, subjects, classes
        self._finished: dict[int, list[Outcome]] = {}
        for outcome in finished:
            self._finished.setdefault(outcome["image"], []).append({name: outcome[name] for name in _REMEMBERED})
        self._images = iter(subjects)
        self._ready: deque[Task] = deque()
        self.dealt = 0

    def waits(self) -> bool:
        """Return whether there is a next task."""
        while not self._ready:
            subject = next(self._images, None)
            if subject is None:
                return False
            outcomes = self._finished.pop(subject.index, [])
            self._ready.extend(remaining_tasks(self._plan, subject, outcomes, self._classes))
        return True

    def take(self, count: int) -> list[Dealt]:
        """Return up to so many tasks, the next ones."""
        taken: list[Dealt] = []
        while len(taken) < count and self.waits():
            task = self._ready.popleft()
            taken.append(Dealt(task, self._subjects[task.image]))
        self.dealt += len(taken)
        return taken

    def put_back(self, items: Sequence[Dealt]) -> None:
        """Take tasks back that could not be done; they come next."""
        self._ready.extendleft(dealt.task for dealt in reversed(items))
        self.dealt -= len(items)

    def done(self, ended: Ended) -> None:
        """Note that a task is done. Those that follow from its outcomes come next."""
        self.dealt -= 1
        for outcome in ended.outcomes:
            self._ready.extendleft(follow_ups(self._plan, ended.task, outcome))
