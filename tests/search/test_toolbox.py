"""The toolbox: DEAP's own loop runs on it, parts can be swapped, batches go through the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from deap import algorithms, tools
from evolving import advance, contents, every, evolution
from support import assert_same_arrays, frozen, global_random_untouched, tiny_target

from evofool.config.budget import Budget
from evofool.engines.local import LocalEngine
from evofool.search.archive import Archive
from evofool.search.deap_operators import per_genome
from evofool.search.evolution import Evolution
from evofool.targets.protocols import Target


def searched(run: Evolution) -> dict[str, np.ndarray]:
    """All of the state but the count of confirmations: evofool's own loop scores some elites again, DEAP's doesn't."""
    state = contents(run)
    return {**state, "search.counts": state["search.counts"][:2]}


@every
def test_deap_s_own_loop_runs_unmodified_and_ends_with_the_same_archive(encoding: str, preset: str) -> None:
    ours, theirs = evolution(encoding, preset), evolution(encoding, preset)
    for _ in ours.run(Budget(generations=8)):
        pass
    statistics = tools.Statistics(lambda individual: individual.fitness.values[0])
    statistics.register("max", max)
    best = tools.HallOfFame(3)
    population, logbook = algorithms.eaGenerateUpdate(
        theirs.toolbox, ngen=8, stats=statistics, halloffame=best, verbose=False
    )
    assert_same_arrays(searched(theirs), searched(ours))
    assert len(population) == 16
    assert logbook.select("nevals") == [16] * 8
    # The archive holds the best ever seen, and so does the hall of fame.
    assert max(logbook.select("max")) == pytest.approx(float(theirs.archive.confidence.max()))
    assert best[0].fitness.values[0] == pytest.approx(float(theirs.archive.confidence.max()))
    image = theirs.encoding.decode(best[0].genome)
    assert float(theirs.target.confirm(image).max()) == pytest.approx(best[0].fitness.values[0], abs=1e-6)


@pytest.mark.parametrize("options", [{"descriptors": ("brightness",), "bins": 4}, {"novelty": "features", "bins": 3}])
def test_deap_s_own_loop_runs_with_several_niches_and_emitters(options: dict[str, Any]) -> None:
    ours, theirs = (evolution("cppn", emitters=("vary", "restart", "refine"), **options) for _ in range(2))
    advance(ours, 5)
    algorithms.eaGenerateUpdate(theirs.toolbox, ngen=5, verbose=False)
    assert_same_arrays(searched(theirs), searched(ours))


def test_a_users_evaluate_need_not_keep_images() -> None:
    run, usual = evolution(precision="bfloat16"), evolution(precision="bfloat16")
    run.toolbox.register("evaluate", lambda population: run.target.scores(run.toolbox.decode(population.genomes)))
    advance(run, 4)
    advance(usual, 4)
    assert_same_arrays(contents(run), contents(usual))


def test_selection_can_be_swapped() -> None:
    """Parents from the weakest niche alone."""
    run = evolution("cppn")  # nobody is crossed, or partners would be selected as well
    advance(run, 1)
    seen: list[int] = []

    def weakest(archive: Archive, n: int) -> np.ndarray:
        niche = int(archive.confidence.argmin())
        seen.append(niche)
        return np.full(n, niche)

    run.toolbox.register("select", weakest)
    expected = int(run.archive.confidence.argmin())
    evaluation_id = int(run.archive.evaluation_id[expected])
    assert run.toolbox.generate().parents.tolist() == [evaluation_id] * 16
    assert seen == [expected]
    advance(run, 3)
    assert len(seen) == 4


def test_a_deap_operator_can_be_registered_as_mutation() -> None:
    def run_with_it() -> Evolution:
        run = evolution(batch=8)
        run.toolbox.register("mutate", per_genome(tools.mutGaussian, run.rng, mu=0, sigma=0.1, indpb=0.1))
        advance(run, 4)
        return run

    with global_random_untouched():
        ours, theirs = run_with_it(), run_with_it()
    assert_same_arrays(contents(ours), contents(theirs))
    plain = evolution(batch=8)
    advance(plain, 4)
    assert not np.array_equal(contents(ours)["genomes.genes"], contents(plain)["genomes.genes"])
    assert (ours.archive.generation > 1).any()  # mutants did become elites


class PlainTarget:
    """All that the search may know of a target."""

    def __init__(self) -> None:
        self.network = tiny_target()
        self.name, self.classes, self.image_shape = "plain", self.network.classes, self.network.image_shape

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        return self.network.scores(images)

    def confirm(self, images: torch.Tensor) -> torch.Tensor:
        return self.network.confirm(images)


@every
@pytest.mark.parametrize("options", [{}, {"novelty": "pixels", "bins": 3}, {"descriptors": ("hue",), "bins": 3}])
def test_a_target_is_its_name_classes_shape_and_scores(encoding: str, preset: str, options: dict[str, Any]) -> None:
    usual = evolution(encoding, preset, **options)
    plain = Evolution(PlainTarget(), usual.encoding, usual.options)
    advance(plain, 5)
    advance(usual, 5)
    assert_same_arrays(contents(plain), contents(usual))


class Elsewhere(LocalEngine):
    """An engine that counts what it scores, and says that its scores are approximate."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.exact = False
        self.scored: list[int] = []

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        self.scored.append(len(images))
        return super().scores(images)


def test_batches_are_scored_by_the_engine_that_is_given() -> None:
    usual, engine = evolution(), Elsewhere(tiny_target())
    run = Evolution(usual.target, usual.encoding, usual.options, engine=engine)
    advance(run, 3)
    assert engine.scored == [16, 16, 16]
    assert run.search.confirmations >= 16
    advance(usual, 3)
    assert_same_arrays(frozen(run.archive.state()), frozen(usual.archive.state()))
