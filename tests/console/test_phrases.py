"""Figures of jobs in words."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from fake_steps import failure, statistics_of, success
from hypothesis import given
from hypothesis import strategies as st

from evofool.attacks.outcome import Outcome
from evofool.attacks.statistics import Statistics
from evofool.console.phrases import (
    describe_fact,
    describe_images,
    describe_queries,
    describe_rate,
    describe_success,
    describe_workers,
)
from evofool.engines.base import ClusterFacts, WorkerFacts


def test_workers_are_told_with_their_speeds_deaths_and_hardware() -> None:
    workers = (WorkerFacts("m", 1, "Xeon", 1210.4), WorkerFacts("n", 2, "EPYC", 0.0))
    engine: Any = SimpleNamespace(facts=lambda: ClusterFacts(workers, 1, 3, 500, ("Xeon",), ("Xeon", "EPYC")))
    assert describe_workers(engine) == [
        ("workers", "2   1,210 – images/s   1 to come   3 died"),
        ("hardware", "scores on record by Xeon; searched also by EPYC"),
    ]
    waiting: Any = SimpleNamespace(facts=lambda: ClusterFacts(workers, 0, 0, 500, ("Xeon",)))
    assert describe_workers(waiting)[1] == ("hardware", "scores on record by Xeon; not used: EPYC")
    alike: Any = SimpleNamespace(facts=lambda: ClusterFacts(workers[:1], 0, 0, 500, ("Xeon",), ("Xeon",)))
    assert [name for name, _ in describe_workers(alike)] == ["workers"]
    mixed: Any = SimpleNamespace(facts=lambda: ClusterFacts(workers[1:], 0, 1, 500, ("Xeon", "EPYC")))
    assert describe_workers(mixed)[1] == ("hardware", "scores on record by Xeon, then EPYC")
    nobody: Any = SimpleNamespace()
    assert describe_workers(nobody) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "cat → dog at (14, 9), 23 queries"),
        ({"queries_to_success": 1}, "cat → dog at (14, 9), 1 query"),
        ({"queries_to_success": 2}, "cat → dog at (14, 9), 2 queries"),
        ({"queries_to_success": 12345}, "cat → dog at (14, 9), 12,345 queries"),
    ],
)
def test_a_success_is_told_with_its_pixels_and_queries(changes: dict[str, Any], text: str) -> None:
    assert describe_success(success(**changes)) == text


@pytest.mark.parametrize(
    ("edits", "pixels"),
    [
        (2, "(0, 5), (1, 5)"),
        (3, "(0, 5), (1, 5), (2, 5)"),
        (4, "(0, 5), (1, 5), (2, 5) …"),
        (30, "(0, 5), (1, 5), (2, 5) …"),
    ],
)
def test_three_pixels_are_told_and_that_there_are_more(edits: int, pixels: str) -> None:
    text = describe_success(success(edits=[{"x": x, "y": 5, "colour": [0]} for x in range(edits)]))
    assert text == f"cat → dog at {pixels}, 23 queries"


def test_the_share_of_successes_is_told_with_its_interval() -> None:
    statistics = statistics_of(*map(success, range(12)), *map(failure, range(12, 40)))
    assert describe_rate(statistics, 40) == "12 of 40: 30.0 % (95 % interval 18.1 – 45.4 %)"


def test_what_the_end_can_bring_is_told_while_attempts_are_to_come() -> None:
    statistics = statistics_of(*map(success, range(2)), *map(failure, range(2, 4)))
    assert describe_rate(statistics, 8).endswith("; 25.0 – 75.0 % when all have ended")
    assert describe_rate(Statistics(1), 8) == "none of 0 yet; 0 – 100 % when all have ended"


def test_nothing_is_told_of_a_share_of_nothing() -> None:
    assert describe_rate(Statistics(1), 0) == "none of 0 yet"
    already = success(success=False, already=True, queries=0, queries_to_success=None, edits=[])
    assert describe_rate(statistics_of(already), 1) == "none of 0 yet"  # an image that was wrong before is no success
    assert describe_rate(statistics_of(failure()), 1).startswith("0 of 1: 0 % (")


def test_large_counts_have_commas() -> None:
    statistics = Statistics(1, successes=1234, failures=4321)
    assert describe_rate(statistics, 5555).startswith("1,234 of 5,555: 22.2 % (")


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_any_count_has_its_words(successes: int, failures: int) -> None:
    text = describe_rate(Statistics(1, successes=successes, failures=failures), successes + failures)
    if successes + failures:
        assert text.startswith(f"{successes:,} of {successes + failures:,}: ")
        low, high = map(float, re.findall(r"interval [<>]? ?([0-9.]+) – [<>]? ?([0-9.]+) %", text)[0])
        assert 0 <= low <= float(re.findall(r": [<>]? ?([0-9.]+) %", text)[0]) <= high <= 100
    else:
        assert text == "none of 0 yet"


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ([], "0 in ended attempts"),
        ([failure(queries=1500)], "1,500 in ended attempts, 1,500 an attempt (mean)"),
        (
            [success(0), success(1, queries=1000, queries_to_success=26), failure(2, queries=5000)],
            "6,030 in ended attempts, 2,010 an attempt (mean), 24.5 to a success (median)",
        ),
    ],
)
def test_queries_are_told_as_far_as_they_are_known(outcomes: list[Outcome], text: str) -> None:
    assert describe_queries(statistics_of(*outcomes).figures()) == text


def test_images_are_told_with_how_many_there_were() -> None:
    summary = {"images": 100, "asked": 100, "looked": 1234, "correct": 1111, "labelled": True}
    assert describe_images(summary) == "100; 1,111 of 1,234 looked at are classified correctly"
    text = describe_images(summary | {"asked": 2000})
    assert text == "100 (there are no more, 2,000 were asked for); 1,111 of 1,234 looked at are classified correctly"
    text = describe_images(summary | {"labelled": False})
    assert text == "100; nobody labelled them, the target's own predictions stand in"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("preset", None, "–"),
        ("finished", True, "yes"),
        ("batch", 7, "7"),
        ("evaluations", 20_000, "20,000"),
        ("seed", 20_000, "20000"),
        ("apart", 0.123456789, "0.1235"),
        ("apart", 1e-17, "< 0.0001"),
        ("target", "cifar10", "cifar10"),
        ("pixels", [1, 2, 5], "1 2 5"),
        ("bounds", [0.25, None], "0.25 –"),
        ("versions", {"evofool": "0.5.0", "torch": "2.6"}, "evofool 0.5.0, torch 2.6"),
        ("by_pixels", {}, ""),
        ("median", 0.9999971, "99.9997 %"),
        ("min", 1e-17, "< 0.01 %"),
        ("rate", 0.056, "5.6 %"),
        ("interval95", [0.0, 0.215311], "0 – 21.5 %"),
        ("seconds", 1234.5678, "1,234.6 s"),
        ("mean_queries", 1234.0, "1,234"),
        ("median_queries_to_success", 12.5, "12.5"),
        ("qd_score", 9.876543, "9.9"),
        ("budget", {"evaluations": 20_000, "until": 0.99}, "evaluations 20,000, until 99.00 %"),
    ],
)
def test_facts_are_written_as_people_read_them(name: str, value: Any, text: str) -> None:
    assert describe_fact(name, value) == text


def test_no_fact_of_a_campaign_reads_as_an_exponent_or_with_many_digits() -> None:
    for statistics in (statistics_of(*map(failure, range(14))), statistics_of(*map(success, range(14)))):
        for name, value in statistics.figures().items():
            assert not re.search(r"[0-9]e-?[0-9]|\.[0-9]{5}", describe_fact(name, value))
