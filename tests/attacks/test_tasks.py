"""Tasks: which attempts an image has, and which follow from an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from campaigns import plan, subjects
from hypothesis import given
from hypothesis import strategies as st

from evofool.attacks.criterion import Criterion
from evofool.attacks.outcome import Outcome
from evofool.attacks.subject import Subject
from evofool.attacks.tasks import Task, attempt_key, first_tasks, follow_ups, remaining_tasks
from evofool.config.attack import ALL
from evofool.config.records import PlanRecord

CLASSES = 4
IMAGE = subjects(1)[0]
UNTARGETED = Criterion()
OTHERS = [Criterion(index) for index in range(CLASSES) if index != IMAGE.label]
EDIT = {"x": 3, "y": 5, "colour": [255, 0, 7]}


def answer(
    task: Task, criterion: Criterion, *, success: bool = False, already: bool = False, queries: int = 9
) -> Outcome:
    """Return an outcome of an attempt, as far as what follows depends on it."""
    return {
        "image": task.image,
        "criterion_index": criterion.target_class,
        "pixels": task.pixels,
        "strategy": task.strategy,
        "success": success,
        "already": already,
        "queries": queries,
        "edits": [EDIT] * task.pixels,
    }


def firsts(made: PlanRecord, image: Subject = IMAGE) -> list[Task]:
    return first_tasks(made, image, CLASSES)


def remaining(made: PlanRecord, outcomes: Sequence[Outcome] = ()) -> list[Task]:
    return remaining_tasks(made, IMAGE, outcomes, CLASSES)


def test_every_criterion_is_an_attempt_with_the_smallest_number_of_pixels() -> None:
    tasks = firsts(plan(criteria=ALL, pixels=(2, 3), queries=70))
    assert [(task.image, task.criteria, task.pixels, task.strategy, task.budget) for task in tasks] == [
        (IMAGE.index, (criterion,), 2, "local", 70) for criterion in OTHERS
    ]
    assert all(task.start.shape == (0, 2, 5) for task in tasks)


def test_a_sweep_settles_all_criteria_in_one_attempt() -> None:
    (task,) = firsts(plan(criteria=ALL, strategy="corners"))
    assert task.criteria == tuple(OTHERS)


@pytest.mark.parametrize("strategy", ["local", "corners"])
def test_an_image_of_the_only_class_to_reach_has_no_attempt(strategy: str) -> None:
    assert firsts(plan(criteria=(IMAGE.label,), strategy=strategy)) == []


def test_after_a_failure_more_pixels_start_from_the_former_edits() -> None:
    made = plan(pixels=(1, 2, 4))
    (task,) = firsts(made)
    (second,) = follow_ups(made, task, answer(task, UNTARGETED))
    assert (second.pixels, second.criteria, second.strategy, second.budget) == (2, (UNTARGETED,), "local", 150)
    np.testing.assert_array_equal(second.start, [[[3, 5, 255, 0, 7]]])
    (third,) = follow_ups(made, second, answer(second, UNTARGETED))
    assert third.pixels == 4
    assert third.start.shape == (1, 2, 5)
    assert list(follow_ups(made, third, answer(third, UNTARGETED))) == []


@pytest.mark.parametrize("how", [{"success": True}, {"already": True}, {"success": True, "already": True}])
def test_after_a_success_there_is_no_further_pixel(how: dict[str, bool]) -> None:
    made = plan(pixels=(1, 2))
    (task,) = firsts(made)
    assert list(follow_ups(made, task, answer(task, UNTARGETED, **how))) == []


@pytest.mark.parametrize("success", [True, False])
def test_the_baseline_is_random_search_with_as_many_queries(success: bool) -> None:
    made = plan(baseline=True, criteria=(OTHERS[1].target_class,))
    (task,) = firsts(made)
    (baseline,) = follow_ups(made, task, answer(task, OTHERS[1], success=success, queries=37))
    assert (baseline.strategy, baseline.budget, baseline.criteria, baseline.pixels) == ("random", 37, (OTHERS[1],), 1)
    assert baseline.start.shape[0] == 0
    assert list(follow_ups(made, baseline, answer(baseline, OTHERS[1], success=success))) == []


def test_a_sweep_has_a_baseline_for_each_criterion() -> None:
    made = plan(baseline=True, criteria=ALL, strategy="corners")
    (task,) = firsts(made)
    baselines = [
        baseline
        for criterion in task.criteria
        for baseline in follow_ups(made, task, answer(task, criterion, queries=512))
    ]
    assert [(task.criteria, task.budget) for task in baselines] == [((criterion,), 512) for criterion in OTHERS]


def test_what_the_clean_image_meets_has_no_baseline_and_random_search_none_of_itself() -> None:
    made = plan(baseline=True)
    (task,) = firsts(made)
    assert list(follow_ups(made, task, answer(task, UNTARGETED, already=True))) == []
    made = plan(baseline=True, strategy="random")
    (task,) = firsts(made)
    assert list(follow_ups(made, task, answer(task, UNTARGETED))) == []


def test_without_outcomes_the_first_attempts_remain_and_with_all_of_them_none() -> None:
    made = plan(criteria=ALL)
    tasks = firsts(made)
    assert remaining(made) == tasks
    assert remaining(made, [answer(task, task.criteria[0]) for task in tasks][::-1]) == []


def test_a_sweep_that_was_half_written_down_is_done_whole_and_knows_what_is_there() -> None:
    made = plan(criteria=ALL, strategy="corners")
    (task,) = firsts(made)
    (again,) = remaining(made, [answer(task, OTHERS[1])])
    assert again.criteria == task.criteria
    assert again.settled == {OTHERS[1]}


def test_outcomes_of_other_plans_are_not_taken() -> None:
    made = plan(pixels=(1,))
    (task,) = firsts(made)
    stranger = answer(task, UNTARGETED) | {"strategy": "rand1"}
    assert remaining(made, [stranger]) == [task]


@given(st.data())
def test_wherever_it_stops_what_remains_is_what_would_have_followed(data: st.DataObject) -> None:
    """Play a campaign attempt by attempt: after each outcome, what remains is what was open."""
    some: Any = tuple(criterion.target_class for criterion in OTHERS[:2])
    made = plan(
        criteria=data.draw(st.sampled_from([(None,), ALL, some])),
        pixels=data.draw(st.sampled_from([(1,), (1, 2), (1, 2, 3)])),
        baseline=data.draw(st.booleans()),
    )
    waiting, outcomes = firsts(made), []
    while waiting:
        expected = {task.key(task.criteria[0]) for task in waiting}
        assert {task.key(task.criteria[0]) for task in remaining(made, outcomes)} == expected
        task = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
        outcome = answer(task, task.criteria[0], success=data.draw(st.booleans()))
        assert attempt_key(outcome) == task.key(task.criteria[0])
        outcomes.append(outcome)
        waiting += follow_ups(made, task, outcome)
    assert remaining(made, outcomes) == []


def test_attempts_draw_from_generators_of_their_own() -> None:
    """Nothing that two attempts differ in may be left out of the seed."""
    (task,) = firsts(plan())
    tasks = [
        task,
        replace(task, image=1),
        replace(task, criteria=(Criterion(0),)),
        replace(task, criteria=(Criterion(1),)),
        replace(task, pixels=2),
        replace(task, strategy="random"),
    ]
    streams = {tuple(np.random.default_rng(task.seed(0)).integers(2**62, size=2)) for task in tasks}
    assert len(streams) == len(tasks)
    assert task.seed(1) != task.seed(0)
