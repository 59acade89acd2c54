"""A generation that is proposed, and may be scored, before the last one's scores are known.

So a server has something to do while the last generation is told and the next one is made. The order in which
generations are proposed and told is fixed: the bytes of a run depend neither on who answers when, nor on whether
anything is scored beside it.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np

from ..encodings.base import Encoding
from ..engines.population import Population
from ..engines.toolbox import Toolbox
from ..errors import EvofoolError
from .map_elites import MapElites
from .states import State, prefixed, under, whole_numbers


class Ahead:
    """The generation after the one whose turn it is.

    Args:
        toolbox: The operators ``generate``, ``map`` and ``evaluate``.
        search: What proposes it.
        encoding: How its genomes are kept.
        beside: Whether it is scored while others are: the target and the operators must allow that.
    """

    def __init__(self, toolbox: Toolbox, search: MapElites, encoding: Encoding, *, beside: bool) -> None:
        self._toolbox, self._search, self._encoding = toolbox, search, encoding
        self._threads = ThreadPoolExecutor(2, "generation") if beside else None
        self._population: Population | None = None
        self._scoring: Future[Any] | None = None

    def scored(self, *, last: bool) -> Population:
        """Return the generation whose turn it is, with its scores, and propose the one after it.

        Args:
            last: Whether the one after it isn't scored yet: the budget has no room for it.
        """
        population = self._population or self._toolbox.generate()
        scoring = self._scoring or self._start(population)
        self._population = self._search.ask_ahead(population)
        self._scoring = None if last or self._population is None else self._start(self._population)
        if scoring:
            scoring.result()
        else:
            self._toolbox.map(self._toolbox.evaluate, population)
        return population

    def in_turn(self) -> None:
        """Score each generation in its turn from now on, so that it can be timed. No byte depends on it."""
        self.settle()
        self._threads = None

    def settle(self) -> None:
        """Wait until nothing is being scored, so that what is paid is also kept. An error comes up in its turn."""
        if self._scoring:
            with suppress(EvofoolError):
                self._scoring.result()
            if self._scoring.exception():
                self._scoring = None

    def _start(self, population: Population) -> Future[Any] | None:
        """Have a generation scored beside others; None where its turn has to come first."""
        return self._threads.submit(self._toolbox.map, self._toolbox.evaluate, population) if self._threads else None

    def state(self) -> State:
        """Return the proposed generation as arrays; nothing where there is none."""
        if self._population is None:
            return {}
        proposer = np.array([self._search.schedule.number(self._population.proposer)], np.int64)
        genomes = prefixed("genomes", self._encoding.dump(self._population.genomes))
        return {"parents": self._population.parents, "proposer": proposer, **genomes}

    def restore(self, state: State) -> None:
        """Take up what :meth:`state` returned.

        Raises:
            GenomeError: The genomes are not the encoding's.
            ValueError: The state doesn't fit itself.
            KeyError: An array is missing.
        """
        self._population = self._scoring = None
        if not state:
            return
        genomes, search = self._encoding.load(under("genomes", state)), self._search
        parents = whole_numbers("parents", state["parents"], len(genomes))
        (number,) = whole_numbers("proposer", state["proposer"], 1).tolist()
        if len(genomes) != search.batch or parents.max() >= search.evaluations:
            raise ValueError("the proposed generation doesn't fit the counts")
        proposer = search.schedule.named(number)
        self._population = Population(genomes, parents, search.archive.class_indices, proposer)
