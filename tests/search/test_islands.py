"""Islands: archives that evolve apart in turns and exchange elites; the whole has the best of each niche."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from evolving import advance, contents, evolution
from support import assert_same_arrays

from evofool.config.evolve import EvolveOptions
from evofool.errors import ConfigError
from evofool.search.diversity_options import check_diversity
from evofool.search.evolution import Evolution
from evofool.search.islands import Islands


def islands_of(run: Evolution) -> Islands:
    assert isinstance(run.search, Islands)
    return run.search


def home(generation: np.ndarray, islands: int) -> np.ndarray:
    """The island that children of a generation, counted from 1, were born on."""
    return (generation - 1) % islands


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every turn ends with a migration of many elites."""
    monkeypatch.setattr("evofool.search.islands.MIGRATION_EVERY", 1)
    monkeypatch.setattr("evofool.search.islands.MIGRANTS", 0.6)


@pytest.mark.parametrize("options", [{}, {"descriptors": ("brightness",), "bins": 3}])
@pytest.mark.usefixtures("busy")
def test_the_whole_has_the_surest_elite_of_all_islands_in_each_niche(options: dict[str, Any]) -> None:
    run = evolution(islands=3, **options)
    for _ in range(12):
        run.step()
        archives = [search.archive for search in islands_of(run).searches]
        surest = np.max([archive.confidence for archive in archives], axis=0)
        np.testing.assert_array_equal(run.archive.confidence, surest)
        for archive in archives:
            same = archive.evaluation_id == run.archive.evaluation_id
            np.testing.assert_array_equal(archive.kept.values[same], run.archive.kept.values[same])
    niches = run.archive.held()
    pictures = run.encoding.decode(run.archive.genomes.take(niches))
    scores = run.target.confirm(pictures).numpy()[np.arange(len(niches)), run.archive.class_of_niche[niches]]
    np.testing.assert_allclose(scores, run.archive.confidence[niches], atol=1e-6)


def test_islands_take_turns_and_know_nothing_of_each_other_before_they_migrate() -> None:
    run = evolution(islands=3)
    advance(run, 12)
    for number, search in enumerate(islands_of(run).searches):
        assert set(home(search.archive.generation, 3)) == {number}
    assert run.search.evaluations == 12 * 16
    assert len(set(home(run.archive.generation, 3))) > 1


@pytest.mark.usefixtures("busy")
def test_migrants_go_to_the_next_island_with_all_that_is_known_of_them() -> None:
    run = evolution(islands=2)
    advance(run, 20)
    for number, search in enumerate(islands_of(run).searches):
        archive = search.archive
        strangers = np.flatnonzero(home(archive.generation, 2) != number)
        for niche in strangers:
            assert archive.parent[niche] < archive.evaluation_id[niche] < run.search.evaluations
    assert any((home(s.archive.generation, 2) != n).any() for n, s in enumerate(islands_of(run).searches))


@pytest.mark.parametrize(
    ("encoding", "options"),
    [
        ("direct", {}),
        ("cppn", {"emitters": ("vary", "tweak@32", "restart@48")}),
        ("cppn", {"emitters": ("vary", "restart@48"), "ahead": True}),
        ("direct", {"descriptors": ("brightness",), "bins": 2}),
    ],
)
@pytest.mark.usefixtures("busy")
def test_a_restored_evolution_goes_on_as_the_first_one(encoding: str, options: dict[str, Any]) -> None:
    undisturbed, stopped = (evolution(encoding, islands=2, **options) for _ in range(2))
    for _ in range(7):
        advance(undisturbed, 1)
        advance(stopped, 1)
        state = {name: array.copy() for name, array in stopped.state().items()}
        stopped = evolution(encoding, islands=2, **options)
        stopped.restore(state)
        assert_same_arrays(contents(stopped), contents(undisturbed))


def test_what_is_scored_beside_other_work_changes_no_byte() -> None:
    beside, in_turn = (evolution(islands=2, ahead=True) for _ in range(2))
    in_turn.score_in_turn()
    advance(beside, 6)
    advance(in_turn, 6)
    assert_same_arrays(contents(beside), contents(in_turn))


def test_a_damaged_state_is_refused() -> None:
    run = evolution(islands=2)
    advance(run, 4)
    for name, change, words in (
        ("search.island1.counts", 1, "counts should be the same"),
        ("search.island0.slot", 99, "slot should be whole numbers"),
    ):
        state = {key: array.copy() for key, array in run.state().items()}
        state[name][0] += change
        with pytest.raises(ValueError, match=words):
            evolution(islands=2).restore(state)


def test_genomes_to_start_from_are_in_the_first_generation_of_every_island() -> None:
    first = evolution()
    advance(first, 1)
    run = evolution(islands=2, initial=first.archive.genomes.take(np.array([0])))
    advance(run, 2)
    for search in islands_of(run).searches:
        assert search.archive.confidence[0] >= first.archive.confidence[0] - 1e-6


def test_islands_and_novelty_are_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match="`islands` keep the best of each niche, and with `novelty` a niche is no"):
        check_diversity(EvolveOptions(islands=2, novelty="pixels"), 3)
    with pytest.raises(ConfigError, match="`islands` must be a whole number from 1 to 64, got 0"):
        EvolveOptions(islands=0)
