"""The loop of an evolution, and the DEAP toolbox it is wired with."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from statistics import fmean, median
from typing import Any

import numpy as np
from deap import base, tools
from torch import Tensor

from ..config.budget import Budget
from ..encodings.base import Encoding, Indices
from ..engines.population import Population, batched_map
from ..rng import Rng
from ..targets.torch_target import Target, compare_scores
from .archive import Archive, Update
from .diversity import Diversity
from .emitters.batches import under
from .emitters.registry import emitters_of, known_emitters
from .map_elites import MapElites
from .niche_genomes import NicheGenomes
from .selectors import selector as selector_named

CHECKED = 16
"""elites that are scored again, in generations 1, 2, 4, 8, … and after a restart"""

CONFIRM_ROWS = {"cpu": 4, "cuda": 64, "mps": 32}
"""rows of a pass that confirms, by device: few on the CPU, where filling up costs"""


@dataclass(frozen=True)
class Progress:
    """The state of an evolution after a generation. Confidences are probabilities, over the classes: of each class's
    surest elite."""

    generation: int
    evaluations: int
    confirmations: int
    """children scored again in float32 before admission; 0 where the search itself is float32"""
    seconds: float
    median: float
    mean: float
    min: float
    max: float
    at_99: int
    """classes with a confidence of 99 % or more"""
    improved: int
    """niches that got a new elite in this generation"""
    size: float
    """mean genome size of these elites"""
    elites: int
    """niches that have one"""
    qd_score: float
    """the sum of all elites' confidences (Pugh et al. 2015)"""


def build_toolbox(
    target: Target, encoding: Encoding, rng: Rng, selector: str = "uniform", diversity: Diversity | None = None
) -> base.Toolbox:
    """The one place where an evolution's parts are wired, and where a user swaps them.

    ``generate`` and ``update`` are registered by :class:`Evolution`, which owns the strategy. With both, DEAP's own
    ``algorithms.eaGenerateUpdate(toolbox, ngen)`` runs unmodified.
    """

    def evaluate(population: Population) -> Tensor:
        population.images = toolbox.decode(population.genomes)
        return target.scores(population.images, checked=False)

    toolbox = base.Toolbox()
    toolbox.register("random", encoding.random, rng=rng)
    toolbox.register("select", selector_named(selector), rng=rng)
    toolbox.register("mate", encoding.mate, rng=rng)
    toolbox.register("mutate", encoding.mutate, rng=rng)
    toolbox.register("decode", encoding.decode)
    toolbox.register("evaluate", evaluate)
    toolbox.register("confirm", target.confirm, rows=CONFIRM_ROWS.get(target.device.type), checked=False)
    toolbox.register("check", target.check)
    toolbox.register("map", batched_map)
    if diversity:
        toolbox.register("describe", diversity.measure, target)
    return toolbox


class Evolution:
    """One evolution: a target, an encoding, and MAP-Elites over some of the target's classes.

    Nothing is printed or written here. Iterate over :meth:`run`, or call :meth:`step`.

    Args:
        target: what is to be fooled.
        encoding: of the genomes.
        niches: (M,) class indices, one niche each, or several with ``diversity``.
        batch: children a generation.
        seed: of all randomness.
        selector: which elites become parents, by its name in ``strategies.selectors``.
        emitters: what proposes children, by names in ``strategies.emitters``; ``refine@100000`` begins after so many
            evaluations. (``evofool.evolve`` has defaults of its own for CPPNs.)
        initial: a batch of genomes for the first generation, or None.
        diversity: what tells several images of a class apart; None is one image a class.

    Raises:
        ConfigError: there is no such selector, or no such emitter for these genomes and batches.
    """

    def __init__(
        self,
        target: Target,
        encoding: Encoding,
        *,
        niches: Indices,
        batch: int,
        seed: int,
        selector: str = "uniform",
        emitters: str | Iterable[str] = ("vary",),
        initial: Any = None,
        diversity: Diversity | None = None,
    ) -> None:
        self.target, self.encoding, self.diversity = target, encoding, diversity
        self.rng = Rng(seed, target.device)
        self.toolbox = build_toolbox(target, encoding, self.rng, selector, diversity)
        self.archive = (
            diversity.archive(niches, target) if diversity else Archive(niches, len(target.classes), target.device)
        )
        self.strategy = MapElites(
            self.toolbox,
            self.archive,
            batch=batch,
            emitters=emitters_of(known_emitters(emitters, encoding.name, batch), self.toolbox, encoding, self.rng),
            rng=self.rng,
            initial=initial,
            confirm=target.precision != "float32",
        )
        self.toolbox.register("generate", self.strategy.generate)
        self.toolbox.register("update", self.strategy.update)
        self.seconds = 0.0
        self.logbook = tools.Logbook()
        self.logbook.header = ["gen", "nevals", "confidence", "size"]
        confidence = tools.Statistics(itemgetter(0))
        for name, function in (("median", median), ("mean", fmean), ("min", min), ("max", max)):
            confidence.register(name, function)  # not numpy's: on DEAP's tuples they take ten times as long
        confidence.register("at_99", lambda values: sum(value >= 0.99 for value in values))
        size = tools.Statistics(itemgetter(1))
        size.register("mean", fmean)
        self.statistics = tools.MultiStatistics(confidence=confidence, size=size)

    def run(self, budget: Budget) -> Iterator[Progress]:
        """Generations until the budget is spent, with a report after each."""
        while not self.spent(budget):
            yield self.step()

    def spent(self, budget: Budget) -> bool:
        """Whether the budget is spent."""
        strategy = self.strategy
        reached = median(self.archive.surest_confidence().tolist()) if budget.until is not None else 0.0
        return budget.spent(strategy.generation, strategy.evaluations, self.seconds, reached)

    def step(self) -> Progress:
        """One generation: generate → decode → score → update → record."""
        started = time.perf_counter()
        toolbox = self.toolbox
        population = toolbox.generate()
        toolbox.map(toolbox.evaluate, population)
        update = toolbox.update(population)
        record = self._record(len(population))
        if self.strategy.generation & (self.strategy.generation - 1) == 0:  # 1, 2, 4, 8, …
            self.verify_determinism()
        self.seconds += time.perf_counter() - started
        return self._progress(update, record)

    def verify_determinism(self) -> None:
        """Score the newest elites again: what an archive records must be what anyone finds who scores the same image.

        Raises:
            TargetError: the scores are others.
        """
        archive, toolbox = self.archive, self.toolbox
        held = archive.held()
        newest = held[np.argsort(-archive.evaluation_id[held], kind="stable")[:CHECKED]]
        elites = Population(archive.genomes.take(newest), archive.parent[newest], archive.wanted)
        exact = self.strategy.confirm
        now = toolbox.confirm(toolbox.decode(elites.genomes)) if exact else toolbox.evaluate(elites)
        toolbox.check(now)
        compare_scores(self.target.name, archive.scores[newest], now)

    def state(self) -> dict[str, np.ndarray]:
        """Everything that the next generation depends on, as arrays."""
        state = {f"strategy.{k}": v for k, v in self.strategy.state().items()}
        state |= {f"rng.{k}": v for k, v in self.rng.state().items()}
        state["seconds"] = np.array(self.seconds)
        kept = {"initial": self.strategy.initial}
        if self.archive.genomes is not None:
            kept["genomes"], state["slot"] = self.archive.genomes.kept()
        for name, genomes in kept.items():
            if genomes is not None:
                state |= {f"{name}.{k}": v for k, v in self.encoding.dump(genomes).items()}
        return state

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take up what :meth:`state` gave.

        Raises:
            GenomeError: the genomes are not this encoding's.
            ValueError: the state doesn't fit itself.
        """
        genomes, initial = under("genomes.", state), under("initial.", state)
        self.strategy.restore(under("strategy.", state), self._shared(genomes, state) if genomes else None)
        self.strategy.initial = self.encoding.load(initial) if initial else None
        self.rng.restore(under("rng.", state))
        self.seconds = float(state["seconds"])

    def _shared(self, arrays: dict[str, np.ndarray], state: dict[str, np.ndarray]) -> NicheGenomes:
        genomes = self.encoding.load(arrays)
        slot = state.get("slot", np.arange(len(genomes)))  # once every niche had a genome of its own
        if slot.ndim != 1 or slot.dtype != np.int64 or slot.min() < 0 or slot.max() >= len(genomes):
            raise ValueError(f"slot should be whole numbers from 0 to {len(genomes) - 1}")
        if len(genomes) > len(slot):
            raise ValueError(f"{len(genomes)} genomes for {len(slot)} niches")
        return NicheGenomes(genomes, slot)

    def _record(self, evaluated: int) -> dict[str, dict[str, float]]:
        sizes = self.archive.genomes.sizes()[self.archive.surest()]
        surest = list(zip(self.archive.surest_confidence().tolist(), sizes.tolist(), strict=True))
        record: dict[str, dict[str, float]] = self.statistics.compile(surest)
        self.logbook.record(gen=self.strategy.generation, nevals=evaluated, **record)
        return record

    def _progress(self, update: Update, record: dict[str, dict[str, float]]) -> Progress:
        confidence = record["confidence"]
        return Progress(
            generation=self.strategy.generation,
            evaluations=self.strategy.evaluations,
            confirmations=self.strategy.confirmations,
            seconds=self.seconds,
            median=float(confidence["median"]),
            mean=float(confidence["mean"]),
            min=float(confidence["min"]),
            max=float(confidence["max"]),
            at_99=int(confidence["at_99"]),
            improved=len(update.niches),
            size=float(record["size"]["mean"]),
            elites=len(held := self.archive.held()),
            qd_score=float(self.archive.confidence[held].sum(dtype=np.float64)),
        )
