"""The plan: what options mean, and which of them don't go together."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from campaigns import plan
from fakes import Foreign
from support import tiny_target

from evofool.attacks.criterion import Criterion
from evofool.attacks.plan import count_pairs, criteria_of, excluded_classes, plan_of
from evofool.attacks.searches.registry import MANY_PIXELS, STRATEGIES
from evofool.config.attack import ALL, AttackOptions
from evofool.config.records import PlanRecord
from evofool.errors import ConfigError
from evofool.targets.protocols import Target


def planned(target: Target | None = None, **options: Any) -> PlanRecord:
    return plan_of(AttackOptions.of(options), target or tiny_target())


def test_the_defaults_are_an_untargeted_local_search_for_one_pixel() -> None:
    assert planned() == plan(queries=2_000)


@pytest.mark.parametrize(
    ("options", "queries"),
    [
        ({"strategy": "local"}, 2_000),
        ({"strategy": "corners"}, 64 * 8),
        ({"strategy": "de"}, 10_000),
        ({"preset": "su2019"}, 400 * 101),
        ({"strategy": "corners", "queries": 7}, 7),
    ],
)
def test_the_budget_that_holds_is_planned_where_none_is_asked_for(options: dict[str, Any], queries: int) -> None:
    assert planned(**options).queries == queries


@pytest.mark.parametrize("name", STRATEGIES)
def test_one_query_is_refused_where_a_candidate_needs_two(name: str) -> None:
    fast = tiny_target(precision="bfloat16")
    assert planned(strategy=name, queries=1).queries == 1
    assert planned(fast, strategy=name, queries=2).queries == 2
    if STRATEGIES[name].settles_all:
        assert planned(fast, strategy=name, queries=1).queries == 1
        return
    with pytest.raises(ConfigError, match=r"`queries` must be at least 2, got 1: .* with `precision=float32`"):
        planned(fast, strategy=name, queries=1)


def test_a_mistyped_preset_has_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r'unknown preset "su2018" \(did you mean "su2019"'):
        planned(preset="su2018")


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_has_a_plan(name: str) -> None:
    assert planned(strategy=name).strategy == name


def test_options_are_handed_on() -> None:
    made = planned(queries=70, seed=5, baseline=True, preset="su2019", pixels=3)
    assert (made.queries, made.seed, made.baseline, made.strategy, made.pixels) == (70, 5, True, "su2019", (3,))


@pytest.mark.parametrize(
    ("options", "pixels"),
    [
        ({"pixels": 1}, (1,)),
        ({"pixels": "7"}, (7,)),
        ({"pixels": 64}, (64,)),
        ({"pixels": "auto"}, (1, 2, 3, 4, 5)),
        ({"pixels": " AUTO "}, (1, 2, 3, 4, 5)),
        ({"pixels": "auto", "max_pixels": 2}, (1, 2)),
        ({"pixels": "auto", "max_pixels": 1, "strategy": "corners"}, (1,)),
    ],
)
def test_numbers_of_pixels(options: dict[str, Any], pixels: tuple[int, ...]) -> None:
    assert planned(**options).pixels == pixels


@pytest.mark.parametrize(
    ("criterion", "criteria", "text"),
    [
        ("untargeted", (None,), "untargeted"),
        (" Untargeted ", (None,), "untargeted"),
        ("all", ALL, "all"),
        (2, (2,), "class 2"),
        ("class 3", (3,), "class 3"),
        ("class 3,1", (1, 3), "class 1, class 3"),
        (["CLASS 0", 2], (0, 2), "class 0, class 2"),
    ],
)
def test_criteria(criterion: Any, criteria: Any, text: str) -> None:
    made = planned(criterion=criterion)
    assert (made.criteria, made.criterion) == (criteria, text)


class Words(Foreign):
    """A target with classes that are called like the words for other criteria, or by a number."""

    classes = ("Some", "All", "untargeted", "1")


@pytest.mark.parametrize(
    ("criterion", "criteria"),
    [
        ("all", ALL),
        ("untargeted", (None,)),
        (1, (1,)),
        (2, (2,)),
        (["all"], (1,)),
        (["untargeted"], (2,)),
        ("some,untargeted", (0, 2)),
        ("1", (3,)),
        (["1", 1], (1, 3)),
        (np.int64(1), (1,)),
    ],
)
def test_classes_called_like_other_criteria_have_their_index_or_a_list(criterion: Any, criteria: Any) -> None:
    assert planned(Words(), criterion=criterion).criteria == criteria


def test_a_list_of_one_word_that_is_no_class_is_that_criterion() -> None:
    assert planned(criterion=["untargeted"]).criteria == (None,)
    assert planned(criterion=["ALL"]).criteria == ALL


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "lokal"}, 'unknown strategy "lokal" (did you mean "local"?)'),
        (
            {"preset": "su2020"},
            'unknown preset "su2020" (did you mean "su2019"?); choose su2019 or hyperparticle, or leave it out',
        ),
        (
            {"preset": "su2019", "strategy": "local"},
            "`preset=su2019` is a strategy of its own; leave `strategy=local` out",
        ),
        ({"pixels": "many"}, '`pixels` must be a number or auto, got "many"'),
        ({"pixels": "0"}, "`pixels` must be 1 to 64: the image has 8 × 8 pixels; got 0"),
        ({"pixels": 65}, "`pixels` must be 1 to 64: the image has 8 × 8 pixels; got 65"),
        (
            {"pixels": "auto", "max_pixels": 65},
            "`max_pixels` must be 1 to 64: the image has 8 × 8 pixels; got 65",
        ),
        ({"pixels": 2, "max_pixels": 3}, "`max_pixels` is where `pixels=auto` ends; leave it out"),
        (
            {"pixels": 2, "strategy": "corners"},
            "`strategy=corners` edits 1 pixel at most, got 2; use `pixels=1`",
        ),
        ({"pixels": "auto", "strategy": "corners"}, "`strategy=corners` edits 1 pixel at most, got 5; use `pixels=1`"),
        ({"pixels": "auto", "baseline": True}, "`baseline` compares attempts of one size; give `pixels` a number"),
        (
            {"strategy": "random", "baseline": True},
            "`strategy=random` is the baseline itself; leave `baseline` out",
        ),
        ({"criterion": ""}, "`criterion` must be untargeted, all, or names or indices of classes, got nothing"),
        ({"criterion": "class 7"}, '`criterion`: no class is called "class 7"'),
        (
            {"criterion": "untargetd"},
            '`criterion`: no class is called "untargetd" (did you mean "untargeted"?); the classes are class 0',
        ),
        ({"criterion": 4}, "class 4 is not there: indices go from 0 to 3"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match="^" + re.escape(message)) as raised:
        planned(**options)
    assert "\n" not in str(raised.value)


def test_auto_ends_at_what_the_image_has() -> None:
    with pytest.raises(ConfigError, match="`pixels` must be 1 to 4"):
        planned(tiny_target(size=2), pixels="auto")


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
    assert criteria_of(plan(criteria=criteria), label, 4) == [Criterion(target_class) for target_class in expected]


@pytest.mark.parametrize("criteria", [(None,), ALL, (1, 3), (3, 1, 0), (2,)])
def test_pairs_and_excluded_classes_are_counted_from_the_criteria(criteria: Any) -> None:
    made, labels = plan(criteria=criteria), [0, 0, 1, 2, 3, 2]
    assert count_pairs(made, labels, 4) == sum(len(criteria_of(made, label, 4)) for label in labels)
    assert excluded_classes(made) == [label for label in range(4) if not criteria_of(made, label, 4)]


class OnGpu(Foreign):
    """A target that says what it likes to be given."""

    device, micro_batch = "cuda:1", 1024


def test_batches_fit_the_device_and_the_search() -> None:
    assert planned().rows == 64
    assert planned(strategy="sparse-rs").rows == 32
    assert planned(pixels=MANY_PIXELS - 1).rows == 64
    assert planned(pixels=MANY_PIXELS).rows == 32
    assert planned(tiny_target(micro_batch=5)).rows == 5
    assert planned(tiny_target(micro_batch=5), strategy="sparse-rs").rows == 5
    assert planned(Foreign()).rows == 64
    assert planned(OnGpu()).rows == 1024
    assert planned(OnGpu(), strategy="sparse-rs").rows == 32
