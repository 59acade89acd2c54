"""A live view is drawn on a real terminal only; files, pipes, dumb terminals and notebooks get lines."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from io import StringIO
from typing import TextIO

import pytest
from rich.console import Console as RichConsole

from evofool.console.console import Console
from evofool.console.live import StepView
from evofool.console.terminal import can_draw

NAMES = ("TERM", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "JPY_PARENT_PID", "MPLBACKEND")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave what terminals and notebooks set to the test."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def pseudo_terminal() -> Iterator[TextIO]:
    """Return a stream that is a terminal."""
    master, slave = pty.openpty()
    with open(slave, "w") as stream:
        yield stream
    os.close(master)


@pytest.mark.parametrize(
    ("variables", "drawn"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True),
        ({"TERM": "xterm", "FORCE_COLOR": "1"}, True),
        ({"TERM": "xterm", "MPLBACKEND": "agg"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb", "TTY_INTERACTIVE": "1"}, False),
        ({"TERM": "unknown"}, False),
        ({"TERM": "xterm", "TTY_INTERACTIVE": "0"}, False),
        ({"TERM": "xterm-color", "JPY_PARENT_PID": "17"}, False),
        ({"TERM": "xterm-color", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}, False),
    ],
)
def test_a_terminal_is_drawn_on_unless_it_is_dumb_or_a_notebook_s(
    variables: dict[str, str], drawn: bool, pseudo_terminal: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert can_draw(RichConsole(file=pseudo_terminal)) == drawn


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"])
def test_no_variable_makes_a_file_a_terminal(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, "1")
    assert not can_draw(RichConsole(file=StringIO()))
    stream = StringIO()
    stream.close()
    assert not can_draw(RichConsole(file=stream))


@pytest.mark.parametrize("to_stderr", [False, True])
def test_forced_colours_are_in_lines_and_move_no_cursor(
    to_stderr: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    console = Console(to_stderr=to_stderr)
    with console.watch(StepView("probe")) as observer:
        assert observer is not None
        observer("batch 1")
    console.pairs([("run", "runs/a")])
    shown = capsys.readouterr()[to_stderr]
    assert shown == "batch 1\n\x1b[2m  run  \x1b[0mruns/a\n"
