"""The loop of an evolution: ask, decode, score, tell."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import numpy as np
from deap import tools
from msgspec.structs import replace

from ..config.budget import Budget
from ..config.classes import choose_classes
from ..config.evolve import EvolveOptions
from ..encodings.banks import FOUNDERS
from ..encodings.base import Encoding
from ..engines.base import Cluster, Engine
from ..engines.local import LocalEngine
from ..engines.population import Population
from ..engines.toolbox import Hook
from ..rng import Rng
from ..targets.protocols import Target, can_be_asked_beside, compare_scores
from ..targets.queries.metered import images_left
from .archive import Archive
from .contracts import ADVICE, contracts
from .defaults import VERIFIED_ELITES, resolve_for_target
from .diversity import check_size, diversity_of
from .islands import Islands
from .map_elites import MapElites
from .niche_genomes import restored
from .progress import Progress, build_statistics
from .proposals import Proposals
from .provisional import Preview, confirm_elites
from .states import State, prefixed, under
from .toolbox import build_search, build_toolbox, swap_operators


class Evolution:
    """One evolution: a target, an encoding, and MAP-Elites over some of the target's classes.

    Nothing is printed or written here. Iterate over :meth:`run`, or call :meth:`step`.

    Args:
        target: The classifier to fool.
        encoding: How genomes are made, varied and decoded. It stands for the options' ``encoding`` and ``settings``.
        options: The options of the search. What they leave open gets its default.
        initial: A batch of genomes to begin with, such as :func:`~evofool.search.beginning.beginning` returns; None
            begins with random ones, whatever ``init`` names. The first generation has all of them, unless ``init``
            names the founders: these are shared out to the first generations.
        engine: Where batches are scored, this process by default.
        toolbox: A function that swaps operators: it is given the toolbox and calls ``register`` on it.

    Attributes:
        options: The options, with nothing left open.
        toolbox: The operators; see :mod:`evofool.search.toolbox`. Those that are registered from now on are checked.
        swapped: The names of the operators that the function swapped, by alias.
        archive: The elites.
        search: MAP-Elites, or several that take turns.
        diversity: What tells several images of a class apart, None for one image per class.
        seconds: Seconds of evolving so far.
        consistent: Whether :meth:`state` is one that a run can go on from. It is where scoring a generation failed, and
            isn't where proposing or telling one did.
        logbook: DEAP's record of the generations since the start or the last restart.

    Raises:
        ConfigError: An option names what doesn't exist, options don't go together, or memory would not take the
            archive.
        OperatorError: An operator is swapped that can't be.

    Example:
        >>> from evofool import encodings, load_target
        >>> from evofool.config.budget import Budget
        >>> from evofool.config.evolve import EvolveOptions
        >>> target = load_target("digits", device="cpu")
        >>> encoding = encodings.build("direct", encodings.preset("direct", "default"), target.image_shape, "cpu")
        >>> evolution = Evolution(target, encoding, EvolveOptions(batch=20, seed=0))
        >>> for progress in evolution.run(Budget(generations=2)):
        ...     print(progress.generation, progress.evaluations, progress.elites)
        1 20 10
        2 40 10
    """

    def __init__(
        self,
        target: Target,
        encoding: Encoding,
        options: EvolveOptions,
        *,
        initial: Any = None,
        engine: Engine | None = None,
        toolbox: Hook | None = None,
    ) -> None:
        options = replace(options, encoding=encoding.name, settings=encoding.settings())
        options = resolve_for_target(options, target)
        self.target, self.encoding, self.options = target, encoding, options
        self.engine = engine or LocalEngine(target)
        self.rng = Rng(options.seed, self.engine.device)
        class_indices = choose_classes(options.classes, target.classes)
        self.diversity = diversity_of(options, target.image_shape[0])
        check_size(encoding, len(class_indices), len(target.classes), self.diversity, self.engine.device)

        def archive() -> Archive:
            if self.diversity:
                return self.diversity.archive(class_indices, self.engine)
            return Archive(class_indices, len(target.classes), self.engine.device)

        self.archive = archive()
        apart = [archive() for _ in range(options.islands)] if options.islands > 1 else []
        self.toolbox = build_toolbox(self.engine, encoding, self.rng, options, self.diversity)
        self.search = build_search(
            self.toolbox, self.archive, encoding, self.rng, options,
            initial=initial, confirm=not self.engine.exact, islands=apart,
        )  # fmt: skip
        measures = 0 if self.archive.measures is None else self.archive.measures.shape[1]
        checked = contracts(encoding, len(target.classes), measures, self.engine.device)
        self.toolbox.open(checked, self.rng, ADVICE)
        self.swapped = swap_operators(self.toolbox, toolbox, self.search, encoding)
        beside = can_be_asked_beside(target) or isinstance(self.engine, Cluster)
        beside &= not {"evaluate", "map"} & self.swapped.keys()
        self._proposals = Proposals(self.toolbox, self.search, encoding, ahead=options.ahead, beside=beside)
        self._preview = Preview(self.archive, self.toolbox, self.search.batch)
        self.consistent = True
        self.seconds = 0.0
        self.logbook = tools.Logbook()
        self.logbook.header = ["gen", "nevals", "confidence", "size"]
        self.statistics = build_statistics()

    def run(self, budget: Budget) -> Iterator[Progress]:
        """Yield the progress after each generation until the budget is spent."""
        try:
            while not self.spent(budget):
                after = self.search.generation + 1, self.search.evaluations + self.search.batch
                yield self.step(last=budget.spent(*after, self.seconds, 0.0) or self._short_of_queries())
        finally:
            self._proposals.settle()

    def spent(self, budget: Budget) -> bool:
        """Return whether the budget is spent."""
        search = self.search
        reached = median(self.archive.surest_confidence().tolist()) if budget.until is not None else 0.0
        if budget.until is not None and reached >= budget.until and self.archive.provisional.any():
            started = time.perf_counter()
            reached = median(self._preview.confidence().tolist())
            self.seconds += time.perf_counter() - started
        return budget.spent(search.generation, search.evaluations, self.seconds, reached)

    def confirm_elites(self) -> bool:
        """Confirm the elites whose scores are an approximation so far; return whether there were any.

        Ask for :meth:`state` before: an evolution that goes on from there doesn't know when somebody looked at it.
        """
        if not self.archive.provisional.any():
            return False
        started = time.perf_counter()
        self.search.confirmations += confirm_elites(self.archive, self.toolbox, self.search.batch)
        self.seconds += time.perf_counter() - started
        return True

    def figures(self) -> Progress:
        """Return where the evolution stands, as if its last generation had given no niche a new elite."""
        return self._progress(0, self._statistics())

    def step(self, *, last: bool = False) -> Progress:
        """Run one generation and return the progress after it.

        Args:
            last: Whether the budget has room for no other one.
        """
        started = time.perf_counter()
        toolbox = self.toolbox
        self.consistent = False
        self._proposals.propose(last=last)
        self.consistent = True
        population = self._proposals.scored()
        self.consistent = False
        update = toolbox.update(population)
        record = self._statistics()
        self.logbook.record(gen=self.search.generation, nevals=len(population), **record)
        if self.search.generation & (self.search.generation - 1) == 0:  # 1, 2, 4, 8, …
            self.search.confirmations += self.verify_determinism()
        self.consistent = True
        self.seconds += time.perf_counter() - started
        return self._progress(len(update.niches), record)

    def _short_of_queries(self) -> bool:
        """Return whether queries may not do for two generations: then the second must not spend the first one's."""
        left = images_left(self.target)
        return left is not None and left < 2 * self.search.batch

    def score_in_turn(self) -> None:
        """Score nothing beside other work from now on, so that it can be timed. No byte depends on it."""
        self._proposals.in_turn()

    def verify_determinism(self, *, resumed: bool = False) -> int:
        """Score the newest confirmed elites again: what is recorded must be what anyone finds who scores the image.

        Args:
            resumed: Whether they were scored in another session.

        Returns:
            How many were scored.

        Raises:
            TargetError: The scores are others.
        """
        archive, toolbox = self.archive, self.toolbox
        held = archive.held()
        held = held[~archive.provisional[held]]
        if not len(held):
            return 0
        newest = held[np.argsort(-archive.evaluation_id[held], kind="stable")[:VERIFIED_ELITES]]
        elites = Population(archive.genomes.take(newest), archive.parent[newest], archive.class_indices)
        confirms = self.search.confirm
        scores = toolbox.confirm(elites) if confirms else toolbox.evaluate(elites)
        toolbox.check(scores)
        compare_scores(self.target.name, *archive.beside(newest, scores), resumed=resumed)
        return len(newest)

    def state(self) -> State:
        """Return all that the next generation depends on, as arrays."""
        state: State = {
            **prefixed("search", self.search.state()),
            **prefixed("rng", self.rng.state()),
            "seconds": np.array(self.seconds),
        }
        if self.archive.genomes is not None:
            genomes, state["slot"] = self.archive.genomes.distinct()
            state |= prefixed("genomes", self.encoding.dump(genomes))
        state |= prefixed("proposed", self._proposals.state())
        for name, search in self._searches().items():
            if search.initial is not None:
                state |= prefixed(f"initial{name}", self.encoding.dump(search.initial))
        return state

    def restore(self, state: State) -> None:
        """Take up what :meth:`state` returned.

        Raises:
            GenomeError: The genomes are not this encoding's.
            ValueError: The state doesn't fit itself.
            KeyError: An array is missing.
        """
        genomes, seconds = under("genomes", state), state["seconds"]
        if seconds.dtype != np.float64 or seconds.shape or not 0 <= seconds < np.inf:
            raise ValueError("seconds should be one number of at least 0")
        self.search.restore(
            under("search", state), restored(self.encoding, genomes, state["slot"]) if genomes else None
        )
        for name, search in self._searches().items():
            initial = under(f"initial{name}", state)
            begun = search.archive.genomes is not None and self.options.init != FOUNDERS  # others come all at once
            search.initial = self.encoding.load(initial) if initial and not begun else None
        self.rng.restore(under("rng", state))
        self._proposals.restore(under("proposed", state))
        self.seconds = float(seconds)

    def _searches(self) -> dict[str, MapElites]:
        """Return the search; or those of all islands, by number."""
        if isinstance(self.search, Islands):
            return {str(number): search for number, search in enumerate(self.search.searches)}
        return {"": self.search}

    def _statistics(self) -> dict[str, dict[str, float]]:
        """Return the statistics of the surest elites."""
        sizes = self.archive.genomes.sizes()[self.archive.surest()]
        surest = list(zip(self.archive.surest_confidence().tolist(), sizes.tolist(), strict=True))
        statistics: dict[str, dict[str, float]] = self.statistics.compile(surest)
        return statistics

    def _progress(self, improved: int, record: dict[str, dict[str, float]]) -> Progress:
        confidence, held = record["confidence"], self.archive.held()
        return Progress(
            generation=self.search.generation,
            evaluations=self.search.evaluations,
            confirmations=self.search.confirmations,
            seconds=self.seconds,
            median=float(confidence["median"]),
            mean=float(confidence["mean"]),
            min=float(confidence["min"]),
            max=float(confidence["max"]),
            at_99=int(confidence["at_99"]),
            improved=improved,
            size=float(record["size"]["mean"]),
            elites=len(held),
            qd_score=float(self.archive.confidence[held].sum(dtype=np.float64)),
        )
