"""Attempts on the workers of a cluster: they are dealt as workers get free, and come back as outcomes."""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

from ..config.records import PlanRecord
from ..engines.base import Done, Numbered, Place
from ..engines.toolbox import Hook
from .attempts import Attempts, Dealt
from .operators import operators_of
from .tasks import Task

SECONDS = 0.3
"""Seconds that a worker works before it says what it has done."""

RESERVE = 4
"""Attempts that a worker has waiting, beside as many as it began in that time, so that it never has to ask for one."""


class Common(NamedTuple):
    """What all attempts of a campaign have in common.

    Attributes:
        plan: What is done with each image.
        hook: The user's function that swaps operators, if there is one.
    """

    plan: PlanRecord
    hook: Hook | None


class _Hand:
    """A worker's attempts, and those that wait until there is room for them."""

    def __init__(self, place: Place, common: Common) -> None:
        self.common = common
        operators = operators_of(common.plan, place.engine.target.image_shape, common.hook)
        self.attempts = Attempts(place.engine, common.plan, operators)
        self.waiting: deque[tuple[int, Dealt]] = deque()
        self.numbers: dict[Task, int] = {}


def attempt(place: Place, common: Common, dealt: Numbered, more: bool) -> Done:
    """Work on attempts for a while; see :data:`~evofool.engines.base.Work`.

    Args:
        place: The worker's target, and the attempts that are under way there.
        common: What they have in common.
        dealt: Further :class:`~.attempts.Dealt` tasks.
        more: Whether there may be more of them.

    Returns:
        The :class:`~.attempts.Ended` tasks, and how many more there is room for.
    """
    hand: _Hand | None = place.memory.get("attempts")
    if hand is None or hand.common is not common:
        hand = place.memory["attempts"] = _Hand(place, common)
    hand.waiting.extend(dealt)
    pool, results, begun, until = hand.attempts.pool, Numbered(), 0, time.monotonic() + SECONDS
    before = pool.scored
    while True:
        ended = []
        while pool.has_room and hand.waiting:
            number, one = hand.waiting.popleft()
            hand.numbers[one.task] = number
            begun += 1
            if (at_once := hand.attempts.start(one)) is not None:
                ended.append(at_once)
        hungry = more and pool.has_room
        if not hungry:
            ended += hand.attempts.step()
        results += [(hand.numbers.pop(each.task), each) for each in ended]
        if hungry or not (pool.entries or hand.waiting) or time.monotonic() >= until:
            room = max(0, (2 if hungry else 1) * begun + RESERVE - len(hand.waiting))
            return Done(results, room, pool.scored - before)
