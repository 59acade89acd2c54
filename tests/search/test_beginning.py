"""What an evolution begins with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import build, tiny_target

from evofool.config.evolve import EvolveOptions
from evofool.encodings.banks import FOUNDERS, RANDOM
from evofool.encodings.initial import initial_genomes
from evofool.search.beginning import beginning
from evofool.search.evolution import Evolution

BATCH = 20


def evolution(*, resumed: bool = False, **options: Any) -> Evolution:
    target = tiny_target(classes=4)
    encoding = build("cppn", "default", target.image_shape)
    chosen = EvolveOptions(batch=BATCH, device="cpu", **{"init": FOUNDERS, "evaluations": 200, **options})
    return Evolution(target, encoding, chosen, initial=None if resumed else beginning(chosen, encoding)[0])


def proposed(evolved: Evolution, generations: int) -> list[Any]:
    """The genomes of some generations, whose scores are told."""
    seen = []
    for _ in range(generations):
        population = evolved.toolbox.generate()
        seen.append(population.genomes)
        evolved.toolbox.map(evolved.toolbox.evaluate, population)
        evolved.toolbox.update(population)
    return seen


def rows_of(genomes: Any) -> list[bytes]:
    return [genomes.weight[row].tobytes() for row in range(len(genomes))]


@pytest.mark.parametrize("init", [None, RANDOM])
def test_random_genomes_are_none_that_anybody_gave(init: str | None) -> None:
    assert beginning(EvolveOptions(init=init), build("cppn", "default")) == (None, None)


def test_founders_come_a_generation_at_a_time_and_then_their_children() -> None:
    evolved = evolution()
    evolved.search.initial = evolved.search.initial.take(np.arange(50))
    bank = set(rows_of(initial_genomes(FOUNDERS, evolved.encoding)))
    first, second, third, fourth = (rows_of(genomes) for genomes in proposed(evolved, 4))
    assert [len(first), len(second), len(third), len(fourth)] == [BATCH] * 4
    assert bank >= {*first, *second}
    assert set(first).isdisjoint(second)
    assert sum(row in bank for row in third) == 10  # and random ones beside them
    assert not bank >= set(fourth)
    assert evolved.search.initial is None


@pytest.mark.parametrize(("classes", "count"), [(["class 1"], 100), (None, 400)])
def test_there_are_a_hundred_founders_for_each_niche(classes: list[str] | None, count: int) -> None:
    assert len(evolution(classes=classes).search.initial) == count


def test_founders_do_not_depend_on_the_budget_and_their_order_does_on_the_seed() -> None:
    encoding = build("cppn", "default", (3, 8, 8))
    few, many, other = (
        rows_of(beginning(EvolveOptions(init=FOUNDERS, **options), encoding)[0])
        for options in ({"evaluations": 400}, {"generations": 4_000}, {"seed": 1})
    )
    assert few == many
    assert few != other
    assert sorted(few) == sorted(other)


def test_genomes_that_a_user_names_come_all_at_once() -> None:
    evolved = evolution(init="cifar10-cppn", evaluations=None)
    bank = set(rows_of(initial_genomes("cifar10-cppn", evolved.encoding)))
    first, second = (rows_of(genomes) for genomes in proposed(evolved, 2))
    assert bank <= set(first)
    assert len(second) == BATCH
    assert evolved.search.initial is None


def test_islands_share_the_founders_out() -> None:
    evolved = evolution(islands=2)
    first, second = (rows_of(genomes) for genomes in proposed(evolved, 2))
    bank = set(rows_of(initial_genomes(FOUNDERS, evolved.encoding)))
    assert bank >= {*first, *second}
    assert set(first).isdisjoint(second)
    assert [len(search.initial) for search in evolved.search.searches] == [180, 180]


@pytest.mark.parametrize("options", [{}, {"islands": 2}, {"ahead": True}], ids=str)
@pytest.mark.parametrize("generations", [1, 2, 3, 5])
def test_what_is_still_to_come_is_part_of_the_state(options: dict[str, Any], generations: int) -> None:
    through, restored = evolution(**options), evolution(resumed=True, **options)
    for _ in range(generations):
        through.step(last=False)
    restored.restore(through.state())
    for _ in range(4):
        through.step(last=False)
        restored.step(last=False)
    np.testing.assert_array_equal(restored.archive.confidence, through.archive.confidence)
    assert rows_of(restored.archive.genomes.take(np.arange(4))) == rows_of(through.archive.genomes.take(np.arange(4)))


def test_states_of_earlier_versions_that_keep_genomes_of_a_user_s_do_not_bring_them_again() -> None:
    evolved = evolution(init="cifar10-cppn", evaluations=None)
    kept = {name: value for name, value in evolved.state().items() if name.startswith("initial")}
    assert kept
    proposed(evolved, 1)
    other = evolution(resumed=True, init="cifar10-cppn", evaluations=None)
    other.restore({**evolved.state(), **kept})
    assert other.search.initial is None


@pytest.mark.parametrize(("edges", "factor"), [((32, 32), 1), ((96, 96), 1), ((224, 224), 224 / 96), ((192, 300), 2)])
def test_founders_are_zoomed_out_in_images_larger_than_theirs(edges: tuple[int, int], factor: float) -> None:
    encoding = build("cppn", "default", (3, *edges))
    genomes, _ = beginning(EvolveOptions(init=FOUNDERS), encoding)
    whole, _ = beginning(EvolveOptions(init=FOUNDERS), build("cppn", "default", (3, 8, 8)))
    ratios = genomes.weight[genomes.source == 0] / whole.weight[whole.source == 0]
    np.testing.assert_allclose(ratios, factor, rtol=1e-6)
    inner = genomes.source >= 3  # the bias, and nodes
    np.testing.assert_array_equal(genomes.weight[inner], whole.weight[inner])
