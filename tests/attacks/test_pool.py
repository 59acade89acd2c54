"""The pool: many attempts in every batch, each with its own results."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import torch
from fakes import Script, Watched
from hypothesis import given
from hypothesis import strategies as st
from support import random_images, tiny_target

from evofool.attacks.attempt import Attempt
from evofool.attacks.criterion import Criterion, margins
from evofool.attacks.pool import Entry, Pool
from evofool.attacks.scorer import Scorer, build_toolbox
from evofool.encodings.pixels import Pixels, edited
from evofool.targets.torch_target import Target

SHAPE = (3, 8, 8)


class Fight:
    """An attempt with a search made of random generations, and what it should have been told."""

    def __init__(self, seed: int, *, k: int, criterion: int | None, sizes: Iterable[int], budget: int = 10_000) -> None:
        rng = np.random.default_rng(seed)
        self.image = random_images(1, SHAPE, seed).numpy()[0]
        self.search = Script([Pixels(SHAPE, k).random(n, rng) for n in sizes])
        self.criterion, self.column = Criterion(criterion), seed % 4
        if criterion is not None:
            self.column = criterion
        self.attempt = Attempt(self.criterion, self.search, budget, sure=-1.0)  # never sure: no success stops it

    def expect(self, target: Target) -> None:
        """What the search was told are the scores of its own edits on its own image."""
        for edits, margin, fitness in self.search.told:
            images = torch.from_numpy(np.stack([edited(self.image, row) for row in edits]))
            n = len(edits)
            wanted = torch.full((n,), self.criterion.target is not None)
            values = margins(target.confirm(images), torch.full((n,), self.column), wanted)
            np.testing.assert_allclose(margin, values[0], atol=1e-4)
            np.testing.assert_allclose(fitness, values[1], atol=1e-5)


def a_pool(target: Target, rows: int = 16, slots: int = 8, depth: int = 1) -> Pool:
    scorer = Scorer(build_toolbox(target), target, rows, slots)
    scorer.depth = depth
    return Pool(scorer)


def fights(n: int) -> list[Fight]:
    """Of all kinds: numbers of pixels, criteria, sizes of generations."""
    criteria = [None, 0, 1, 2, 3]
    return [
        Fight(seed, k=1 + seed % 3, criterion=criteria[seed % 5], sizes=[1 + seed % 7, 20 + 3 * seed, 5])
        for seed in range(n)
    ]


def run(pool: Pool, waiting: Iterable[Fight]) -> list[Entry]:
    """Fight all, as a campaign does; gives the entries in the order they ended."""
    queue, ended = list(waiting), []
    for _ in range(10_000):
        while pool.hungry and queue:
            fight = queue.pop(0)
            at_once = pool.add(fight.attempt, fight.image, fight.column, fight)
            ended += [at_once] if at_once else []
        ended += list(pool.step())
        if not pool.entries and not queue:
            return ended
    raise AssertionError("the pool goes on for ever")


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("rows", [4, 16, 64])
def test_results_reach_the_attempt_that_asked(rows: int, depth: int) -> None:
    target, all_fights = tiny_target(), fights(17)
    pool = a_pool(target, rows, depth=depth)
    ended = run(pool, all_fights)
    assert sorted(all_fights.index(entry.tag) for entry in ended) == list(range(17))
    for fight in all_fights:
        assert [len(edits) for edits, _, _ in fight.search.told][1:] == [fight.attempt.queries - 5 - _first(fight), 5]
        fight.expect(target)
    assert pool.scored == sum(fight.attempt.queries for fight in all_fights)


def _first(fight: Fight) -> int:
    return len(fight.search.told[0][0])


@pytest.mark.parametrize("depth", [1, 2])
def test_every_forward_pass_has_exactly_the_pool_s_rows(depth: int) -> None:
    watched = Watched()
    pool = a_pool(watched.target(), 16, depth=depth)
    run(pool, fights(9))
    assert set(watched.shapes) == {(16, *SHAPE)}
    # No batch is sent half empty while enough candidates wait: at most the last few.
    assert len(watched.shapes) <= pool.scored / 16 + 25


def test_batches_are_filled_with_rows_of_many_attempts() -> None:
    """Forty attempts that want 4 rows at a time, 16 rows a batch: four of them in each, no row wasted."""
    watched = Watched()
    pool = a_pool(watched.target(), 16, slots=40)
    run(pool, [Fight(seed, k=1, criterion=None, sizes=[4]) for seed in range(40)])
    assert (len(watched.shapes), pool.scored) == (10, 160)


def test_a_finished_attempt_s_slot_is_used_again() -> None:
    target, all_fights = tiny_target(), fights(12)
    pool = a_pool(target, 64, slots=2)
    most, seen, step = 0, set(), pool.step

    def watched() -> list[Entry]:
        nonlocal most
        most = max(most, len(pool.entries))
        slots = [entry.slot for entry in pool.entries]
        assert len(set(slots)) == len(slots)
        seen.update(slots)
        return list(step())

    pool.step = watched  # type: ignore[method-assign,assignment]
    run(pool, all_fights)
    assert (most, seen) == (2, {0, 1})
    assert sorted(pool.free) == [0, 1]
    for fight in all_fights:
        fight.expect(target)


def test_a_attempt_without_candidates_ends_at_once_and_keeps_no_slot() -> None:
    pool = a_pool(tiny_target(), slots=1)
    for _ in range(3):
        fight = Fight(0, k=1, criterion=None, sizes=[])
        entry = pool.add(fight.attempt, fight.image, 0, "me")
        assert entry is not None
        assert entry.tag == "me"
    assert (pool.entries, list(pool.free), pool.scored) == ([], [0], 0)


def test_an_empty_pool_does_nothing() -> None:
    watched = Watched()
    pool = a_pool(watched.target())
    assert list(pool.step()) == []
    assert watched.shapes == []


@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from([None, 0, 3]), st.integers(1, 60)), min_size=1, max_size=8)
)
def test_neither_depth_nor_neighbours_change_what_a_attempt_is_told(kinds: list[tuple[int, int | None, int]]) -> None:
    def story(depth: int, order: int) -> list[list[tuple[list[float], list[float]]]]:
        made = [Fight(seed, k=k, criterion=criterion, sizes=[n, 3]) for seed, (k, criterion, n) in enumerate(kinds)]
        run(a_pool(tiny_target(), 16, slots=4, depth=depth), made[::order])
        return [[(margin, fitness) for _, margin, fitness in fight.search.told] for fight in made]

    told = story(1, 1)
    assert story(2, 1) == told
    assert story(1, -1) == told


def test_in_bfloat16_successes_are_confirmed_in_float32_and_counted() -> None:
    watched = Watched()
    target = watched.target(precision="bfloat16")
    pool = a_pool(target, 16)
    all_fights = [Fight(seed, k=3, criterion=None, sizes=[64] * 2) for seed in range(12)]
    for fight in all_fights:
        fight.attempt.sure = None
        fight.column = int(target.confirm(torch.from_numpy(fight.image)[None]).argmax())
    ended = run(pool, all_fights)
    for entry in ended:
        pool.confirm(entry)
    fast = [shape for shape, dtype in zip(watched.shapes, watched.dtypes, strict=True) if dtype == torch.bfloat16]
    assert set(fast) == {(16, *SHAPE)}
    assert pool.scored == sum(fight.attempt.queries for fight in all_fights)
    assert any(fight.attempt.queries_to_success for fight in all_fights)
    for fight in all_fights:
        best = fight.attempt.best
        assert best is not None
        assert best.confirmed
        scores = target.confirm(torch.from_numpy(edited(fight.image, best.edits))[None])
        margin, fitness = margins(scores, torch.tensor([fight.column]), torch.tensor([False]))
        assert best.margin == pytest.approx(float(margin), abs=1e-5)
        assert best.fitness == pytest.approx(float(fitness), abs=1e-6)
        np.testing.assert_allclose(best.confidence, scores.sort(1, descending=True).values[0], atol=1e-6)
        reached = fight.criterion.reached(best.margin)
        assert (fight.attempt.queries_to_success is not None) == reached
