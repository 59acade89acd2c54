"""Genomes that niches share, against a dictionary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import build, labelled_batch, tiny_target

from evofool.search.evolution import Evolution
from evofool.search.niche_genomes import NicheGenomes

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
        genomes, slot = shared.kept()
        assert labels(genomes) == list(dict.fromkeys(expected))
        again = NicheGenomes(genomes, slot)
        assert labels(again.take(np.arange(NICHES))) == expected
        for other in (again, shared):  # what is put into either later is kept alike
            other.put(np.array([1, 3]), labelled_batch([250, 251]), np.array([1, 0]))
        (kept, slots), (kept_again, slots_again) = shared.kept(), again.kept()
        assert (labels(kept), slots.tolist()) == (labels(kept_again), slots_again.tolist())
        expected[1], expected[3] = 251, 250


def test_a_checkpoint_keeps_a_genome_once_and_old_ones_are_read() -> None:
    """Before, there was a genome for every niche, and no ``slot``."""
    target = tiny_target()

    def begun() -> Evolution:
        coded = build("direct", "default", target.image_shape)
        return Evolution(target, coded, niches=np.arange(4), batch=4, seed=0)

    ours = begun()
    ours.step()
    state = ours.state()
    assert len(state["genomes.genes"]) == len(np.unique(ours.archive.evaluation_id)) < 4
    old = {name: array for name, array in state.items() if name != "slot"}
    old["genomes.genes"] = state["genomes.genes"][state["slot"]]
    for before in (state, old):
        again = begun()
        again.restore(before)
        again.step()
        assert again.archive.genomes is not None
        assert again.archive.confidence.min() > 0


def test_a_checkpoint_with_more_genomes_than_niches_is_refused() -> None:
    target = tiny_target()
    coded = build("cppn", "default", target.image_shape)
    ours = Evolution(target, coded, niches=np.arange(4), batch=12, seed=0)
    ours.step()
    genomes = {f"genomes.{name}": array for name, array in coded.dump(coded.random(12, ours.rng)).items()}
    with pytest.raises(ValueError, match="12 genomes for 4 niches"):
        ours.restore(ours.state() | genomes | {"slot": np.full(4, 11)})


@pytest.mark.parametrize("slot", [np.array([0, 1, 9, 0]), np.array([0, -1, 0, 0]), np.zeros(4), np.zeros((4, 1), int)])
def test_a_checkpoint_with_slots_that_cannot_be_is_refused(slot: np.ndarray) -> None:
    target = tiny_target()
    coded = build("cppn", "default", target.image_shape)
    ours = Evolution(target, coded, niches=np.arange(4), batch=4, seed=0)
    ours.step()
    with pytest.raises(ValueError, match="slot should be whole numbers"):
        ours.restore(ours.state() | {"slot": slot})
