"""A generation as DEAP sees it."""

from __future__ import annotations

import copy
import random

import numpy as np
import pytest
import torch
from deap import base, tools
from support import global_random_untouched, labelled_batch, random_images

from evofool.encodings.direct.batch import DirectBatch
from evofool.engines.population import Confidence, Fitnesses, Individual, Population, batched_map, per_genome
from evofool.errors import TargetError
from evofool.rng import Rng

SCORES = torch.tensor([[0.1, 0.9], [0.6, 0.4], [0.5, 0.5]])


def population(labels: list[int]) -> Population:
    return Population(labelled_batch(labels), np.full(len(labels), -1))


def label(individual: Individual) -> int:
    return int(individual.genome.genes.item())


def test_it_is_a_sequence_of_individuals() -> None:
    children = population([7, 8, 9])
    assert len(children) == 3
    assert [label(child) for child in children] == [7, 8, 9]
    assert label(children[1]) == 8
    assert label(children[-1]) == 9
    assert [label(child) for child in children[1:]] == [8, 9]
    assert children[0] is children[0]  # a fitness that DEAP sets is found again
    with pytest.raises(IndexError):
        children[3]


def test_an_empty_population_is_a_sequence_too() -> None:
    assert list(population([])) == []


def test_one_call_of_evaluate_serves_the_whole_population() -> None:
    children = population([1, 2, 3])
    calls: list[Population] = []

    def evaluate(given: Population) -> torch.Tensor:
        calls.append(given)
        return SCORES

    fitnesses = batched_map(evaluate, children)
    assert calls == [children]
    assert children.scores is SCORES
    assert list(fitnesses) == [(pytest.approx(0.9),), (pytest.approx(0.6),), (pytest.approx(0.5),)]
    assert len(fitnesses) == 3


def test_fitness_values_are_tuples_that_deap_takes() -> None:
    fitness = Confidence()
    assert not fitness.valid
    fitness.values = Fitnesses(SCORES)[0]
    assert fitness.valid
    better, worse = Confidence(), Confidence()
    better.values, worse.values = (0.9,), (0.2,)
    assert better > worse
    assert isinstance(fitness, base.Fitness)


@pytest.mark.parametrize(("class_indices", "expected"), [(None, [0.9, 0.6, 0.5]), ([0], [0.1, 0.6, 0.5])])
def test_fitness_counts_some_classes_only(class_indices: list[int] | None, expected: list[float]) -> None:
    """A child that only another class likes is no good child of a run on these classes."""
    counting = None if class_indices is None else np.array(class_indices)
    children = Population(labelled_batch([1, 2, 3]), np.full(3, -1), counting)
    assert [value for (value,) in batched_map(lambda _: SCORES, children)] == pytest.approx(expected)
    assert torch.equal(children.scores, SCORES)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_deap_is_given_no_fitness_that_is_no_number(bad: float) -> None:
    scores = torch.tensor([[0.1], [bad]])
    with pytest.raises(TargetError, match="NaN or infinite"):
        list(Fitnesses(scores))


def test_a_copied_individual_keeps_its_own_genome_alone() -> None:
    children = population([7, 8])
    children[1].fitness.values = (0.25,)
    copied = copy.deepcopy(children[1])
    children.genomes.genes.fill_(0)
    assert label(copied) == 8
    assert copied.fitness.values == (0.25,)
    assert len(copied.genomes) == 1


def hall(children: list[Population], scores: list[torch.Tensor], size: int) -> tools.HallOfFame:
    best = tools.HallOfFame(size)
    for generation, values in zip(children, scores, strict=True):
        for child, fitness in zip(generation, batched_map(lambda _, v=values: v, generation), strict=True):
            child.fitness.values = fitness
        best.update(generation)
    return best


def test_a_hall_of_fame_keeps_the_best_of_all_generations() -> None:
    generations = [population([1, 2, 3, 4]), population([5, 6, 7, 8])]
    scores = [torch.tensor([[0.2], [0.8], [0.1], [0.3]]), torch.tensor([[0.5], [0.1], [0.9], [0.4]])]
    best = hall(generations, scores, 3)
    generations[1].genomes.genes.fill_(0)
    assert [label(individual) for individual in best] == [7, 2, 5]
    assert [individual.fitness.values[0] for individual in best] == pytest.approx([0.9, 0.8, 0.5])


def test_a_hall_of_fame_keeps_nobody_twice() -> None:
    """DEAP compares individuals to keep copies out; equal genomes are equal individuals."""
    scores = torch.tensor([[0.9], [0.9], [0.2]])
    best = hall([population([1, 1, 2]), population([1, 3, 2])], [scores, scores], 10)
    assert sorted(label(individual) for individual in best) == [1, 2, 3]


def test_a_deap_operator_mutates_a_batch_and_leaves_everything_else_alone() -> None:
    parents = DirectBatch(random_images(6, (3, 8, 8)))
    before = parents.genes.clone()
    mutate = per_genome(tools.mutGaussian, Rng(0), mu=0, sigma=0.1, indpb=0.5)
    with global_random_untouched():
        children = mutate(parents)
    assert torch.equal(parents.genes, before)
    steps = (children.genes.int() - before.int()).float() / 255
    changed = steps != 0
    assert changed.float().mean() == pytest.approx(0.49, abs=0.06)
    clear = (before > 60) & (before < 195) & changed  # far from clamping
    assert steps[clear].std() == pytest.approx(0.1, rel=0.15)
    assert children.genes.dtype == torch.uint8


def test_the_adapter_is_as_seeded_as_the_run() -> None:
    parents = DirectBatch(random_images(3))

    def mutate(seed: int, noise: int) -> torch.Tensor:
        random.seed(noise)  # whatever the process did before
        return per_genome(tools.mutGaussian, Rng(seed), mu=0, sigma=0.1, indpb=0.5)(parents).genes

    state = random.getstate()
    try:
        assert torch.equal(mutate(1, noise=1), mutate(1, noise=2))
        assert not torch.equal(mutate(1, noise=1), mutate(2, noise=1))
    finally:
        random.setstate(state)


def test_values_beyond_the_pixel_range_are_clamped() -> None:
    def push(values: list[float], far: float) -> tuple[list[float]]:
        return ([value + far for value in values],)

    parents = DirectBatch(random_images(2))
    for far, end in ((9.0, 255), (-9.0, 0)):
        assert per_genome(push, Rng(0), far=far)(parents).genes.unique().tolist() == [end]


def test_a_failing_operator_puts_the_global_generator_back() -> None:
    def fail(_: list[float]) -> None:
        random.random()
        raise ValueError("no")

    with global_random_untouched(), pytest.raises(ValueError, match="no"):
        per_genome(fail, Rng(0))(DirectBatch(random_images(1)))
