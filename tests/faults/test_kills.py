"""Killed or stopped at random moments, again and again, a job ends with the bytes of an undisturbed one."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import COMMANDS, Command, Figures, Undisturbed, assert_error, half_written
from operations import Faults
from runs import LONG

pytestmark = pytest.mark.timeout(4 * 3600 if LONG else 600)

CODES = {signal.SIGKILL: {-signal.SIGKILL}, signal.SIGINT: {0, 130}, signal.SIGTERM: {0, 143, -signal.SIGTERM}}
"""How a process may end that gets a signal: with 0 if the job was done, by the signal if it was not ready for it."""


def stopped_again_and_again(
    command: Command, folder: Path, whole: Undisturbed, rng: np.random.Generator, stop: int, figures: Figures
) -> None:
    """Begin a job, stop it up to four times, then let it end."""
    run, past, begun = folder / "run", b"", False
    deaths, tried = int(rng.integers(1, 5)), 0
    try:
        for _ in range(deaths):
            command.clear(run)
            child = command.start(run)
            time.sleep(rng.uniform(0, whole.seconds))
            child.stop(stop)
            outcome = child.end()
            if stop == signal.SIGKILL and outcome.code != -stop:  # It had ended before.
                assert (outcome.code, outcome.err) == (0, "")
                break
            tried += 1
            assert outcome.code in CODES[signal.Signals(stop)], outcome
            assert outcome.err == "" or outcome.err.startswith("error: stopped"), outcome
            assert outcome.err == "" or outcome.code in (130, 143)
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
        folder = tmp_path / str(series)
        folder.mkdir()
        stopped_again_and_again(command, folder, whole, rng, stop, figures)
        shutil.rmtree(folder)
    assert figures.survived == figures.tried >= wanted
    assert figures.bytes_lost == 0


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_killed_process_leaves_no_lock(
    command: Command, undisturbed: Callable[[Command], Undisturbed], tmp_path: Path
) -> None:
    """While it lives, nobody else may go on; once it is dead, anybody may, at once."""
    run, whole = tmp_path / "run", undisturbed(command)
    middle = Faults(tmp_path / "log", len(whole.operations) // 2, "halt")
    child = command.start(run, prepare=middle.install)
    try:
        child.wait_until_halted()
        assert command.begun(run)
        assert (run / ".lock").exists()
        assert_error(command.start(run).end(), f"another process ({child.number} on ")
    finally:
        child.stop(signal.SIGKILL)
        assert child.end().code == -signal.SIGKILL
    command.finish(run, whole.folder)
