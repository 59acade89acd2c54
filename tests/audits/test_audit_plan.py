"""What a budget comes to: queries of each part, and never more together than there are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import tiny_target

from evofool.audits.figure_table import PIXELS
from evofool.audits.plan import CONFIRMED, CORRUPTIONS, FEWEST, IMAGE_COST, LEAST, batch_of, plan_of, rounded_down
from evofool.audits.prepare import fastest, speed_of
from evofool.config.audit import AuditBudget, AuditOptions, AuditPlan
from evofool.errors import ConfigError

MANY: dict[str, Any] = {
    "images": 10_000,
    "values": 10,
    "shape": (3, 32, 32),
    "gradients": True,
    "paid": True,
    "exact": True,
}


def spent(plan: AuditPlan) -> int:
    """The most queries that a plan's tasks can take."""
    pixels = len(PIXELS) * plan.attacked * plan.attempt
    scored = plan.real + plan.noise + len(CORRUPTIONS) * plan.corrupted
    return plan.cppn + plan.direct + pixels + scored + plan.perturbed * IMAGE_COST


@given(
    queries=st.integers(LEAST, 3_000_000),
    profile=st.sampled_from(["quick", "standard", "full"]),
    images=st.integers(0, 20_000),
    gradients=st.booleans(),
    skip=st.sets(st.sampled_from(["pixels", "rejection", "corruptions", "calibration", "perturb"])),
)
def test_tasks_together_never_take_more_than_the_budget_and_nearly_all_of_it(
    queries: int, profile: str, images: int, gradients: bool, skip: set[str]
) -> None:
    given = {**MANY, "images": images, "gradients": gradients}
    plan = plan_of(queries, profile, **given, skip=skip)
    assert 0.8 * queries < spent(plan) <= 0.97 * queries + 1
    assert plan.cppn >= plan.direct > 0
    assert plan.cppn % batch_of(plan.cppn) == plan.direct % batch_of(plan.direct) == 0
    for count in (plan.real, plan.noise, plan.attacked, plan.corrupted, plan.perturbed):
        assert count == 0 or count >= FEWEST
    assert max(plan.real, plan.attacked, plan.corrupted, plan.perturbed) <= images


@given(queries=st.integers(LEAST, 100_000), values=st.sampled_from([2, 100, 1_000, 20_000]))
def test_images_that_are_scored_again_for_their_logits_are_planned_for(queries: int, values: int) -> None:
    plan = plan_of(queries, "standard", **{**MANY, "values": values, "paid": False, "exact": False})
    assert plan.cppn > 0 < plan.direct
    elites = min(values, plan.cppn) + min(values, plan.direct)
    scored = spent(plan) + (CONFIRMED - 1) * (plan.cppn + plan.direct) + 2 * len(PIXELS) * plan.attacked
    checks = sum((n // batch_of(n)).bit_length() * min(values, 16) for n in (plan.cppn, plan.direct))
    assert scored + checks + (plan.real + elites if plan.real else 0) <= max(2_000, queries)


def test_parts_that_are_left_out_have_nothing_and_the_others_more() -> None:
    whole = plan_of(50_000, "quick", **MANY)
    without = plan_of(50_000, "quick", **MANY, skip=("fooling", "corruptions", "perturb"))
    assert whole.corrupted > 0 < whole.perturbed
    assert without.cppn == without.direct == without.corrupted == without.perturbed == 0
    assert without.attacked * without.attempt >= whole.attacked * whole.attempt


@pytest.mark.parametrize(("queries", "images", "each"), [(3_000, 10, 33), (20_000, 21, 90), (300_000, 100, 400)])
def test_a_larger_budget_attacks_more_images_with_more_queries_each(queries: int, images: int, each: int) -> None:
    plan = plan_of(queries, "standard", **MANY)
    assert (plan.attacked, plan.attempt) == (pytest.approx(images, rel=0.1), pytest.approx(each, rel=0.1))


def test_few_images_have_the_more_queries_each() -> None:
    plan = plan_of(20_000, "standard", **{**MANY, "images": 12})
    assert plan.attacked == 12
    assert 120 < plan.attempt < 250


def test_the_speed_is_that_of_the_fastest_stretch() -> None:
    seen = [(100, 5.0), (200, 6.0), (300, 6.1), (400, 6.2), (500, 6.3), (600, 6.4), (700, 8.0), (800, 11.0)]
    assert fastest(seen) == pytest.approx(400 / 0.4)  # The first second had a pause in it, and so have the last ones.
    assert fastest([(100, 1.0), (200, 1.1), (300, 1.2)]) == pytest.approx(200 / 0.2)
    assert fastest([(100, 0.5)]) == pytest.approx(200)


def test_a_pass_that_costs_much_however_few_images_it_has_does_not_hide_the_speed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Seconds for ten images and for a hundred are nearly the same, as where threads wait for busy cores."""
    batches: list[int] = []

    def run(options: Any, _: Any, observer: Any) -> None:
        batches.append(options.batch)
        for generation in range(1, 4):
            seconds = generation * (2 + 0.01 * options.batch)
            progress = SimpleNamespace(evaluations=generation * options.batch, seconds=seconds)
            observer(SimpleNamespace(progress=progress))

    monkeypatch.setattr("evofool.audits.prepare.evolve.run", run)
    prepared: Any = SimpleNamespace(target=tiny_target(), record=SimpleNamespace(spec="tiny"))
    speed = speed_of(prepared, AuditOptions(target="tiny", budget="10m"))
    assert batches == [10, 20, 40, 80, 100]
    assert speed == pytest.approx(100 / 3)


def test_gradients_alone_still_have_real_images() -> None:
    others = ("fooling", "pixels", "rejection", "corruptions", "calibration")
    plan = plan_of(60_000, "quick", **MANY, skip=others)
    assert plan.perturbed > 0
    assert plan.real >= plan.perturbed


def test_a_budget_too_small_for_anything_says_what_is_enough() -> None:
    with pytest.raises(ConfigError, match="50 queries, too few for any part of an audit; 200 are enough to evolve"):
        plan_of(50, "quick", **MANY)


def test_large_images_leave_room_for_fewer() -> None:
    plan = plan_of(5_000_000, "full", **{**MANY, "shape": (3, 640, 640)})
    assert 0 < plan.real * 3 * 640 * 640 <= 2**27


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("10m", AuditBudget(seconds=600)),
        ("90s", AuditBudget(seconds=90)),
        ("1.5 h", AuditBudget(seconds=5400)),
        ("2 minutes", AuditBudget(seconds=120)),
        ("50000", AuditBudget(queries=50_000)),
        ("50,000 queries", AuditBudget(queries=50_000)),
        ("5e4", AuditBudget(queries=50_000)),
        (5000, AuditBudget(queries=5000)),
    ],
)
def test_budgets_are_time_or_queries(text: int | str, budget: AuditBudget) -> None:
    assert AuditBudget.parse(text) == budget


@pytest.mark.parametrize("text", ["", "soon", "0m", "-3", "10 apples", "1e999", "9" * 40])
def test_a_budget_that_is_neither_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match="`budget` must be time as in 10m or 90s, or queries as in 50000, got"):
        AuditOptions.of({"budget": text})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"profile": "quik"}, '`profile` must be quick, standard, full, got "quik" \\(did you mean "quick"'),
        ({"skip": "pixles"}, '`skip`: there is no part "pixles" \\(did you mean "pixels"'),
    ],
)
def test_unknown_words_are_refused_with_a_suggestion(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        AuditOptions.of(given)


def test_measured_speeds_are_rounded_down_to_two_digits() -> None:
    assert [rounded_down(number) for number in (0.4, 7, 99, 129, 12_999, 1_234_567)] == [
        1, 7, 99, 120, 12_000, 1_200_000,
    ]  # fmt: skip
