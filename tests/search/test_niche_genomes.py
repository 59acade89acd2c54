"""Genomes that niches share, against a dictionary."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import build, genomes_of, labelled_batch, tiny_target

from evofool.config.evolve import EvolveOptions
from evofool.search.evolution import Evolution
from evofool.search.niche_genomes import NicheGenomes
from evofool.search.states import prefixed

NICHES = 6
puts = st.lists(
    st.dictionaries(st.integers(0, NICHES - 1), st.integers(0, 3), min_size=1, max_size=NICHES), max_size=12
)


def labels(genomes: object) -> list[int]:
    return [int(label) for label in genomes.genes.flatten()]  # type: ignore[attr-defined]


@given(puts)
def test_every_niche_has_what_it_was_given_last(given_in_turn: list[dict[int, int]]) -> None:
    shared, expected = NicheGenomes(labelled_batch([0]), np.zeros(NICHES, np.int64)), [0] * NICHES
    for turn, winners in enumerate(given_in_turn, 1):
        children = labelled_batch([10 * turn + row for row in range(4)])
        niches, rows = np.array(list(winners)), np.array(list(winners.values()))
        shared.put(niches, children, rows)
        for niche, row in winners.items():
            expected[niche] = 10 * turn + row
        children.genes.fill_(255)  # they were copied
        assert labels(shared.take(np.arange(NICHES))) == expected
        assert labels(shared.take(np.array([4, 1, 4]))) == [expected[4], expected[1], expected[4]]
        genomes, slot = shared.distinct()
        assert labels(genomes) == list(dict.fromkeys(expected))
        again = NicheGenomes(genomes, slot)
        assert labels(again.take(np.arange(NICHES))) == expected
        for other in (again, shared):  # what is put into either later is kept alike
            other.put(np.array([1, 3]), labelled_batch([250, 251]), np.array([1, 0]))
        (genomes, slots), (genomes_again, slots_again) = shared.distinct(), again.distinct()
        assert (labels(genomes), slots.tolist()) == (labels(genomes_again), slots_again.tolist())
        expected[1], expected[3] = 251, 250


def begun(encoding: str) -> Evolution:
    """An evolution after its first generation."""
    target = tiny_target()
    coded = build(encoding, "default", target.image_shape)
    run = Evolution(target, coded, EvolveOptions(batch=4, emitters=("vary",)))
    run.step()
    return run


def test_a_checkpoint_keeps_a_genome_once() -> None:
    run, again = begun("direct"), begun("direct")
    state = run.state()
    assert len(state["genomes.genes"]) == len(np.unique(run.archive.evaluation_id)) < 4
    again.restore(state)
    assert torch.equal(genomes_of(again.archive).genes, genomes_of(run.archive).genes)


def test_a_checkpoint_with_more_genomes_than_niches_is_refused() -> None:
    run = begun("cppn")
    genomes = run.encoding.dump(run.encoding.random(12, run.rng))
    with pytest.raises(ValueError, match="12 genomes for 4 niches"):
        run.restore(run.state() | prefixed("genomes", genomes) | {"slot": np.full(4, 11)})


@pytest.mark.parametrize("slot", [np.array([0, 1, 9, 0]), np.array([0, -1, 0, 0]), np.zeros(4), np.zeros((4, 1), int)])
def test_a_checkpoint_with_slots_that_cannot_be_is_refused(slot: np.ndarray) -> None:
    run = begun("cppn")
    with pytest.raises(ValueError, match="slot should be whole numbers"):
        run.restore(run.state() | {"slot": slot})


def test_a_checkpoint_without_slots_is_refused() -> None:
    run = begun("cppn")
    with pytest.raises(KeyError, match="slot"):
        run.restore({name: array for name, array in run.state().items() if name != "slot"})
