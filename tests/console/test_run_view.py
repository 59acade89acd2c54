"""How far a run is, in a terminal and piped."""

from __future__ import annotations

import pytest
from fake_steps import progress, run_step, terminal

from evofool.config.budget import Budget
from evofool.console.console import Console
from evofool.console.run_view import RunRate, RunView, share_done


@pytest.mark.parametrize(
    ("budget", "remaining"),
    [
        (Budget(generations=20), 10.0),
        (Budget(evaluations=1500), 5.0),
        (Budget(minutes=0.5), 20.0),
        (Budget(generations=20, evaluations=1500, minutes=0.5), 5.0),
        (Budget(generations=20, until=0.99), 10.0),
        (Budget(generations=5), 0.0),
        (Budget(until=0.99), None),
    ],
    ids=str,
)
def test_the_remaining_time_is_to_the_first_limit(budget: Budget, remaining: float | None) -> None:
    rate = RunRate()
    for generation in (1, 4, 10):  # a second a generation of 100
        rate.note(progress(generation, float(generation)))
    assert rate.images_per_second == pytest.approx(100)
    assert rate.remaining(progress(10, 10.0), budget) == (None if remaining is None else pytest.approx(remaining))


def test_the_speed_is_this_session_s_only_and_nothing_is_said_before_it_has_a_basis() -> None:
    rate, budget = RunRate(), Budget(generations=110)
    for generation, seconds in ((100, 5000.0), (101, 5030.0)):
        rate.note(progress(generation, seconds))
        assert rate.images_per_second == 0
        assert rate.remaining(progress(generation, seconds), budget) is None
    rate.note(progress(104, 5031.5))
    assert rate.images_per_second == pytest.approx(200)
    assert rate.remaining(progress(104, 5031.5), budget) == pytest.approx(3.0)


def test_a_slow_beginning_is_forgotten() -> None:
    rate, seconds = RunRate(), 0.0
    for generation in range(1, 9):
        seconds += 30.0 if generation <= 4 else 1.0
        rate.note(progress(generation, seconds))
    assert rate.images_per_second == pytest.approx(100)


def test_nothing_remains_of_a_run_that_ends_before_its_speed_is_known() -> None:
    rate = RunRate()
    rate.note(progress(1, 2.0))
    assert rate.remaining(progress(1, 2.0), Budget(generations=1)) == 0
    assert rate.remaining(progress(1, 2.0), Budget(minutes=1)) == 58


@pytest.mark.parametrize(
    ("budget", "share"),
    [(Budget(generations=20), 0.5), (Budget(until=0.8), 0.625), (Budget(generations=40, minutes=1), 0.25)],
    ids=str,
)
def test_the_share_of_the_budget_that_is_done(budget: Budget, share: float) -> None:
    assert share_done(progress(10, 10.0, median=0.5), budget) == pytest.approx(share)


def test_a_line_tells_all_there_is_to_know(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().watch(RunView()) as observer:
        assert observer is not None
        observer(run_step(progress(1, 1.0, confirmations=7)))
    assert capsys.readouterr().out == (
        "generation 1  100 evaluations + 7 confirmations  – images/s  elapsed 0:01  remaining –  "
        "median 50.00 %  mean 50.00 %  lowest 12.50 %  at 99 %: 1/2  hardest [red]dog 25.00 %, cat 50.00 %\n"
    )


def test_several_niches_per_class_are_counted() -> None:
    view, step = RunView(), run_step(progress(1, 1.0, elites=3), niches_per_class=5)
    view.note(step)
    snapshot, elites = view.describe(step), "3 of 10 niches (30.0 %)   QD score 1.5"
    assert dict(snapshot.rows)["elites"] == elites
    assert f"at 99 %: 1/2  elites {elites}  hardest [red]dog" in snapshot.line


def test_the_live_view_tells_all_there_is_to_know() -> None:
    console, output = terminal()
    with console.watch(RunView([0.1, 0.2])) as observer:
        assert observer is not None
        observer(run_step(progress(1, 1.0, median=0.97)))
    shown = output.getvalue()
    parts = [
        "[bold]tiny · cppn", "generation", "100 evaluations   – images/s", "elapsed", "0:01", "remaining", "–",
        "median 97.00 %", "lowest 12.50 %", "1 of 2 classes", "[red]dog 25.00 %, cat", "▁▂█",
    ]  # fmt: skip
    assert [part for part in parts if part not in shown] == []
    assert "niches" not in shown


def test_generations_between_two_drawings_are_in_the_sparkline() -> None:
    view = RunView()
    for generation, median in enumerate((0.0, 0.5, 0.999), start=1):
        view.note(run_step(progress(generation, float(generation), median=median)))
    assert dict(view.describe(run_step(progress(3, 3.0))).rows)["median"] == "▁▅█"
