"""The plan: which duels an image has, and which follow from a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from campaigns import plan, subjects
from hypothesis import given
from hypothesis import strategies as st

from evofool.duels.plan import ALL, RANDOM, Plan, Task, first_tasks, follow_ups, goals_of, key, remaining
from evofool.duels.verdict import Subject, Verdict

CLASSES, CHANNELS = 4, 3
IMAGE = subjects(1)[0]
OTHERS = [goal for goal in range(CLASSES) if goal != IMAGE.label]
EDIT = {"x": 3, "y": 5, "colour": [255, 0, 7]}


def answer(task: Task, goal: int | None, *, success: bool = False, already: bool = False, queries: int = 9) -> Verdict:
    """What a duel's verdict says that the plan looks at."""
    return {
        "image": task.image, "goal_index": goal, "pixels": task.k, "strategy": task.strategy, "success": success,
        "already": already, "queries": queries, "edits": [EDIT] * task.k,
    }  # fmt: skip


def firsts(made: Plan, image: Subject = IMAGE) -> list[Task]:
    return first_tasks(made, image, CLASSES, CHANNELS)


def left(made: Plan, verdicts: Sequence[Verdict] = ()) -> list[Task]:
    return remaining(made, IMAGE, verdicts, CLASSES, CHANNELS)[0]


@pytest.mark.parametrize(
    ("goals", "label", "expected"),
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
def test_goals_are_the_plan_s_but_the_image_s_own_class(goals: Any, label: int, expected: list[int | None]) -> None:
    assert goals_of(plan(goals=goals), label, CLASSES) == expected


def test_every_goal_is_a_duel_with_the_smallest_number_of_pixels() -> None:
    tasks = firsts(plan(goals=ALL, pixels=(2, 3), queries=70))
    assert [(task.image, task.goals, task.k, task.strategy, task.queries) for task in tasks] == [
        (IMAGE.index, (goal,), 2, "local", 70) for goal in OTHERS
    ]
    assert all(task.start.shape == (0, 2, 5) for task in tasks)


def test_a_sweep_settles_all_goals_in_one_duel() -> None:
    (task,) = firsts(plan(goals=ALL, strategy="corners"))
    assert task.goals == tuple(OTHERS)


@pytest.mark.parametrize("strategy", ["local", "corners"])
def test_an_image_of_the_goal_s_own_class_has_no_duel(strategy: str) -> None:
    assert firsts(plan(goals=(IMAGE.label,), strategy=strategy)) == []


def test_after_a_failure_one_more_pixel_starts_from_the_former_edits() -> None:
    made = plan(pixels=(1, 2, 4))
    (task,) = firsts(made)
    (second,) = follow_ups(made, task, answer(task, None), CHANNELS)
    assert (second.k, second.goals, second.strategy, second.queries) == (2, (None,), "local", 150)
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
    made = plan(baseline=True, goals=(OTHERS[1],))
    (task,) = firsts(made)
    verdict = answer(task, OTHERS[1], success=success, queries=37)
    (baseline,) = follow_ups(made, task, verdict, CHANNELS)
    assert (baseline.strategy, baseline.queries, baseline.goals, baseline.k) == (RANDOM, 37, (OTHERS[1],), 1)
    assert baseline.start.shape[0] == 0
    assert list(follow_ups(made, baseline, answer(baseline, OTHERS[1], success=success), CHANNELS)) == []


def test_a_sweep_s_baselines_are_a_duel_a_goal() -> None:
    made = plan(baseline=True, goals=ALL, strategy="corners")
    (task,) = firsts(made)
    found = [one for goal in task.goals for one in follow_ups(made, task, answer(task, goal, queries=512), CHANNELS)]
    assert [(one.goals, one.queries) for one in found] == [((goal,), 512) for goal in OTHERS]


def test_what_the_clean_image_reached_has_no_baseline_and_random_search_none_of_itself() -> None:
    made = plan(baseline=True)
    (task,) = firsts(made)
    assert list(follow_ups(made, task, answer(task, None, already=True), CHANNELS)) == []
    made = plan(baseline=True, strategy=RANDOM)
    (task,) = firsts(made)
    assert list(follow_ups(made, task, answer(task, None), CHANNELS)) == []


def test_nothing_known_leaves_the_first_duels_and_all_known_none() -> None:
    made = plan(goals=ALL)
    tasks = firsts(made)
    assert left(made) == tasks
    verdicts = [answer(task, task.goals[0]) for task in tasks]
    assert remaining(made, IMAGE, verdicts[::-1], CLASSES, CHANNELS) == ([], verdicts)


def test_a_sweep_that_was_half_written_down_is_done_whole_and_knows_what_is_there() -> None:
    made = plan(goals=ALL, strategy="corners")
    (task,) = firsts(made)
    (again,) = left(made, [answer(task, OTHERS[1])])
    assert again.goals == task.goals
    assert again.known == {OTHERS[1]}


def test_verdicts_of_other_plans_are_not_taken() -> None:
    made = plan(pixels=(1,))
    (task,) = firsts(made)
    stranger = answer(task, None) | {"strategy": "rand1"}
    assert remaining(made, IMAGE, [stranger], CLASSES, CHANNELS) == ([task], [])


@given(st.data())
def test_wherever_it_stops_what_remains_is_what_would_have_followed(data: st.DataObject) -> None:
    """Play a campaign duel by duel: after each verdict, what remains is what was open."""
    made = plan(
        goals=data.draw(st.sampled_from([(None,), ALL, tuple(OTHERS[:2])])),
        pixels=data.draw(st.sampled_from([(1,), (1, 2), (1, 2, 3)])),
        baseline=data.draw(st.booleans()),
    )
    waiting, verdicts = firsts(made), []
    while waiting:
        assert {task.key(task.goals[0]) for task in left(made, verdicts)} == {t.key(t.goals[0]) for t in waiting}
        task = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
        verdict = answer(task, task.goals[0], success=data.draw(st.booleans()))
        assert key(verdict) == task.key(task.goals[0])
        verdicts.append(verdict)
        waiting += follow_ups(made, task, verdict, CHANNELS)
    assert left(made, verdicts) == []
