"""The plan: which attempts an image has, and which follow from an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from campaigns import plan, subjects
from hypothesis import given
from hypothesis import strategies as st

from evofool.attacks.outcome import Outcome, Subject
from evofool.attacks.plan import ALL, RANDOM, Plan, Task, criteria_of, first_tasks, follow_ups, key, remaining

CLASSES, CHANNELS = 4, 3
IMAGE = subjects(1)[0]
OTHERS = [criterion for criterion in range(CLASSES) if criterion != IMAGE.label]
EDIT = {"x": 3, "y": 5, "colour": [255, 0, 7]}


def answer(
    task: Task, criterion: int | None, *, success: bool = False, already: bool = False, queries: int = 9
) -> Outcome:
    """What an attempt's outcome says that the plan looks at."""
    return {
        "image": task.image, "criterion_index": criterion, "pixels": task.k, "strategy": task.strategy, "success": success,
        "already": already, "queries": queries, "edits": [EDIT] * task.k,
    }  # fmt: skip


def firsts(made: Plan, image: Subject = IMAGE) -> list[Task]:
    return first_tasks(made, image, CLASSES, CHANNELS)


def left(made: Plan, outcomes: Sequence[Outcome] = ()) -> list[Task]:
    return remaining(made, IMAGE, outcomes, CLASSES, CHANNELS)[0]


@pytest.mark.parametrize(
    ("criteria", "label", "expected"),
    [
        ((None,), 2, [None]),
        (ALL, 0, [1, 2, 3]),
        (ALL, 2, [0, 1, 3]),
        ((1, 3), 0, [1, 3]),
        ((3, 1, 0), 1, [3, 0]),
        ((2,), 2, []),
        ((0,), 1, [0]),
    ],
)
def test_criteria_are_the_plan_s_but_the_image_s_own_class(
    criteria: Any, label: int, expected: list[int | None]
) -> None:
    assert criteria_of(plan(criteria=criteria), label, CLASSES) == expected


def test_every_criterion_is_a_attempt_with_the_smallest_number_of_pixels() -> None:
    tasks = firsts(plan(criteria=ALL, pixels=(2, 3), queries=70))
    assert [(task.image, task.criteria, task.k, task.strategy, task.queries) for task in tasks] == [
        (IMAGE.index, (criterion,), 2, "local", 70) for criterion in OTHERS
    ]
    assert all(task.start.shape == (0, 2, 5) for task in tasks)


def test_a_sweep_settles_all_criteria_in_one_attempt() -> None:
    (task,) = firsts(plan(criteria=ALL, strategy="corners"))
    assert task.criteria == tuple(OTHERS)


@pytest.mark.parametrize("strategy", ["local", "corners"])
def test_an_image_of_the_criterion_s_own_class_has_no_attempt(strategy: str) -> None:
    assert firsts(plan(criteria=(IMAGE.label,), strategy=strategy)) == []


def test_after_a_failure_one_more_pixel_starts_from_the_former_edits() -> None:
    made = plan(pixels=(1, 2, 4))
    (task,) = firsts(made)
    (second,) = follow_ups(made, task, answer(task, None), CHANNELS)
    assert (second.k, second.criteria, second.strategy, second.queries) == (2, (None,), "local", 150)
    np.testing.assert_array_equal(second.start, [[[3, 5, 255, 0, 7]]])
    (third,) = follow_ups(made, second, answer(second, None), CHANNELS)
    assert third.k == 4
    assert third.start.shape == (1, 2, 5)
    assert list(follow_ups(made, third, answer(third, None), CHANNELS)) == []


@pytest.mark.parametrize("how", [{"success": True}, {"already": True}, {"success": True, "already": True}])
def test_after_a_success_there_is_no_further_pixel(how: dict[str, bool]) -> None:
    made = plan(pixels=(1, 2))
    (task,) = firsts(made)
    assert list(follow_ups(made, task, answer(task, None, **how), CHANNELS)) == []


@pytest.mark.parametrize("success", [True, False])
def test_the_baseline_is_random_search_with_as_many_queries(success: bool) -> None:
    made = plan(baseline=True, criteria=(OTHERS[1],))
    (task,) = firsts(made)
    outcome = answer(task, OTHERS[1], success=success, queries=37)
    (baseline,) = follow_ups(made, task, outcome, CHANNELS)
    assert (baseline.strategy, baseline.queries, baseline.criteria, baseline.k) == (RANDOM, 37, (OTHERS[1],), 1)
    assert baseline.start.shape[0] == 0
    assert list(follow_ups(made, baseline, answer(baseline, OTHERS[1], success=success), CHANNELS)) == []


def test_a_sweep_s_baselines_are_a_attempt_a_criterion() -> None:
    made = plan(baseline=True, criteria=ALL, strategy="corners")
    (task,) = firsts(made)
    found = [
        one
        for criterion in task.criteria
        for one in follow_ups(made, task, answer(task, criterion, queries=512), CHANNELS)
    ]
    assert [(one.criteria, one.queries) for one in found] == [((criterion,), 512) for criterion in OTHERS]


def test_what_the_clean_image_reached_has_no_baseline_and_random_search_none_of_itself() -> None:
    made = plan(baseline=True)
    (task,) = firsts(made)
    assert list(follow_ups(made, task, answer(task, None, already=True), CHANNELS)) == []
    made = plan(baseline=True, strategy=RANDOM)
    (task,) = firsts(made)
    assert list(follow_ups(made, task, answer(task, None), CHANNELS)) == []


def test_nothing_known_leaves_the_first_attempts_and_all_known_none() -> None:
    made = plan(criteria=ALL)
    tasks = firsts(made)
    assert left(made) == tasks
    outcomes = [answer(task, task.criteria[0]) for task in tasks]
    assert remaining(made, IMAGE, outcomes[::-1], CLASSES, CHANNELS) == ([], outcomes)


def test_a_sweep_that_was_half_written_down_is_done_whole_and_knows_what_is_there() -> None:
    made = plan(criteria=ALL, strategy="corners")
    (task,) = firsts(made)
    (again,) = left(made, [answer(task, OTHERS[1])])
    assert again.criteria == task.criteria
    assert again.known == {OTHERS[1]}


def test_outcomes_of_other_plans_are_not_taken() -> None:
    made = plan(pixels=(1,))
    (task,) = firsts(made)
    stranger = answer(task, None) | {"strategy": "rand1"}
    assert remaining(made, IMAGE, [stranger], CLASSES, CHANNELS) == ([task], [])


@given(st.data())
def test_wherever_it_stops_what_remains_is_what_would_have_followed(data: st.DataObject) -> None:
    """Play a campaign attempt by attempt: after each outcome, what remains is what was open."""
    made = plan(
        criteria=data.draw(st.sampled_from([(None,), ALL, tuple(OTHERS[:2])])),
        pixels=data.draw(st.sampled_from([(1,), (1, 2), (1, 2, 3)])),
        baseline=data.draw(st.booleans()),
    )
    waiting, outcomes = firsts(made), []
    while waiting:
        assert {task.key(task.criteria[0]) for task in left(made, outcomes)} == {t.key(t.criteria[0]) for t in waiting}
        task = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
        outcome = answer(task, task.criteria[0], success=data.draw(st.booleans()))
        assert key(outcome) == task.key(task.criteria[0])
        outcomes.append(outcome)
        waiting += follow_ups(made, task, outcome, CHANNELS)
    assert left(made, outcomes) == []
