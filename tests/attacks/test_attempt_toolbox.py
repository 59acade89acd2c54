"""DEAP's own ask-tell loop on an attempt's toolbox."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from campaigns import subjects
from deap import algorithms, tools
from fakes import Foreign
from support import tiny_target

from evofool.attacks.criterion import Criterion
from evofool.attacks.margins import margins
from evofool.attacks.searches.base import Feedback, Problem
from evofool.attacks.searches.differential_evolution import DifferentialEvolution
from evofool.attacks.searches.registry import STRATEGIES
from evofool.attacks.subject import Subject
from evofool.attacks.toolbox import attempt_toolbox
from evofool.encodings.pixels import Edits, Pixels, edited
from evofool.engines.population import Population

GENERATIONS = 6


def search_for(image: Subject, name: str = "rand1", k: int = 2) -> DifferentialEvolution:
    space, strategy = Pixels(image.image.shape, k), STRATEGIES[name]  # type: ignore[arg-type]
    start: Edits = np.empty((0, k, space.genes), np.int16)
    problem = Problem(space, image.image, 1000, np.random.default_rng(7), strategy.toolbox(space), start)
    search = strategy.search(problem)
    assert isinstance(search, DifferentialEvolution)
    return search


def exact(image: Subject, criterion: Criterion, edits: Edits) -> tuple[np.ndarray, np.ndarray]:
    """Return the margins and fitnesses of one attempt's candidates."""
    scores = tiny_target().confirm(torch.from_numpy(np.stack([edited(image.image, row) for row in edits])))
    n = len(edits)
    watched = torch.full((n,), criterion.watched_class(image.label))
    margin, fitness = margins(scores, watched, torch.full((n,), criterion.targeted))
    return margin.numpy(), fitness.numpy()


def criterion_of(image: Subject, targeted: bool) -> Criterion:
    return Criterion((image.label + 1) % 4) if targeted else Criterion()


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("name", ["rand1", "best1bin", "su2019"])
def test_deap_s_loop_ends_where_driving_the_search_by_hand_does(name: str, targeted: bool) -> None:
    image = subjects(1)[0]
    criterion = criterion_of(image, targeted)
    by_deap, by_hand = search_for(image, name), search_for(image, name)
    population, logbook = algorithms.eaGenerateUpdate(
        attempt_toolbox(tiny_target(), image, criterion, by_deap), ngen=GENERATIONS, verbose=False
    )
    for _ in range(GENERATIONS):
        edits = by_hand.ask()
        by_hand.tell(edits, Feedback(*exact(image, criterion, edits)))
    assert by_deap.genes is not None
    assert by_hand.genes is not None
    np.testing.assert_array_equal(by_deap.genes, by_hand.genes)
    np.testing.assert_array_equal(by_deap.values, by_hand.values)
    np.testing.assert_array_equal(population.genomes.edits, edits)
    assert by_deap.generation == GENERATIONS
    assert [record["nevals"] for record in logbook] == [len(edits)] * GENERATIONS


@pytest.mark.parametrize("targeted", [False, True])
def test_an_individual_s_fitness_is_by_how_much_it_reaches_the_criterion(targeted: bool) -> None:
    image = subjects(1)[0]
    criterion = criterion_of(image, targeted)
    population, _ = algorithms.eaGenerateUpdate(
        attempt_toolbox(tiny_target(), image, criterion, search_for(image)), ngen=2, verbose=False
    )
    assert isinstance(population, Population)
    fitnesses = [individual.fitness.values for individual in population]
    expected = -exact(image, criterion, population.genomes.edits)[0]
    np.testing.assert_allclose(np.array(fitnesses)[:, 0], expected, atol=1e-6)
    assert all(len(values) == 1 for values in fitnesses)


def test_deap_s_hall_of_fame_holds_the_best_candidate_of_all() -> None:
    image = subjects(1)[0]
    search, fame = search_for(image), tools.HallOfFame(1)
    algorithms.eaGenerateUpdate(
        attempt_toolbox(tiny_target(), image, Criterion(), search), ngen=GENERATIONS, halloffame=fame, verbose=False
    )
    (best,) = fame
    assert best.fitness.values[0] == pytest.approx(-float(search.values.min()))
    assert exact(image, Criterion(), best.genome.edits)[0][0] == pytest.approx(float(search.values.min()), abs=1e-6)


def test_the_image_under_attack_is_left_alone() -> None:
    image = subjects(1)[0]
    before = image.image.copy()
    algorithms.eaGenerateUpdate(
        attempt_toolbox(tiny_target(), image, Criterion(), search_for(image)), ngen=2, verbose=False
    )
    np.testing.assert_array_equal(image.image, before)


def test_a_target_that_is_no_torch_module_will_do() -> None:
    (image,) = subjects(1, Foreign())
    search = search_for(image, k=3)
    algorithms.eaGenerateUpdate(attempt_toolbox(Foreign(), image, Criterion(), search), ngen=20, verbose=False)
    brightness = image.image.mean() / 255
    assert float(search.values.min()) < abs(np.log(brightness / (1 - brightness)))
