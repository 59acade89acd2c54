"""Figures of a campaign: intervals and counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from campaigns import by_attempt, outcomes_of, plan, subjects
from hypothesis import given
from hypothesis import strategies as st

from evofool.attacks.statistics import Statistics, statistics_by_strategy, wilson
from evofool.config.attack import ALL


def outcome(image: int = 0, criterion: int | None = None, k: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a failure after 100 queries, unless told otherwise."""
    record = {
        "image": image,
        "criterion_index": criterion,
        "pixels": k,
        "strategy": "local",
        "success": False,
        "already": False,
        "queries": 100,
        "queries_to_success": None,
        "shared": 1,
    }
    return record | changes


def won(image: int = 0, criterion: int | None = None, k: int = 1, at: int = 20, **changes: Any) -> dict[str, Any]:
    return outcome(image, criterion, k, **({"success": True, "queries": at + 3, "queries_to_success": at} | changes))


def clean(image: int = 0, criterion: int | None = None, k: int = 1) -> dict[str, Any]:
    return outcome(image, criterion, k, already=True, queries=0)


def statistics_of(*outcomes: dict[str, Any], last_k: int = 1) -> Statistics:
    statistics = Statistics(last_k)
    for record in outcomes:
        statistics.add(record)
    return statistics


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (10, 100, 0.0552, 0.1744),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (0, 0, 0.0, 1.0),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_s_interval(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 1000), st.data())
def test_wilson_s_interval_holds_the_share_and_mirrors(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n + 1e-12
    assert successes / n - 1e-12 <= high <= 1
    assert wilson(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@pytest.mark.parametrize("n", [1, 14, 27, 1000])
def test_an_interval_ends_exactly_at_none_and_at_all(n: int) -> None:
    assert wilson(0, n)[0] == 0
    assert wilson(n, n)[1] == 1


def test_nothing_yet() -> None:
    figures = Statistics(1).figures()
    assert (figures["settled"], figures["rate"], figures["interval95"]) == (0, 0.0, [0.0, 1.0])
    assert [figures[name] for name in figures if name.startswith(("mean", "median", "p90"))] == [None] * 3
    assert figures["by_pixels"] == {}


def test_plain_attempts() -> None:
    statistics = statistics_of(won(0, at=10), outcome(1), won(2, at=30), won(3, at=20), clean(4))
    assert (statistics.successes, statistics.failures, statistics.already, statistics.settled, statistics.attempts) == (
        3,
        1,
        1,
        4,
        5,
    )
    assert statistics.rate == 0.75
    assert statistics.interval == wilson(3, 4)
    figures = statistics.figures()
    assert figures["queries"] == 13 + 100 + 33 + 23
    assert figures["mean_queries"] == pytest.approx(169 / 4, abs=0.05)
    assert figures["median_queries_to_success"] == 20
    assert figures["p90_queries_to_success"] == pytest.approx(28)
    assert figures["by_pixels"] == {"1": 3}
    assert json.loads(json.dumps(figures)) == figures


def test_with_several_numbers_of_pixels_a_pair_counts_once() -> None:
    statistics = statistics_of(
        outcome(0, k=1),
        won(1, k=1, at=5),
        outcome(0, k=2),
        outcome(2, k=1),
        won(0, k=3, at=7),
        outcome(2, k=2),
        outcome(2, k=3),
        clean(3, k=1),
        last_k=3,
    )
    assert (statistics.successes, statistics.failures, statistics.already, statistics.attempts) == (2, 1, 1, 8)
    assert statistics.to_success == [5, 100 + 100 + 7]
    assert statistics.by_pixels == {1: 1, 3: 1}
    assert statistics.queries == 8 + 2 * 100 + 10 + 3 * 100


def test_a_pair_under_way_is_not_settled() -> None:
    statistics = statistics_of(outcome(0, k=1), outcome(0, k=2), last_k=3)
    assert (statistics.settled, statistics.attempts, statistics.rate) == (0, 2, 0.0)


def test_criteria_of_one_image_are_pairs_of_their_own() -> None:
    statistics = statistics_of(
        outcome(0, 1, k=1), outcome(0, 2, k=1), won(0, 1, k=2, at=9), won(0, 2, k=2, at=4), last_k=2
    )
    assert (statistics.successes, statistics.to_success) == (2, [109, 104])


def test_queries_that_settled_several_criteria_count_once() -> None:
    shared = {"queries": 512, "shared": 3}
    statistics = statistics_of(won(0, 1, at=4, **shared), outcome(0, 2, **shared), outcome(0, 3, **shared))
    assert statistics.figures()["queries"] == 512
    assert statistics.to_success == [4]


def test_each_strategy_has_its_statistics() -> None:
    statistics = statistics_by_strategy(
        [won(0), outcome(0, strategy="random"), outcome(1), outcome(1, strategy="random")], 1
    )
    assert sorted(statistics) == ["local", "random"]
    assert (statistics["local"].successes, statistics["local"].failures) == (1, 1)
    assert (statistics["random"].successes, statistics["random"].failures) == (0, 2)


@given(st.permutations(range(4)))
def test_the_order_of_images_does_not_matter(order: list[int]) -> None:
    parts = [[won(0, at=3)], [outcome(1), won(1, k=2, at=9)], [outcome(2), outcome(2, k=2)], [clean(3)]]
    statistics = statistics_of(*[record for number in order for record in parts[number]], last_k=2)
    expected = statistics_of(*[record for part in parts for record in part], last_k=2)
    assert statistics.figures() == expected.figures()


@pytest.mark.parametrize("strategy", ["local", "corners"])
def test_figures_of_real_outcomes(strategy: str) -> None:
    images = subjects(5, wrong=[4])
    queries = 512 if strategy == "corners" else 60
    outcomes = outcomes_of(images, criteria=ALL, strategy=strategy, queries=queries)
    statistics = statistics_by_strategy(outcomes, plan().pixels[-1])[strategy]
    attempts = by_attempt(outcomes).values()
    assert statistics.done == len(attempts) == 15
    assert statistics.successes == sum(v["success"] for v in attempts)
    rows = 5 * 512 if strategy == "corners" else sum(v["queries"] for v in attempts)
    assert statistics.figures()["queries"] == rows


def test_attempts_on_images_that_were_wrong_before_are_in_no_rate() -> None:
    """Neither those whose criterion the clean image meets nor those that ran."""
    statistics = Statistics(1)
    base = {"criterion_index": 2, "pixels": 1, "queries": 9, "shared": 1, "already": False, "queries_to_success": 5}
    statistics.add({**base, "image": 0, "label": 0, "prediction": 0, "success": True})
    statistics.add({**base, "image": 1, "label": 0, "prediction": 1, "success": True})
    statistics.add({**base, "image": 2, "label": 0, "prediction": 1, "success": False})
    assert (statistics.successes, statistics.settled, statistics.wrong, statistics.done, statistics.rate) == (
        1,
        1,
        2,
        3,
        1.0,
    )
    assert statistics.bounds(6) == (1 / 4, 1.0)
    assert statistics.queries == 27


def test_more_successes_than_pairs_are_all_of_them() -> None:
    """What outcomes that lie may add up to; found by fuzzing."""
    assert wilson(5, 3) == wilson(3, 3)
