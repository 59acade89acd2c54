"""Sparse-RS: corners only, ever fewer pixels move, and the margin never rises."""

from __future__ import annotations

import numpy as np
import pytest
from searching import as_sets, equal, problem, rugged, run

from evofool.attacks.searches.base import Feedback
from evofool.attacks.searches.sparse_rs import SparseRS
from evofool.encodings.pixels import Edits, Pixels


def sparse(k: int, budget: int, shape: tuple[int, int, int] = (3, 16, 16), seed: int = 0) -> SparseRS:
    return SparseRS(problem("sparse-rs", shape, k, seed, budget=budget))


def divisor(step: int) -> int:
    """What α is divided by in a step of 10,000 (Croce et al., section 3.3)."""
    ends = [(0, 1), (50, 2), (200, 4), (500, 5), (1_000, 6), (2_000, 8), (4_000, 10), (6_000, 12), (8_000, 15)]
    return next((by for end, by in ends if step <= end), 20)


def moved(before: Edits, after: Edits) -> int:
    """Slots of a genome whose place changed."""
    return int((before[0, :, :2] != after[0, :, :2]).any(1).sum())


@pytest.mark.parametrize(("k", "queries"), [(100, 400), (100, 10_000), (7, 100), (1, 100)])
def test_how_many_pixels_move_follows_the_schedule(k: int, queries: int) -> None:
    search = sparse(k, queries)
    incumbent = search.ask()
    search.tell(incumbent, Feedback(equal(incumbent), equal(incumbent)))
    seen = set()
    for step in range(1, 300):
        child = search.ask()
        count = max(1, int(0.3 / divisor(int(step / queries * 10_000)) * k))
        assert moved(incumbent, child) == count
        untouched = (incumbent[0, :, :2] == child[0, :, :2]).all(1)
        np.testing.assert_array_equal(incumbent[0, untouched], child[0, untouched])
        seen.add(count)
        search.tell(child, Feedback(equal(child), equal(child)))  # as good: it is taken
        incumbent = child
    assert len(seen) > 1 or k < 14


def test_the_margin_never_rises_and_a_tie_is_taken() -> None:
    search, lowest = sparse(20, 500), np.inf
    incumbent: Edits | None = None
    rng = np.random.default_rng(3)
    for _ in range(400):
        child = search.ask()
        if incumbent is not None:
            assert len(as_sets(incumbent)[0] & as_sets(child)[0]) >= 20 - 3
        margin = np.float32(rng.integers(20))
        search.tell(child, Feedback(np.array([margin]), np.array([margin])))
        if margin <= lowest:
            incumbent, lowest = child.copy(), float(margin)
        assert search.margin == lowest
        np.testing.assert_array_equal(search.edits, incumbent)
    assert lowest == 0


def test_one_candidate_a_step_and_only_corners() -> None:
    for edits, _ in run(sparse(6, 100), rugged, generations=100):
        assert edits.shape == (1, 6, 5)
        assert set(np.unique(edits[..., 2:]).tolist()) <= {0, 255}


def test_moved_pixels_get_new_colours_and_reach_every_place() -> None:
    places, colours = set(), set()
    for edits, _ in run(sparse(5, 2_000, (3, 5, 6)), equal, generations=600):
        places |= {(x, y) for x, y, *_ in edits[0].tolist()}
        colours |= {tuple(colour) for _, _, *colour in edits[0].tolist()}
    assert len(places) == 30
    assert len(colours) == 8


@pytest.mark.parametrize("k", [32, 56])
def test_places_stay_distinct(k: int) -> None:
    for edits, _ in run(sparse(k, 10_000, (3, 8, 8)), equal, generations=50):
        assert len({(x, y) for x, y, *_ in edits[0].tolist()}) == k


@pytest.mark.parametrize("k", [62, 63, 64])
def test_places_stay_distinct_where_few_are_free(k: int) -> None:
    for edits, _ in run(sparse(k, 10_000, (3, 8, 8)), equal, generations=50):
        assert len({(x, y) for x, y, *_ in edits[0].tolist()}) == k


def test_an_incumbent_stays_as_it_was() -> None:
    search = sparse(9, 100)
    first = search.ask()
    search.tell(first, Feedback(np.zeros(1, np.float32), np.zeros(1, np.float32)))
    before = first.copy()
    for _ in range(20):
        child = search.ask()
        search.tell(child, Feedback(np.ones(1, np.float32), np.ones(1, np.float32)))
    np.testing.assert_array_equal(first, before)
    np.testing.assert_array_equal(search.edits, before)


@pytest.mark.parametrize(("k", "begun"), [(12, 9), (12, 12), (63, 60), (64, 1)])
def test_sparse_rs_starts_from_the_edits_it_is_given(k: int, begun: int) -> None:
    start = Pixels((3, 8, 8), begun).random(1, np.random.default_rng(5))
    (first,) = as_sets(SparseRS(problem("sparse-rs", (3, 8, 8), k, start=start)).ask())
    assert as_sets(start)[0] <= first
    assert len({(x, y) for x, y, *_ in first}) == k
