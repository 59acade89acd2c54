"""The pool: many attempts in every batch, each with its own results."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest
import torch
from fakes import Script, Watched
from hypothesis import given
from hypothesis import strategies as st
from support import random_images, tiny_target

from evofool.attacks.attempt import Attempt
from evofool.attacks.criterion import Criterion
from evofool.attacks.margins import margins
from evofool.attacks.pool import Entry, Pool
from evofool.attacks.scorer import Scorer, build_toolbox
from evofool.encodings.pixels import Pixels, edited
from evofool.engines.local import LocalEngine
from evofool.targets.protocols import Target

SHAPE = (3, 8, 8)
NEVER = -1.0
"""A stop fitness that no candidate has, so that no success stops an attempt."""


class Scripted:
    """An attempt whose search is made of random generations, and what it should be told."""

    def __init__(
        self, seed: int, *, k: int, target_class: int | None, sizes: Iterable[int], stop_fitness: float | None = NEVER
    ) -> None:
        rng = np.random.default_rng(seed)
        self.image, self.label = random_images(1, SHAPE, seed).numpy()[0], seed % 4
        self.search = Script([Pixels(SHAPE, k).random(n, rng) for n in sizes])
        self.criterion = Criterion(target_class)
        self.attempt = Attempt(self.criterion, self.search, 10_000, stop_fitness)

    def assert_told_its_own_scores(self, target: Target) -> None:
        """Check that what the search was told are the scores of its own edits on its own image."""
        for edits, margin, fitness in self.search.answers:
            images = torch.from_numpy(np.stack([edited(self.image, row) for row in edits]))
            n = len(edits)
            watched = torch.full((n,), self.criterion.watched_class(self.label))
            expected = margins(target.confirm(images), watched, torch.full((n,), self.criterion.targeted))
            np.testing.assert_allclose(margin, expected[0], atol=1e-4)
            np.testing.assert_allclose(fitness, expected[1], atol=1e-5)


def a_pool(target: Target, rows: int = 16, slots: int = 8, depth: int = 1) -> Pool:
    engine = LocalEngine(target)
    scorer = Scorer(build_toolbox(engine), engine, rows, slots)
    scorer.depth = depth
    return Pool(scorer)


def scripted(n: int) -> list[Scripted]:
    """Return attempts of all kinds: numbers of pixels, criteria, sizes of generations."""
    classes = [None, 0, 1, 2, 3]
    return [
        Scripted(seed, k=1 + seed % 3, target_class=classes[seed % 5], sizes=[1 + seed % 7, 20 + 3 * seed, 5])
        for seed in range(n)
    ]


def run(pool: Pool, waiting: Iterable[Scripted], watch: Callable[[], None] = lambda: None) -> list[Entry]:
    """Run all as a campaign does, and return the entries in the order they ended. Calls ``watch`` before each step."""
    queue, ended = list(waiting), []
    for _ in range(10_000):
        while pool.has_room and queue:
            case = queue.pop(0)
            at_once = pool.add(case.attempt, case.image, case.label, case)
            ended += [at_once] if at_once else []
        watch()
        ended += list(pool.step())
        if not pool.entries and not queue:
            return ended
    raise AssertionError("the pool goes on for ever")


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("rows", [4, 16, 64])
def test_results_reach_the_attempt_that_asked(rows: int, depth: int) -> None:
    target, cases = tiny_target(), scripted(17)
    pool = a_pool(target, rows, depth=depth)
    ended = run(pool, cases)
    assert sorted(cases.index(entry.tag) for entry in ended) == list(range(17))
    for case in cases:
        first, *others = [len(edits) for edits, _, _ in case.search.answers]
        assert others == [case.attempt.queries - 5 - first, 5]
        case.assert_told_its_own_scores(target)
    assert pool.scored == sum(case.attempt.queries for case in cases)


@pytest.mark.parametrize("depth", [1, 2])
def test_every_forward_pass_has_exactly_the_pool_s_rows(depth: int) -> None:
    watched = Watched()
    pool = a_pool(watched.target(), 16, depth=depth)
    run(pool, scripted(9))
    assert set(watched.shapes) == {(16, *SHAPE)}
    # No batch is sent half empty while enough candidates wait: at most the last few.
    assert len(watched.shapes) <= pool.scored / 16 + 25


def test_batches_are_filled_with_candidates_of_many_attempts() -> None:
    """Forty attempts that want 4 rows at a time, 16 rows a batch: four of them in each, no row wasted."""
    watched = Watched()
    pool = a_pool(watched.target(), 16, slots=40)
    run(pool, [Scripted(seed, k=1, target_class=None, sizes=[4]) for seed in range(40)])
    assert (len(watched.shapes), pool.scored) == (10, 160)


def test_a_finished_attempt_s_slot_is_used_again() -> None:
    target, cases = tiny_target(), scripted(12)
    pool = a_pool(target, 64, slots=2)
    under_way: list[list[int]] = []
    run(pool, cases, watch=lambda: under_way.append([entry.slot for entry in pool.entries]))
    assert all(len(set(slots)) == len(slots) <= 2 for slots in under_way)
    assert max(map(len, under_way)) == 2
    assert sorted(pool.free_slots) == [0, 1]
    for case in cases:
        case.assert_told_its_own_scores(target)


def test_an_attempt_without_candidates_ends_at_once_and_keeps_no_slot() -> None:
    pool = a_pool(tiny_target(), slots=1)
    for _ in range(3):
        case = Scripted(0, k=1, target_class=None, sizes=[])
        entry = pool.add(case.attempt, case.image, 0, "me")
        assert entry is not None
        assert entry.tag == "me"
    assert (pool.entries, list(pool.free_slots), pool.scored) == ([], [0], 0)


def test_an_empty_pool_does_nothing() -> None:
    watched = Watched()
    pool = a_pool(watched.target())
    assert list(pool.step()) == []
    assert watched.shapes == []


@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from([None, 0, 3]), st.integers(1, 60)), min_size=1, max_size=8)
)
def test_neither_depth_nor_neighbours_change_what_an_attempt_is_told(kinds: list[tuple[int, int | None, int]]) -> None:
    def story(depth: int, order: int) -> list[list[tuple[list[float], list[float]]]]:
        made = [
            Scripted(seed, k=k, target_class=target_class, sizes=[n, 3])
            for seed, (k, target_class, n) in enumerate(kinds)
        ]
        run(a_pool(tiny_target(), 16, slots=4, depth=depth), made[::order])
        return [[(margin, fitness) for _, margin, fitness in case.search.answers] for case in made]

    expected = story(1, 1)
    assert story(2, 1) == expected
    assert story(1, -1) == expected


def test_in_bfloat16_successes_are_confirmed_in_float32_and_counted() -> None:
    watched = Watched()
    target = watched.target(precision="bfloat16")
    pool = a_pool(target, 16)
    cases = [Scripted(seed, k=3, target_class=None, sizes=[64] * 2, stop_fitness=None) for seed in range(12)]
    for case in cases:
        case.label = int(target.confirm(torch.from_numpy(case.image)[None]).argmax())
    ended = run(pool, cases)
    for entry in ended:
        pool.confirm(entry)
    fast = [shape for shape, dtype in zip(watched.shapes, watched.dtypes, strict=True) if dtype == torch.bfloat16]
    assert set(fast) == {(16, *SHAPE)}
    assert pool.scored == sum(case.attempt.queries for case in cases)
    assert any(case.attempt.queries_to_success for case in cases)
    for case in cases:
        best = case.attempt.best
        assert best is not None
        assert best.confirmed
        scores = target.confirm(torch.from_numpy(edited(case.image, best.edits))[None])
        margin, fitness = margins(scores, torch.tensor([case.label]), torch.tensor([False]))
        assert best.margin == pytest.approx(float(margin), abs=1e-5)
        assert best.fitness == pytest.approx(float(fitness), abs=1e-6)
        np.testing.assert_allclose(best.confidence, scores.sort(1, descending=True).values[0], atol=1e-6)
        assert (case.attempt.queries_to_success is not None) == case.criterion.reached(best.margin)
