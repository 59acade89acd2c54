"""A generation as DEAP sees it."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from deap import base, tools
from support import labelled_batch

from evofool.engines.population import Confidence, Fitnesses, Individual, Population, batched_map
from evofool.errors import TargetError

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
