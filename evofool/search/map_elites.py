"""MAP-Elites over the classes of a target.

Mouret & Clune 2015, as Nguyen, Yosinski, Clune 2015 use it (section 2.4): one niche a class, every child compared with
every niche. The original draws parents uniformly over the niches; ``selectors`` has others. An archive with several
niches a class (``diversity``) asks for descriptors of the children that could enter one.

    generate:  parents ← select(archive);  children ← mutate(mate(parents))
    update:    for every niche: the child that scores its class highest replaces a weaker elite
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from deap import base

from ..engines.population import NO_EVALUATION, Population
from ..errors import TargetError
from ..rng import Rng
from .archive import Archive, Update
from .emitters.batches import under
from .emitters.registry import Emitter
from .niche_genomes import NicheGenomes

LEARNING = 0.02
"""how far an emitter's gain moves towards that of its last generation, but in its first 50, whose mean it is: some
emitters gain seldom, and much then"""

ANYBODY = 0.2
"""share of the generations that emitters have alike, whatever they gain"""


class MapElites:
    """The strategy; its operators are looked up in the toolbox at every step, so that a user can swap them.

    Args:
        toolbox: with ``random select mate mutate decode confirm check`` registered, and ``describe`` where a class has
            several niches. Scores are checked once the archive has them: a GPU has caught up by then.
        archive: empty, or to go on from.
        batch: children a generation.
        emitters: what proposes them, by the names that they are registered under, and after how many evaluations each
            begins. Each generation is one emitter's; of several it is drawn by what their children gained lately.
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
        emitters: Mapping[str, tuple[Emitter, int]],
        rng: Rng,
        initial: Any = None,
        confirm: bool = False,
    ) -> None:
        self.toolbox, self.archive, self.batch = toolbox, archive, batch
        self.emitters = {name: emitter for name, (emitter, _) in emitters.items()}
        self.begins = np.array([begin for _, begin in emitters.values()], np.int64)
        self.rng, self.initial, self.confirm = rng, initial, confirm
        self.gains, self.turns = np.zeros(len(emitters)), np.zeros(len(emitters), np.int64)
        self._turn: int | None = None
        self.generation = self.evaluations = self.confirmations = 0

    def generate(self) -> Population:
        if self.archive.genomes is None:
            return self._first()
        self._turn = self._whose_turn()
        ask = getattr(self.toolbox, list(self.emitters)[self._turn])
        children, parents = ask(self.archive, self.batch)
        return Population(children, parents, self.archive.wanted)

    def update(self, population: Population) -> Update:
        scores, genomes, parents = population.scores, population.genomes, population.parents
        if scores is None:
            raise TargetError("the population has no scores: call toolbox.map(toolbox.evaluate, population) first")
        every, evaluation_id = scores, self.evaluations + np.arange(len(population))
        self.generation += 1
        self.evaluations += len(population)
        measures = None
        if self.confirm or self.archive.measures is not None:
            rows = self.archive.contenders(scores)
            genomes, evaluation_id, parents, scores = (
                genomes.take(rows),
                evaluation_id[rows],
                parents[rows],
                scores[rows],
            )
            images = self.toolbox.decode(genomes) if population.images is None else population.images[rows]
            if self.confirm:
                scores = self.toolbox.confirm(images)
                self.confirmations += len(rows)
            if self.archive.measures is not None:
                empty = self.archive.measures[:0]
                measures = self.toolbox.describe(images, genomes) if len(rows) else empty
        before = self._total() if len(self.emitters) > 1 else 0.0
        update = self.archive.update(genomes, scores, evaluation_id, parents, self.generation, measures)
        for found in (every, scores) if self.confirm else (every,):
            self.toolbox.check(found)
        if self._turn is not None:
            list(self.emitters.values())[self._turn].tell(self.archive, every)
            if len(self.emitters) > 1:
                gain = max(0.0, self._total() - before) / len(population)
                self.turns[self._turn] += 1
                self.gains[self._turn] += max(LEARNING, 1 / self.turns[self._turn]) * (gain - self.gains[self._turn])
        return update

    def state(self) -> dict[str, np.ndarray]:
        counts = np.array([self.generation, self.evaluations, self.confirmations], np.int64)
        state = {"counts": counts, **{f"archive.{k}": v for k, v in self.archive.state().items()}}
        for name, emitter in self.emitters.items():
            state |= {f"{name}.{k}": v for k, v in emitter.state().items()}
        if len(self.emitters) > 1:
            state |= {"gains": self.gains.copy(), "turns": self.turns.copy()}
        return state

    def restore(self, state: dict[str, np.ndarray], genomes: NicheGenomes | None) -> None:
        counts = state["counts"]
        if counts.shape != (3,) or counts.dtype != np.int64 or counts.min() < 0:
            raise ValueError(f"counts should be three whole numbers, got {counts}")
        self.generation, self.evaluations, self.confirmations = counts.tolist()
        self.archive.restore(under("archive.", state), genomes)
        for name, emitter in self.emitters.items():
            emitter.restore(under(f"{name}.", state), self.archive)
        if len(self.emitters) > 1:
            begun = (self.begins <= self.evaluations).astype(np.int64)
            state = {"turns": begun, **state}  # versions before 0.3.0 didn't count them
            for name, ours in (("gains", self.gains), ("turns", self.turns)):
                given = state[name]
                if (
                    given.shape != ours.shape
                    or given.dtype != ours.dtype
                    or not (np.isfinite(given) & (given >= 0)).all()
                ):
                    raise ValueError(f"{name} should be {ours.shape} numbers of 0 or more")
            self.gains, self.turns = state["gains"].copy(), state["turns"].copy()

    def _whose_turn(self) -> int:
        """The emitter of a generation: by its children's gains, but for a share that all have alike. One that is new is
        taken to have gained once what the best one gains."""
        begun = np.flatnonzero(self.begins <= self.evaluations)
        if len(begun) == 1:
            return int(begun[0])
        new = begun[self.turns[begun] == 0]
        if len(new) < len(begun):
            self.gains[new], self.turns[new] = self.gains[begun].max(), 1
        gains = self.gains[begun]
        total = gains.sum()
        chances = gains / total if total > 0 else np.full(len(begun), 1 / len(begun))
        return int(self.rng.host.choice(begun, p=ANYBODY / len(begun) + (1 - ANYBODY) * chances))

    def _total(self) -> float:
        """The sum of all elites' confidences."""
        return float(self.archive.confidence[self.archive.held()].sum(dtype=np.float64))

    def _first(self) -> Population:
        seeds = 0 if self.initial is None else len(self.initial)
        genomes = self.toolbox.random(max(self.batch, seeds))
        if seeds:
            genomes.put(np.arange(seeds), self.initial)
        return Population(genomes, np.full(len(genomes), NO_EVALUATION, np.int64), self.archive.wanted)
