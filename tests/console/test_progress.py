"""Progress of jobs that Python users start."""

from __future__ import annotations

import io
import signal
import sys
from pathlib import Path

import pytest
import rich.console

from evofool.console import progress
from evofool.console.live import StepView
from evofool.console.progress import going_on, watched
from evofool.console.terminal import somebody_watches
from evofool.errors import ConfigError


class Terminal(io.StringIO):
    """A terminal that keeps what it is sent."""

    def isatty(self) -> bool:
        return True


def shown(asked: bool | None) -> list[str]:
    """The steps that an observer is given while two of them are shown, or not."""
    seen = list[str]()
    with watched(lambda: StepView("job"), asked, seen.append, going_on(Path("runs/a"))) as noting:
        assert noting is not None
        noting("step 1")
        noting("step 2")
    return seen


@pytest.mark.parametrize(("asked", "lines"), [(None, []), (False, []), (True, ["step 1", "step 2"])])
def test_where_nobody_watches_it_is_shown_when_asked_for(
    asked: bool | None, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(asked) == ["step 1", "step 2"]
    printed = capsys.readouterr()
    assert printed.err.splitlines() == lines
    assert printed.out == ""


@pytest.mark.parametrize(("asked", "anything"), [(None, True), (False, False), (True, True)])
def test_in_a_terminal_it_is_shown_unless_switched_off(
    asked: bool | None, anything: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert shown(asked) == ["step 1", "step 2"]
    assert ("step" in terminal.getvalue()) == anything
    assert capsys.readouterr().out == ""


def test_a_notebook_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not somebody_watches()
    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)
    assert somebody_watches()


def test_colours_that_are_forced_make_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not somebody_watches()


def test_without_an_observer_nothing_is_noted_where_nobody_watches() -> None:
    with watched(lambda: pytest.fail("nothing is shown"), None, None, "") as noting:
        assert noting is None


def test_an_observer_that_can_not_be_called_is_refused() -> None:
    with pytest.raises(ConfigError, match="`observer` must be a function"), watched(lambda: StepView(""), False, 3, ""):  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize("signalled", [True, False])
def test_a_job_that_was_stopped_says_how_it_goes_on(
    signalled: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "last_signal", lambda: signal.SIGINT if signalled else None)
    shown(True)
    told = 'stopped; what is done is saved, and evofool.resume("runs/a") goes on\n'
    assert (told in capsys.readouterr().err) == signalled
    shown(None)
    assert capsys.readouterr().err == ""


def test_a_signal_to_an_earlier_job_says_nothing_of_one_without_steps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "last_signal", lambda: signal.SIGINT)
    with watched(lambda: StepView("job"), True, None, going_on(None)):
        pass
    assert capsys.readouterr().err == ""


def test_a_job_without_a_folder_can_t_go_on() -> None:
    assert "can't go on, since it has no folder (`out`)" in going_on(None)
