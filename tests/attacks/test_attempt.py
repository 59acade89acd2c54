"""An attempt: what is scored, what is counted, when it stops and with what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import repeat

import numpy as np
import pytest
from fakes import Script, candidates, drive, numbers_of, scored, script
from hypothesis import given
from hypothesis import strategies as st

from evofool.attacks.attempt import MAX_REPEATS, MAX_SLICE, MIN_SLICE, NEAR_MISS, SLICE_DIVISOR, Attempt, AttemptResult
from evofool.attacks.criterion import SUCCESS_MARGIN, Criterion
from evofool.attacks.pool import Entry

UNTARGETED = Criterion(None)


def never(number: int) -> float:
    return 1.0 + number


def hits(*numbers: int) -> Callable[[int], float]:
    return lambda number: -1.0 if number in numbers else 1.0


def end(attempt: Attempt) -> AttemptResult:
    (result,) = attempt.results()
    return result


def best_number(attempt: Attempt) -> int:
    assert attempt.best is not None
    return int(attempt.best.edits[0, 0])


def test_every_scored_row_is_one_query_and_an_empty_generation_ends_it() -> None:
    search = script(range(10), range(10, 30))
    attempt = Attempt(UNTARGETED, search, 1000)
    slices = drive(attempt, never)
    assert slices == [list(range(10)), list(range(10, 26)), list(range(26, 30))]
    result = end(attempt)
    assert (result.queries, result.queries_to_success, result.stopped, result.shared) == (30, None, "exhausted", 1)
    assert best_number(attempt) == 0
    assert [numbers_of(edits) for edits, _, _ in search.answers] == [list(range(10)), list(range(10, 30))]


def test_an_empty_first_generation_ends_it_with_nothing() -> None:
    attempt = Attempt(UNTARGETED, script(), 10)
    assert drive(attempt, never) == []
    assert end(attempt) == AttemptResult(UNTARGETED, None, 0, None, "exhausted")


def test_duplicates_are_not_scored_again_but_are_told_in_place() -> None:
    search = script([1, 2, 1, 3], [2, 4, 2, 3, 4], [3, 1])
    attempt = Attempt(UNTARGETED, search, 100)
    assert drive(attempt, lambda n: n / 8, lambda n: n / 16) == [[1, 2, 3], [4]]
    assert attempt.queries == 4
    assert [numbers_of(edits) for edits, _, _ in search.answers] == [[1, 2, 1, 3], [2, 4, 2, 3, 4], [3, 1]]
    assert [margin for _, margin, _ in search.answers] == [
        [n / 8 for n in row] for row in ([1, 2, 1, 3], [2, 4, 2, 3, 4], [3, 1])
    ]
    assert search.answers[1][2] == [n / 16 for n in (2, 4, 2, 3, 4)]


def test_the_same_pixels_in_another_order_are_a_duplicate() -> None:
    pair = np.array([[[1, 2, 0, 0, 9], [3, 1, 0, 7, 0]]], np.int16)
    search = Script([pair, pair[:, ::-1].copy()])
    attempt = Attempt(UNTARGETED, search, 100)
    assert len(drive(attempt, never)) == 1
    assert (attempt.queries, len(search.answers)) == (1, 2)
    assert search.answers[0][1] == search.answers[1][1]


def test_slices_grow_with_what_was_spent_and_end_at_the_budget() -> None:
    attempt = Attempt(UNTARGETED, script(range(9000)), 5000)
    sizes = [len(part) for part in drive(attempt, never)]
    spent = 0
    for size in sizes[:-1]:
        assert size == min(MAX_SLICE, max(MIN_SLICE, spent // SLICE_DIVISOR))
        spent += size
    assert sizes[0] == MIN_SLICE
    assert max(sizes) == MAX_SLICE
    assert sum(sizes) == end(attempt).queries == 5000
    assert end(attempt).stopped == "budget"


@pytest.mark.parametrize("budget", [1, 5, 16, 17, 33])
def test_a_budget_is_used_up_and_never_exceeded(budget: int) -> None:
    attempt = Attempt(UNTARGETED, script(range(7), range(7, 200)), budget)
    assert [n for part in drive(attempt, never) for n in part] == list(range(budget))
    assert (end(attempt).queries, end(attempt).stopped) == (budget, "budget")


def test_a_success_stops_inside_a_generation() -> None:
    search = script(range(100))
    attempt = Attempt(UNTARGETED, search, 1000)
    assert drive(attempt, hits(20, 25)) == [list(range(16)), list(range(16, 32))]
    result = end(attempt)
    assert (result.queries, result.queries_to_success, result.stopped) == (32, 21, "reached")
    assert search.answers == []
    assert len(attempt.next_slice()) == 0


def test_a_success_with_the_last_query_counts() -> None:
    attempt = Attempt(UNTARGETED, script(range(100)), 20)
    drive(attempt, hits(19))
    assert (end(attempt).queries, end(attempt).queries_to_success, end(attempt).stopped) == (20, 20, "reached")


def test_a_change_too_narrow_is_no_success() -> None:
    attempt = Attempt(UNTARGETED, script(range(4)), 20)
    drive(attempt, lambda n: -SUCCESS_MARGIN / 2)
    assert (end(attempt).queries_to_success, end(attempt).stopped) == (None, "exhausted")


def test_the_best_is_the_success_with_the_lowest_value_not_the_first() -> None:
    attempt = Attempt(UNTARGETED, script(range(5)), 20)
    drive(attempt, [3.0, -1.0, -5.0, -5.0, -3.0].__getitem__)
    assert (best_number(attempt), end(attempt).queries_to_success) == (2, 2)
    assert attempt.best is not None
    assert attempt.best.margin == -5.0


def test_without_success_the_best_has_the_lowest_margin_of_all_generations() -> None:
    attempt = Attempt(UNTARGETED, script([0, 1], [2, 3], [4, 5]), 20)
    drive(attempt, [3.0, 2.0, 0.5, 4.0, 0.5, 1.0].__getitem__, lambda n: -float(n))
    assert best_number(attempt) == 2


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[list[int]], list[float], int]:
    """Generations of up to 60 known numbers, the margin of each, a budget."""
    generations = draw(st.lists(st.lists(st.integers(0, 59), min_size=1, max_size=60), min_size=1, max_size=6))
    margins = draw(st.lists(st.sampled_from([2.0, 1.0, 0.5, 0.0, -0.5, -1.0]), min_size=60, max_size=60))
    if draw(st.booleans()):
        margins = [abs(value) for value in margins]
    return generations, margins, draw(st.integers(1, 80))


@given(stories())
def test_any_story_counts_as_a_model_does(story: tuple[list[list[int]], list[float], int]) -> None:
    generations, margins, budget = story
    attempt = Attempt(UNTARGETED, script(*generations), budget)
    slices = drive(attempt, margins.__getitem__)
    rows = [n for part in slices for n in part]
    order = list(dict.fromkeys(n for generation in generations for n in generation))
    assert rows == order[: len(rows)]  # each once, in order
    assert end(attempt).queries == len(rows) <= budget
    successes = [number for number, n in enumerate(order[:budget]) if margins[n] < 0]
    best = min(rows, key=lambda n: margins[n])
    assert best_number(attempt) == best
    if successes:
        first = successes[0] + 1
        assert (end(attempt).queries_to_success, end(attempt).stopped) == (first, "reached")
        assert len(rows) - len(slices[-1]) < first <= len(rows)
    else:
        assert len(rows) == min(budget, len(order))
        assert end(attempt).queries_to_success is None
        assert end(attempt).stopped == ("budget" if budget < len(order) else "exhausted")


def test_a_search_that_repeats_itself_has_converged() -> None:
    search = Script(repeat(candidates([7, 7])))
    attempt = Attempt(UNTARGETED, search, 1000)
    assert drive(attempt, never) == [[7]]
    assert (end(attempt).queries, end(attempt).stopped) == (1, "exhausted")
    assert search.asked == 1 + MAX_REPEATS + 1
    assert len(search.answers) == search.asked - 1


def test_one_new_candidate_puts_convergence_off() -> None:
    generations = [[0], *repeat([0], MAX_REPEATS), [1], *repeat([0, 1], MAX_REPEATS), [2]]
    attempt = Attempt(UNTARGETED, script(*generations), 1000)
    assert drive(attempt, never) == [[0], [1], [2]]


def test_with_a_stop_fitness_it_goes_on_after_a_success_until_the_fitness_is_low() -> None:
    fitness = {0: 0.9, 1: 0.6, 2: 0.4, 3: 0.05, 4: 0.01}
    search = script(*([n] for n in fitness))
    attempt = Attempt(Criterion(3), search, 100, stop_fitness=0.1)
    assert drive(attempt, hits(1, 2, 3), fitness.__getitem__) == [[0], [1], [2], [3]]
    result = end(attempt)
    assert (result.queries, result.queries_to_success, result.stopped) == (4, 2, "reached")
    assert best_number(attempt) == 3
    assert len(search.answers) == 3


def test_with_a_stop_fitness_a_success_is_better_than_a_lower_fitness() -> None:
    attempt = Attempt(Criterion(3), script([0, 1, 2], [3]), 100, stop_fitness=0.1)
    drive(attempt, hits(1), {0: 0.2, 1: 0.6, 2: 0.3, 3: 0.15}.__getitem__)
    assert (best_number(attempt), end(attempt).queries, end(attempt).stopped) == (1, 4, "reached")


def test_a_low_fitness_without_a_success_stops_nothing() -> None:
    attempt = Attempt(Criterion(3), script([0], [1]), 100, stop_fitness=0.1)
    drive(attempt, never, lambda n: 0.01)
    assert (end(attempt).queries, end(attempt).stopped) == (2, "exhausted")


@pytest.mark.parametrize("budget", [3, 100])
def test_a_success_that_never_gets_to_the_stop_fitness_is_still_one(budget: int) -> None:
    attempt = Attempt(Criterion(3), script(range(3), [2, 3]), budget, stop_fitness=0.1)
    drive(attempt, hits(1), lambda n: 0.5)
    assert (end(attempt).queries, end(attempt).queries_to_success, end(attempt).stopped) == (
        min(4, budget),
        2,
        "reached",
    )


def test_confirmations_are_queries_too() -> None:
    attempt = Attempt(UNTARGETED, script(range(16)), 100)
    drive(attempt, hits(6), confirmed=lambda n: n in (2, 6, 9))
    assert end(attempt).queries == 16 + 3
    assert end(attempt).queries_to_success == 7 + 2  # the success is its own confirmation, not the row


def test_confirming_the_best_costs_a_query() -> None:
    attempt = Attempt(UNTARGETED, script(range(4)), 100)
    drive(attempt, never, confirmed=lambda n: n == 2)
    assert attempt.best is not None
    assert (best_number(attempt), attempt.best.confirmed) == (0, False)
    exact = replace(attempt.best, margin=0.75, confirmed=True)
    attempt.confirm(exact)
    assert (end(attempt).queries, end(attempt).queries_to_success, end(attempt).best) == (4 + 1 + 1, None, exact)


def test_a_confirmation_that_finds_a_success_is_reported() -> None:
    attempt = Attempt(UNTARGETED, script(range(4)), 100)
    drive(attempt, never)
    assert attempt.best is not None
    attempt.confirm(replace(attempt.best, margin=-0.75, confirmed=True))
    assert (end(attempt).queries, end(attempt).queries_to_success, end(attempt).stopped) == (5, 5, "reached")


@pytest.mark.parametrize("budget", range(2, 40))
@pytest.mark.parametrize("hit", [lambda n: False, lambda n: True, lambda n: n % 2 == 0], ids=["none", "all", "even"])
def test_scores_that_are_confirmed_spend_the_budget_and_never_more(budget: int, hit: Callable[[int], bool]) -> None:
    """A fast score that looks like a success is scored again and isn't one; the best is confirmed at the end."""
    attempt = Attempt(UNTARGETED, script(range(100)), budget, confirms=True)
    drive(attempt, never, confirmed=hit)
    assert attempt.best is not None
    if not attempt.best.confirmed:
        attempt.confirm(replace(attempt.best, confirmed=True))
    assert budget - 1 <= end(attempt).queries <= budget
    assert end(attempt).stopped == "budget"


def test_a_budget_that_confirms_nothing_scores_nothing() -> None:
    attempt = Attempt(UNTARGETED, script(range(100)), 1, confirms=True)
    assert drive(attempt, never) == []
    assert end(attempt) == AttemptResult(UNTARGETED, None, 0, None, "budget")


def test_a_success_that_was_scored_twice_is_confirmed() -> None:
    attempt = Attempt(UNTARGETED, script(range(4)), 100)
    drive(attempt, hits(1), confirmed=lambda n: n == 1)
    assert attempt.best is not None
    assert attempt.best.confirmed


def test_the_search_is_told_the_very_float32_values() -> None:
    search = script([5], [6])
    attempt = Attempt(UNTARGETED, search, 100)
    attempt.take(attempt.next_slice(), scored([0.1], [0.3]))
    attempt.next_slice()
    assert search.answers[0][1:] == ([float(np.float32(0.1))], [float(np.float32(0.3))])


@pytest.mark.parametrize(
    ("margins", "below"),
    [([], NEAR_MISS), ([3.0], NEAR_MISS), ([3.0, 0.2], 0.2), ([0.1, 2.0], 0.1), ([0.0], 0.0), ([-0.00005], 0.0)],
)
def test_near_misses_are_confirmed_where_they_are_the_best_so_far(margins: list[float], below: float) -> None:
    attempt = Attempt(UNTARGETED, script(*([number] for number in range(len(margins)))), 100)
    for margin in margins:
        attempt.take(attempt.next_slice(), scored([margin]))
    assert attempt.confirm_below == pytest.approx(below)


def test_candidates_of_an_attempt_carry_its_limit() -> None:
    attempt = Attempt(UNTARGETED, script([1], [2, 3]), 100)
    attempt.take(attempt.next_slice(), scored([0.125]))
    sent = Entry(attempt, slot=4, watched=2).candidates(attempt.next_slice())
    assert sent.confirm_below.tolist() == [0.125, 0.125]
    assert sent.take(np.array([1])).confirm_below.tolist() == [0.125]
