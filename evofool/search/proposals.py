"""Generations that are proposed and not told yet.

Mostly there is one, while it is scored. With ``ahead`` the next one is proposed, and may be scored, before the first
one's scores are known, so that a server has something to do while the first is told. The order in which generations
are proposed and told is fixed: the bytes of a run depend neither on who answers when, nor on whether anything is scored
beside it. Where scoring fails, because the queries are spent for example, the generations wait for another session.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np

from ..encodings.base import Encoding
from ..engines.population import NO_EVALUATION, Population
from ..engines.toolbox import Toolbox
from ..errors import EvofoolError
from .islands import Search
from .states import State, numbered, parts, prefixed, under

RANDOM = -1
"""What stands for the emitter of random genomes in states."""


class Proposals:
    """The generations whose turn comes next.

    Args:
        toolbox: The operators ``generate``, ``map`` and ``evaluate``.
        search: What proposes them.
        encoding: How their genomes are kept.
        ahead: Whether the next generation is proposed before the last one is told.
        beside: Whether one may be scored while others are: the target and the operators must allow that.
    """

    def __init__(self, toolbox: Toolbox, search: Search, encoding: Encoding, *, ahead: bool, beside: bool) -> None:
        self._toolbox, self._search, self._encoding, self._ahead = toolbox, search, encoding, ahead
        self._threads = ThreadPoolExecutor(2, "generation") if ahead and beside else None
        self._waiting: list[Population] = []
        self._scoring: dict[int, Future[Any]] = {}  # by the population's id()

    def propose(self, *, last: bool) -> None:
        """Propose the generation whose turn it is, unless it waits already, and with ``ahead`` the one after it.

        Args:
            last: Whether the one after it isn't scored yet: the budget has no room for it.
        """
        if not self._waiting:
            self._waiting.append(self._toolbox.generate())
        first = self._waiting[0]
        self._start(first)
        if self._ahead and len(self._waiting) == 1 and (after := self._search.ask_ahead(first)) is not None:
            self._waiting.append(after)
        if not last:
            for after in self._waiting[1:]:
                self._start(after)

    def scored(self) -> Population:
        """Return the generation whose turn it is, with its scores. Where scoring fails, it goes on waiting."""
        first = self._waiting[0]
        if self._threads:
            self._scoring.pop(id(first)).result()
        else:
            self._toolbox.map(self._toolbox.evaluate, first)
        return self._waiting.pop(0)

    def settle(self) -> None:
        """Wait until nothing is being scored, so that what is paid is also kept. An error comes up in its turn."""
        for number, scoring in list(self._scoring.items()):
            with suppress(EvofoolError):
                scoring.result()
            if scoring.exception():
                del self._scoring[number]

    def in_turn(self) -> None:
        """Score each generation in its turn from now on, so that it can be timed. No byte depends on it."""
        self.settle()
        self._threads = None

    def _start(self, population: Population) -> None:
        """Begin to score a generation beside others, where that may be and hasn't begun."""
        if self._threads and id(population) not in self._scoring:
            scoring = self._threads.submit(self._toolbox.map, self._toolbox.evaluate, population)
            self._scoring[id(population)] = scoring

    def state(self) -> State:
        """Return the generations as arrays."""
        schedule = self._search.schedule
        return numbered(
            [
                {
                    "parents": waiting.parents,
                    "proposer": np.array(RANDOM if waiting.proposer is None else schedule.number(waiting.proposer)),
                    "exact": np.array(waiting.exact),
                    **prefixed("genomes", self._encoding.dump(waiting.genomes)),
                }
                for waiting in self._waiting
            ]
        )

    def restore(self, state: State) -> None:
        """Take up what :meth:`state` returned.

        Raises:
            GenomeError: The genomes are not the encoding's.
            ValueError: The state doesn't fit itself.
            KeyError: An array is missing.
        """
        self._waiting = [self._population(part) for part in parts(state)]
        self._scoring = {}
        if len(self._waiting) > 2:
            raise ValueError("there should be at most two proposed generations")

    def _population(self, state: State) -> Population:
        genomes, search = self._encoding.load(under("genomes", state)), self._search
        parents, proposer, exact = state["parents"], state["proposer"], state["exact"]
        if (
            parents.shape != (len(genomes),)
            or parents.dtype != np.int64
            or proposer.shape
            or proposer.dtype != np.int64
        ):
            raise ValueError("parents and proposer should be whole numbers, one for each genome and one for all")
        if exact.shape or exact.dtype != np.bool_:
            raise ValueError("exact should be true or false")
        least = NO_EVALUATION if proposer == RANDOM else 0
        if not search.batch <= len(genomes) or parents.min() < least or parents.max() >= search.evaluations:
            raise ValueError("a proposed generation doesn't fit the counts")
        name = None if proposer == RANDOM else search.schedule.named(int(proposer))
        return Population(genomes, parents, search.archive.class_indices, name, exact=bool(exact))
