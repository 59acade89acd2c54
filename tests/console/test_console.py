"""Numbers as people read them, and how the progress of an evolution is told."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console as Rich

from evofool.config.budget import Budget
from evofool.console import run_view as views
from evofool.console.console import Console
from evofool.console.run_view import Pace
from evofool.search.archive import Archive
from evofool.search.evolution import Progress
from evofool.text import BARS, clock, least_confident, percent, sparkline

shares = st.floats(0, 1)


def progress(generation: int, seconds: float, median: float = 0.5, batch: int = 100) -> Progress:
    return Progress(generation, generation * batch, 0, seconds, median, median, 0.125, 1.0, 1, 0, 4.0, 2, 1.5)


def evolution(names: list[str], confidence: list[float]) -> Any:
    archive = Archive(np.arange(len(names)), len(names))
    archive.confidence[:] = confidence
    return SimpleNamespace(
        target=SimpleNamespace(name="[bold]tiny", classes=names), archive=archive, encoding=SimpleNamespace(name="cppn")
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00 %"),
        (0.5, "50.00 %"),
        (0.12999, "12.99 %"),
        (0.9999, "99.99 %"),
        (0.99994, "99.9940 %"),
        (0.9999999, "99.9999 %"),
        (0.99999999, "99.9999 %"),
        (1.0, "100 %"),
        (1.0000001, "100 %"),
    ],
)
def test_percent(value: float, text: str) -> None:
    assert percent(value) == text


def test_percent_that_is_not_fine_has_two_decimals() -> None:
    assert percent(0.99999, fine=False) == "99.99 %"
    assert percent(1, fine=False) == "100 %"


@given(shares, st.booleans())
def test_percent_is_cut_never_rounded_up(value: float, fine: bool) -> None:
    text = percent(value, fine=fine)
    assert (text == "100 %") == (value == 1)
    shown = float(text.removesuffix(" %"))
    assert shown <= 100 * value + 1e-9
    assert 100 * value - shown <= 0.01 + 1e-9


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (9.4, "0:09"),
        (59.6, "1:00"),
        (61, "1:01"),
        (3599.7, "1:00:00"),
        (3661, "1:01:01"),
        (360_000, "100:00:00"),
        (-3, "0:00"),
        (None, "–"),
        (float("inf"), "–"),
        (float("nan"), "–"),
    ],
)
def test_clock(seconds: float | None, text: str) -> None:
    assert clock(seconds) == text


def test_a_sparkline_rises_from_the_lowest_bar_to_the_highest() -> None:
    assert sparkline([i / 7 for i in range(8)]) == BARS
    assert sparkline([]) == ""
    assert sparkline([-1.0, 0.0, 1.0, 1.5]) == "▁▁██"


@given(st.lists(shares, max_size=300), st.integers(1, 60))
def test_a_sparkline_fits_its_width_and_ends_with_the_last_value(values: list[float], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) == min(width, len(values))
    assert set(line) <= set(BARS)
    if values:
        assert line[-1] == sparkline(values[-1:])


def test_the_hardest_classes_come_first() -> None:
    assert least_confident(["cat", "dog", "deer"], [0.9, 1.0, 0.25], 2) == "deer 25.00 %, cat 90.00 %"


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
    pace = Pace(budget)
    for generation in (1, 4, 10):  # a second a generation of 100
        pace.note(progress(generation, float(generation)))
    assert pace.rate == pytest.approx(100)
    assert pace.remaining(progress(10, 10.0)) == (None if remaining is None else pytest.approx(remaining))


def test_the_speed_is_this_sitting_s_only() -> None:
    pace = Pace(Budget(generations=110))
    pace.note(progress(100, 5000.0))
    assert pace.remaining(progress(100, 5000.0)) is None  # nothing is known yet
    pace.note(progress(104, 5002.0))
    assert pace.rate == pytest.approx(200)
    assert pace.remaining(progress(104, 5002.0)) == pytest.approx(3.0)


def test_the_first_generation_of_a_new_run_gives_a_speed() -> None:
    pace = Pace(Budget(generations=10))
    pace.note(progress(1, 2.0))
    assert pace.rate == pytest.approx(50)


@pytest.mark.parametrize(
    ("budget", "share"),
    [(Budget(generations=20), 0.5), (Budget(until=0.8), 0.625), (Budget(generations=40, minutes=1), 0.25)],
    ids=str,
)
def test_the_share_of_the_budget_that_is_done(budget: Budget, share: float) -> None:
    assert Pace(budget).share(progress(10, 10.0, median=0.5)) == pytest.approx(share)


def test_piped_lines_come_at_first_now_and_then_and_at_last(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(views.time, "monotonic", lambda: now[0])
    with Console().watch(Budget(generations=8), []) as view:
        assert view is not None
        for generation in range(1, 9):
            view(progress(generation, now[0]), evolution(["cat", "[red]dog"], [0.5, 0.25]))
            now[0] += views.PLAIN_SECONDS / 3
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["1", "4", "7", "8"]
    assert "hardest [red]dog 25.00 %, cat 50.00 %" in lines[0]  # a name is no markup


def test_a_quiet_console_watches_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=True)
    with console.watch(Budget(generations=1), []) as view:
        assert view is None
    console.say("news")
    assert tuple(capsys.readouterr()) == ("", "")
    console.error("still told")
    assert tuple(capsys.readouterr()) == ("", "error: still told\n")


def test_the_live_view_tells_all_there_is_to_know() -> None:
    console, out = Console(), io.StringIO()
    console.rich = Rich(file=out, force_terminal=True, width=110, highlight=False, color_system=None)
    medians = [0.1, 0.2]
    with console.watch(Budget(generations=20), medians) as view:
        assert view is not None
        view(progress(1, 1.0, median=0.97), evolution(["cat", "[red]dog"], [0.5, 0.25]))
    shown = out.getvalue()
    parts = [
        "[bold]tiny · cppn", "generation", "evaluations 100", "100 images/s", "elapsed", "0:01", "remaining", "0:19",
        "median 97.00 %", "lowest 12.50 %", "1 of 2 classes", "[red]dog 25.00 %, cat", "▁▂█",
    ]  # fmt: skip
    assert [part for part in parts if part not in shown] == []
    assert medians == [0.1, 0.2, 0.97]


@pytest.mark.parametrize("message", ["two\nlines", "tab\tand   spaces", "[red]markup[/]", "x" * 500])
def test_an_error_is_one_line_whatever_it_says(message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Console().error(message)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"error: {' '.join(message.split())}\n"
