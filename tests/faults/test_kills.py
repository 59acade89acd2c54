"""Killed or stopped at random moments, again and again, a command ends with the bytes of an undisturbed one."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import COMMANDS, Command, Figures, Undisturbed, assert_told, half_written
from runs import LONG

pytestmark = pytest.mark.timeout(4 * 3600 if LONG else 600)


def stopped_again_and_again(
    command: Command, place: Path, whole: Undisturbed, rng: np.random.Generator, stop: int, figures: Figures
) -> None:
    """Begin a run, stop it up to four times, then let it end."""
    run, past, begun = place / "run", b"", False
    deaths, tried = int(rng.integers(1, 5)), 0
    try:
        for _ in range(deaths):
            command.clear(run)
            child = command.start(run)
            time.sleep(rng.uniform(0, whole.seconds))
            child.stop(stop)
            outcome = child.end()
            if stop == signal.SIGKILL and outcome.code != -stop:
                break  # it had ended before
            tried += 1
            assert outcome.code in {signal.SIGKILL: {-stop}, signal.SIGINT: {0, 130}, signal.SIGTERM: {0, -stop}}[stop]
            assert outcome.err == "" if outcome.code != 130 else outcome.err.count("\n") <= 1
            figures.torn += half_written(run)
            begun |= command.begun(run)
            assert command.begun(run) == begun  # never less than before
            if begun:
                past = command.past(run, past)
        command.finish(run, whole.folder)
        figures.survived += tried
    except AssertionError as error:
        figures.failures.append(str(error))
        raise
    finally:
        figures.tried += tried
        if run.exists() and command.begun(run):
            figures.bytes_lost += command.lost(whole.folder, run)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda stop: stop.name)
def test_stopped_at_random_moments(
    command: Command,
    stop: signal.Signals,
    undisturbed: Callable[[Command], Undisturbed],
    figures: Figures,
    tmp_path: Path,
) -> None:
    rng, whole = np.random.default_rng(stop), undisturbed(command)
    wanted = 200 if LONG else 6
    if stop != signal.SIGKILL:
        wanted //= 3
    series = 0
    while figures.tried < wanted and not figures.failures:
        series += 1
        place = tmp_path / str(series)
        place.mkdir()
        stopped_again_and_again(command, place, whole, rng, stop, figures)
        shutil.rmtree(place)
    assert figures.survived == figures.tried >= wanted
    assert figures.bytes_lost == 0


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_killed_process_leaves_no_lock(
    command: Command, undisturbed: Callable[[Command], Undisturbed], tmp_path: Path
) -> None:
    """While it lives, nobody else may go on; once it is dead, anybody may, at once."""
    run, whole = tmp_path / "run", undisturbed(command)
    child = command.start(run)
    try:
        deadline = time.monotonic() + 60
        while not command.begun(run) and time.monotonic() < deadline:
            time.sleep(0.005)
        child.stop(signal.SIGSTOP)
        if command.begun(run) and (run / ".lock").exists():  # else it was too fast for us
            assert_told(command.start(run).end(), f"another process ({child.number} on ")
    finally:
        child.stop(signal.SIGKILL)
        child.end()
    command.finish(run, whole.folder)
