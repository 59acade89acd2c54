"""Islands: several archives that evolve apart and exchange elites now and then, and the best of all of them.

The island model of parallel evolution (Whitley, Rana & Heckendorn 1999, *The Island Model Genetic Algorithm*, section
2), with MAP-Elites on each island. Generations take turns on the islands, each of ``batch`` children. The archive of
the whole has the surest elite that any island has had in each niche; it is what a run shows, records and ends with.

    ask:   children ← the island whose turn it is
    tell:  that island's archive;  the whole ← its elites that are surer;  now and then, some of its elites → the next
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..encodings.base import Encoding, Indices
from ..engines.population import Population
from ..rng import Rng
from .archive import Archive, Update
from .emitters.emitter_schedule import EmitterSchedule
from .map_elites import MapElites
from .niche_genomes import NicheGenomes, restored
from .states import State, prefixed, under, whole_numbers

MIGRATION_EVERY = 10
"""Generations of an island between two of its migrations."""

MIGRANTS = 0.1
"""Share of the niches whose elites migrate; they are drawn anew each time."""


class Islands:
    """Several searches that take turns. It has the interface of :class:`~.map_elites.MapElites`.

    Args:
        searches: The islands' searches, at least two, each with an empty archive of its own.
        archive: The archive of the whole.
        encoding: How genomes are kept.
        rng: The evolution's random generators.

    Attributes:
        generation, evaluations, confirmations: As of a search, over all islands.
        proposer: The emitter that proposed the generation that was told last.
    """

    def __init__(self, searches: Sequence[MapElites], archive: Archive, encoding: Encoding, rng: Rng) -> None:
        self.searches, self.archive = searches, archive
        self.batch = searches[0].batch
        self.proposer: str | None = None
        self.generation = self.evaluations = self.confirmations = 0
        self._encoding, self._rng = encoding, rng

    @property
    def schedule(self) -> EmitterSchedule:
        """The emitters of an island; all islands have the same ones."""
        return self.searches[0].schedule

    @property
    def confirm(self) -> bool:
        """Whether children that could enter an archive are scored again."""
        return self.searches[0].confirm

    def confirm_always(self) -> None:
        """Confirm what could enter an archive, whatever a population says of itself."""
        for search in self.searches:
            search.confirm_always()

    def ask(self) -> Population:
        """Return the children of the next generation."""
        return self._turn(self.generation).ask()

    def ask_ahead(self, last: Population) -> Population | None:
        """Return the children of the generation after one that is not told yet: another island's, so nothing waits."""
        return self._turn(self.generation + 1).ask()

    def tell(self, population: Population) -> Update:
        """Let scored children into the archive of their island, and the best of them into that of the whole.

        Raises:
            TargetError: The population has no scores, or they are no probabilities.
        """
        search = self._turn(self.generation)
        update = search.tell(population)
        self.generation, self.evaluations = search.generation, search.evaluations
        self.confirmations, self.proposer = search.confirmations, search.proposer
        surer = self.archive.adopt(search.archive, update.niches)
        turns = self.generation // len(self.searches)
        if turns and turns % MIGRATION_EVERY == 0:
            self._migrate(search.archive, self.searches[self.generation % len(self.searches)].archive)
        return Update(surer, update.rows[np.isin(update.niches, surer)])

    def _turn(self, generation: int) -> MapElites:
        """Return the search whose turn a generation is, counted from 0, with the counts of all."""
        search = self.searches[generation % len(self.searches)]
        self._count(search)
        return search

    def _count(self, search: MapElites) -> None:
        """Give an island the counts of all: evaluation IDs tell children of all islands apart."""
        search.generation, search.evaluations = self.generation, self.evaluations
        search.confirmations = self.confirmations

    def _migrate(self, here: Archive, there: Archive) -> None:
        """Let the elites of some niches of an island into another one, where they are surer."""
        held: Indices = here.held()
        chosen = np.sort(self._rng.host.permutation(held)[: max(1, round(MIGRANTS * len(held)))])
        there.adopt(here, chosen)

    def state(self) -> State:
        """Return all that the next generation depends on, but the whole's genomes and random generators, as arrays."""
        state: State = {
            "counts": np.array([self.generation, self.evaluations, self.confirmations], np.int64),
            **prefixed("archive", self.archive.state()),
        }
        for number, search in enumerate(self.searches):
            self._count(search)  # It may have got elites since its turn.
            island: State = dict(search.state())
            if search.archive.genomes is not None:
                genomes, island["slot"] = search.archive.genomes.distinct()
                island |= prefixed("genomes", self._encoding.dump(genomes))
            state |= prefixed(f"island{number}", island)
        return state

    def restore(self, state: State, genomes: NicheGenomes | None) -> None:
        """Take up what :meth:`state` returned.

        Args:
            state: The state.
            genomes: The genomes of the archive of the whole.

        Raises:
            GenomeError: The genomes are not the encoding's.
            ValueError: The state doesn't fit itself or the archives.
            KeyError: An array is missing.
        """
        self.generation, self.evaluations, self.confirmations = whole_numbers("counts", state["counts"], 3).tolist()
        self.archive.restore(under("archive", state), genomes)
        for number, search in enumerate(self.searches):
            island = under(f"island{number}", state)
            dumped = under("genomes", island)
            search.restore(island, restored(self._encoding, dumped, island["slot"]) if dumped else None)
            if (search.generation, search.evaluations) != (self.generation, self.evaluations):
                raise ValueError("counts should be the same on all islands")
            if (search.archive.confidence > self.archive.confidence).any():
                raise ValueError("an island has a surer elite than all together")


Search = MapElites | Islands
"""What an evolution asks for children, and tells their scores."""
