"""MAP-Elites over the classes of a target.

Mouret & Clune 2015, as Nguyen, Yosinski, Clune 2015 use it (section 2.4): one niche a class, every child compared with
every niche. The original draws parents uniformly over the niches; ``selectors`` has others.

    generate:  parents ← select(archive);  children ← mutate(mate(parents))
    update:    for every niche: the child that scores its class highest replaces a weaker elite
"""

from __future__ import annotations

from typing import Any

import numpy as np
from deap import base

from ..archive import NOBODY, Archive, Update
from ..errors import TargetError
from ..population import Population
from ..rng import Rng


class MapElites:
    """The strategy; its operators are looked up in the toolbox at every step, so that a user can swap them.

    Args:
        toolbox: with ``random select mate mutate decode confirm`` registered.
        archive: empty, or to go on from.
        batch: children a generation.
        crossover_rate: share of the children that are crossed before mutation.
        rng: the run's.
        initial: genomes that take part in the first generation, or None.
        confirm: score children that would enter the archive again through ``toolbox.confirm``; needed when
            ``toolbox.evaluate`` is a fast approximation.
    """

    def __init__(
        self,
        toolbox: base.Toolbox,
        archive: Archive,
        *,
        batch: int,
        crossover_rate: float,
        rng: Rng,
        initial: Any = None,
        confirm: bool = False,
    ) -> None:
        self.toolbox, self.archive, self.batch = toolbox, archive, batch
        self.crossover_rate, self.rng, self.initial, self.confirm = crossover_rate, rng, initial, confirm
        self.generation = self.evaluations = self.confirmations = 0

    def generate(self) -> Population:
        if self.archive.genomes is None:
            return self._first()
        niches = self.toolbox.select(self.archive, self.batch)
        parents = self.archive.genomes.take(niches)
        crossed = np.flatnonzero(self.rng.host.random(self.batch) < self.crossover_rate)
        if len(crossed):
            partners = self.toolbox.select(self.archive, len(crossed))
            children = self.toolbox.mate(parents.take(crossed), self.archive.genomes.take(partners))
            parents.put(crossed, children)
        return Population(self.toolbox.mutate(parents), self.archive.born[niches], self.archive.niches)

    def update(self, population: Population) -> Update:
        scores, genomes, parents = population.scores, population.genomes, population.parents
        if scores is None:
            raise TargetError("the population has no scores: call toolbox.map(toolbox.evaluate, population) first")
        born = self.evaluations + np.arange(len(population))
        self.generation += 1
        self.evaluations += len(population)
        if self.confirm:
            rows = self.archive.contenders(scores)
            genomes, born, parents = genomes.take(rows), born[rows], parents[rows]
            scores = self.toolbox.confirm(self.toolbox.decode(genomes))
            self.confirmations += len(rows)
        return self.archive.update(genomes, scores, born, parents, self.generation)

    def state(self) -> dict[str, np.ndarray]:
        counts = np.array([self.generation, self.evaluations, self.confirmations], np.int64)
        return {"counts": counts, **{f"archive.{k}": v for k, v in self.archive.state().items()}}

    def restore(self, state: dict[str, np.ndarray], genomes: Any) -> None:
        counts = state["counts"]
        if counts.shape != (3,) or counts.dtype != np.int64 or counts.min() < 0:
            raise ValueError(f"counts should be three whole numbers, got {counts}")
        self.generation, self.evaluations, self.confirmations = counts.tolist()
        prefix = "archive."
        self.archive.restore({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}, genomes)

    def _first(self) -> Population:
        seeds = 0 if self.initial is None else len(self.initial)
        genomes = self.toolbox.random(max(self.batch, seeds))
        if seeds:
            genomes.put(np.arange(seeds), self.initial)
        return Population(genomes, np.full(len(genomes), NOBODY, np.int64), self.archive.niches)
