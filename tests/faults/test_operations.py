"""Each operation on files in turn is the last one, or fails: a job says so in a line and can go on later."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from commands import COMMANDS, Command, Figures, Undisturbed, assert_error, half_written
from operations import KINDS, ROOM, Faults, away, operations
from runs import LONG

pytestmark = pytest.mark.timeout(4 * 3600 if LONG else 600)


def worth_failing(names: Sequence[str], kind: str) -> list[int]:
    """Return the numbers of the operations that are worth failing: of many writes in a row the first and the last."""
    return [
        number
        for number, name in enumerate(names, 1)
        if (name in ROOM or not kind.startswith("full"))
        and not (name == "write" and names[number - 2 : number - 1] == names[number : number + 1] == ["write"])
    ]


@dataclass(frozen=True)
class Start:
    """Where a job is disturbed.

    Attributes:
        folder: What is there: nothing, or a job that was killed in the middle of an operation in its second half.
        names: The operations from there on, when nothing disturbs them.
    """

    folder: Path
    names: Sequence[str]


@pytest.fixture(scope="module")
def starts(
    tmp_path_factory: pytest.TempPathFactory, undisturbed: Callable[[Command], Undisturbed]
) -> Callable[[Command, str], Start]:
    """Give the start of a command by its name: ``new`` or ``resumed``."""
    home, killed = tmp_path_factory.mktemp("starts"), dict[str, Start]()

    def start(command: Command, name: str) -> Start:
        names = undisturbed(command).operations
        if name == "new":
            return Start(home / f"{command.name} new", names)
        if command.name not in killed:
            folder, counted, log = (home / f"{command.name} {what}" for what in ("resumed", "counted", "log"))
            middle = next(number for number, done in enumerate(names, 1) if done == "write" and 2 * number > len(names))
            command.start(folder, prepare=Faults(log, middle, "death").install).end()
            assert command.begun(folder)
            shutil.copytree(folder, counted)
            assert command.start(counted, prepare=Faults(log).install).end().code == 0
            killed[command.name] = Start(folder, operations(log))
        return killed[command.name]

    return start


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("state", ["new", "resumed"])
@pytest.mark.parametrize("kind", KINDS if LONG else KINDS[:4])
def test_at_an_operation(
    kind: str,
    state: str,
    command: Command,
    undisturbed: Callable[[Command], Undisturbed],
    starts: Callable[[Command, str], Start],
    figures: Figures,
    tmp_path: Path,
) -> None:
    whole, start = undisturbed(command).folder, starts(command, state)
    numbers = worth_failing(start.names, kind)
    if not LONG:
        rng = np.random.default_rng([KINDS.index(kind), state == "new", len(command.name)])
        numbers = sorted(rng.choice(numbers, 3, replace=False).tolist())
    for number in numbers:
        run, log = tmp_path / f"at {number}", tmp_path / "log"
        if start.folder.exists():
            shutil.copytree(start.folder, run)
        try:
            disturbed(command, run, whole, Faults(log, number, kind, run), figures)
            figures.survived += 1
        except AssertionError as error:
            figures.failures.append(f"operation {number}, {start.names[number - 1]}: {error}")
        figures.tried += 1
        shutil.rmtree(run, ignore_errors=True)
    assert not figures.failures, "\n".join(figures.failures)
    assert figures.bytes_lost == 0


def disturbed(command: Command, run: Path, whole: Path, faults: Faults, figures: Figures) -> None:
    """Disturb a job at one operation, check what is left of it, then let it end."""
    past = command.past(run, b"") if command.begun(run) else b""
    outcome = command.start(run, prepare=faults.install).end()
    assert faults.reached()
    if faults.kind == "death":
        assert outcome.code == -9
    elif outcome.code:
        gone = [f" at {run}: expected a folder"] if faults.kind == "removed" else []
        assert_error(outcome, f"cannot write to {run}", f"cannot write {run}/gallery.png", *gone)
    else:
        assert outcome.err == ""
    if away(run).exists() and command.begun(run):  # nothing was in it yet when it was removed
        assert outcome.code == 0
        assert command.lost(whole, run) == 0
        shutil.rmtree(away(run))
    elif away(run).exists():
        shutil.rmtree(run, ignore_errors=True)
        away(run).rename(run)
    figures.torn += half_written(run)
    if command.begun(run):
        command.past(run, past)
    if outcome.code == 0:  # whatever failed was needed by nobody
        assert command.lost(whole, run) == 0
    command.finish(run, whole)
    figures.bytes_lost += command.lost(whole, run)
