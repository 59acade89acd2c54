"""DEAP's own ask-tell loop on an attempt's toolbox."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from campaigns import subjects
from deap import algorithms, tools
from support import tiny_target

from evofool.attacks.criterion import Criterion, margins
from evofool.attacks.outcome import Subject
from evofool.attacks.searches import STRATEGIES, Brief, Feedback
from evofool.attacks.searches.differential_evolution import DifferentialEvolution
from evofool.attacks.toolbox import attempt_toolbox
from evofool.encodings.pixels import Edits, Pixels, edited
from evofool.engines.population import Population

GENERATIONS = 6


def search_for(image: Subject, name: str = "rand1", k: int = 2) -> DifferentialEvolution:
    space, strategy = Pixels(image.image.shape, k), STRATEGIES[name]  # type: ignore[arg-type]
    blank: Edits = np.empty((0, k, 5), np.int16)
    brief = Brief(space, image.image, 1000, np.random.default_rng(7), strategy.toolbox(space), blank)
    search = strategy.search(brief)
    assert isinstance(search, DifferentialEvolution)
    return search


def exact(image: Subject, criterion: Criterion, edits: Edits) -> tuple[np.ndarray, np.ndarray]:
    """Margins and fitnesses of one attempt's candidates."""
    scores = tiny_target().confirm(torch.from_numpy(np.stack([edited(image.image, row) for row in edits])))
    n = len(edits)
    columns = torch.full((n,), criterion.column(image.label))
    margin, fitness = margins(scores, columns, torch.full((n,), criterion.target is not None))
    return margin.numpy(), fitness.numpy()


def criteria(image: Subject) -> list[Criterion]:
    return [Criterion(None), Criterion((image.label + 1) % 4)]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("name", ["rand1", "best1bin", "su2019"])
def test_deap_s_loop_ends_where_driving_the_search_by_hand_does(name: str, which: int) -> None:
    image = subjects(1)[0]
    criterion = criteria(image)[which]
    by_deap, by_hand = search_for(image, name), search_for(image, name)
    population, logbook = algorithms.eaGenerateUpdate(
        attempt_toolbox(tiny_target(), image, criterion, by_deap), ngen=GENERATIONS, verbose=False
    )
    for _ in range(GENERATIONS):
        edits = by_hand.generate()
        by_hand.update(edits, Feedback(*exact(image, criterion, edits)))
    assert by_deap.genes is not None
    assert by_hand.genes is not None
    np.testing.assert_array_equal(by_deap.genes, by_hand.genes)
    np.testing.assert_array_equal(by_deap.values, by_hand.values)
    np.testing.assert_array_equal(population.genomes.edits, edits)
    assert by_deap.generation == GENERATIONS
    assert [record["nevals"] for record in logbook] == [len(edits)] * GENERATIONS


@pytest.mark.parametrize("which", [0, 1])
def test_an_individual_s_fitness_is_by_how_much_it_reaches_the_criterion(which: int) -> None:
    image = subjects(1)[0]
    criterion = criteria(image)[which]
    population, _ = algorithms.eaGenerateUpdate(
        attempt_toolbox(tiny_target(), image, criterion, search_for(image)), ngen=2, verbose=False
    )
    assert isinstance(population, Population)
    found = [individual.fitness.values for individual in population]
    np.testing.assert_allclose(np.array(found)[:, 0], -exact(image, criterion, population.genomes.edits)[0], atol=1e-6)
    assert all(len(values) == 1 for values in found)


def test_deap_s_hall_of_fame_holds_the_best_candidate_of_all() -> None:
    image = subjects(1)[0]
    search, fame = search_for(image), tools.HallOfFame(1)
    algorithms.eaGenerateUpdate(
        attempt_toolbox(tiny_target(), image, Criterion(None), search), ngen=GENERATIONS, halloffame=fame, verbose=False
    )
    (best,) = fame
    assert best.fitness.values[0] == pytest.approx(-float(search.values.min()))
    assert exact(image, Criterion(None), best.genome.edits)[0][0] == pytest.approx(float(search.values.min()), abs=1e-6)


def test_the_image_under_attack_is_left_alone() -> None:
    image = subjects(1)[0]
    before = image.image.copy()
    algorithms.eaGenerateUpdate(
        attempt_toolbox(tiny_target(), image, Criterion(None), search_for(image)), ngen=2, verbose=False
    )
    np.testing.assert_array_equal(image.image, before)
