"""The live view and the plain view show every kind of job, at their time."""

from __future__ import annotations

import io
from typing import Any

import pytest
from fake_steps import FakeClock, lines_of, terminal
from rich.cells import cell_len
from rich.console import Console as RichConsole
from rich.live import Live

from evofool.console.console import STARTING, Console
from evofool.console.live import (
    PLAIN_SECONDS,
    REDRAW_SECONDS,
    LiveView,
    PlainView,
    RedrawnView,
    Snapshot,
    StepView,
    panel,
)


class Recipe:
    """A view that keeps what it was given: every fourth step there is nothing to say of."""

    def __init__(self) -> None:
        self.noted: list[int] = []
        self.described: list[int] = []

    def note(self, step: int) -> None:
        self.noted.append(step)

    def describe(self, step: int) -> Snapshot:
        self.described.append(step)
        return Snapshot("title", [("step", f"number {step}")], step / 10, f"step {step}" if step % 4 else "")


def plain(clock: FakeClock) -> tuple[PlainView, list[str]]:
    lines: list[str] = []
    return PlainView(lines.append, Recipe(), clock), lines


def test_lines_come_at_first_now_and_then_and_at_last() -> None:
    clock = FakeClock()
    view, lines = plain(clock)
    for step in (1, 2, 3, 5, 6, 7, 9, 10):
        view(step)
        clock.now += PLAIN_SECONDS / 3
    view.close()
    assert lines == ["step 1", "step 5", "step 9", "step 10"]


def test_the_last_line_is_said_once() -> None:
    view, lines = plain(FakeClock())
    view(1)
    view(2)
    view.close()
    view.close()
    assert lines == ["step 1", "step 2"]


def test_what_a_job_does_after_its_last_step_is_said_behind_it() -> None:
    view, lines = plain(FakeClock())
    view(1)
    view(2)
    view.notice("confirming 930 elites")
    view.close()
    assert lines == ["step 1", "step 2", "confirming 930 elites"]


def test_the_panel_shows_what_a_job_does_after_its_last_step() -> None:
    drawn: list[Snapshot] = []

    class Drawn(RedrawnView):
        seconds = REDRAW_SECONDS

        def draw(self, snapshot: Snapshot) -> None:
            drawn.append(snapshot)

    view = Drawn(Recipe(), FakeClock())
    view.notice("nothing is there yet")
    assert drawn == []
    view(1)
    view(2)
    view.notice("confirming 930 elites")
    assert [snapshot.rows for snapshot in drawn] == [
        [("step", "number 1")],
        [("step", "number 2"), ("now", "confirming 930 elites")],
    ]


def test_nothing_is_said_of_a_job_without_steps() -> None:
    view, lines = plain(FakeClock())
    view.close()
    assert lines == []


def test_the_line_after_one_with_nothing_to_say_does_not_wait() -> None:
    view, lines = plain(FakeClock())
    for step in (4, 5, 6):
        view(step)
    assert lines == ["step 5"]


def test_the_panel_is_redrawn_a_few_times_a_second_and_every_step_is_noted() -> None:
    clock, recipe, output = FakeClock(), Recipe(), io.StringIO()
    console = RichConsole(file=output, force_terminal=True, width=60, color_system=None)
    with Live(console=console, auto_refresh=False) as live:
        view = LiveView(live, recipe, clock)
        for step in range(1, 9):
            view(step)
            clock.now += REDRAW_SECONDS / 3.5
    assert recipe.noted == [1, 2, 3, 4, 5, 6, 7, 8]
    assert recipe.described == [1, 5]
    assert "number 5" in output.getvalue()


@pytest.mark.parametrize(("share", "length"), [(0.0, 0), (0.25, 12), (1.0, 48), (1.7, 48), (None, 0)])
def test_the_bar_shows_the_share_that_is_done(share: float | None, length: int) -> None:
    console, output = terminal(60)
    console.show(panel(Snapshot("title", [("name", "value")], share, "")))
    assert output.getvalue().count("━") == length
    assert all(cell_len(line) <= 60 for line in lines_of(output.getvalue()))


def test_names_in_the_panel_are_no_markup() -> None:
    console, output = terminal(60)
    console.show(panel(Snapshot("[bold]title", [("name", "[red]value")], None, "")))
    assert "[bold]title" in output.getvalue()
    assert "[red]value" in output.getvalue()


def test_a_job_without_a_view_is_described_by_its_steps() -> None:
    view = StepView("probe")
    view.note("batch 3 of 7")
    assert view.describe("batch 3 of 7") == Snapshot("probe", [("step", "batch 3 of 7")], None, "batch 3 of 7")


def watched(console: Console, *steps: Any) -> None:
    with console.watch(StepView("probe")) as observer:
        assert observer is not None
        for step in steps:
            observer(step)


def test_a_terminal_shows_the_spinner_until_the_first_step() -> None:
    console, output = terminal(120)
    watched(console)
    assert STARTING in output.getvalue()
    console, output = terminal(120)
    watched(console, "batch 3 of 7")
    before, _, after = output.getvalue().partition("probe")
    assert STARTING in before
    assert "batch 3 of 7" in after
    assert STARTING not in after


def test_elsewhere_steps_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    watched(Console(), "batch [red]1", "batch 2", "batch 3")
    assert tuple(capsys.readouterr()) == ("batch [red]1\nbatch 3\n", "")


def test_beside_a_json_object_lines_are_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    watched(Console(to_stderr=True), "batch 1")
    assert tuple(capsys.readouterr()) == ("", "batch 1\n")


def test_a_quiet_console_watches_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Console(quiet=True).watch(StepView("probe")) as observer:
        assert observer is None
    assert tuple(capsys.readouterr()) == ("", "")
