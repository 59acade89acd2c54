"""Parts of an experiment on the workers of a cluster: they are dealt as workers get free, and come back in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..attacks.subject import Subject
from ..config.experiments import ExperimentConfig
from ..engines.base import Cluster, Done, Numbered, Place
from ..store.experiment import ExperimentFolder
from .experiment import Part
from .registry import find


class Common(NamedTuple):
    """What all parts of an experiment have in common.

    Attributes:
        path: The folder, for messages; workers don't look into it.
        config: The experiment's config.
        subjects: The images that it works on.
    """

    path: str
    config: ExperimentConfig
    subjects: Sequence[Subject]


class Parts:
    """The numbers of parts that are still to be done, in order."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = deque(numbers)

    def take(self, count: int) -> list[int]:
        """Return up to so many, the next ones."""
        return [self._numbers.popleft() for _ in range(min(count, len(self._numbers)))]

    def put_back(self, items: Sequence[int]) -> None:
        """Take numbers back whose parts could not be done; they come next."""
        self._numbers.extendleft(reversed(items))


def in_order(cluster: Cluster, folder: ExperimentFolder, numbers: range) -> Iterator[Part | None]:
    """Have parts done by workers, and yield them in order; None where the next one isn't done for a while.

    Args:
        cluster: The workers.
        folder: The experiment's folder.
        numbers: The parts. None of them needs another one.
    """
    subjects = list(folder.subjects) if folder.config.data else []
    common = Common(str(folder.path), folder.config, subjects)
    done, following = dict[int, Part](), numbers.start
    for found in cluster.work(work, common, Parts(numbers), first=1):
        done.update(found)
        if following not in done:
            yield None
        while following in done:
            yield done.pop(following)
            following += 1


def work(place: Place, common: Common, items: Numbered, more: bool) -> Done:
    """Do parts, on a worker; see :data:`~evofool.engines.base.Work`.

    Args:
        place: The worker's targets.
        common: What parts have in common.
        items: The numbers of parts.
        more: Whether there may be more of them.
    """
    experiment = find(common.config.experiment)
    folder = ExperimentFolder.carried(common.path, common.config, common.subjects)
    parts = [(key, experiment.work(folder, place.targets, number)) for key, number in items]
    return Done(list(parts), 1, sum(len(part.pictures) for _, part in parts))
