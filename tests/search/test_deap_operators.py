"""DEAP's own operators on batches of genomes and on archives: each works, or one line names it and says what to do."""

from __future__ import annotations

import random

import pytest
import torch
from deap import tools
from support import global_random_untouched, random_images

from evofool.encodings.direct.batch import DirectBatch
from evofool.rng import Rng
from evofool.search.deap_operators import per_genome


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
