"""Each operation on files in turn is the last one, or fails: a command says so in a line and can go on later."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from commands import COMMANDS, Command, Figures, Undisturbed, assert_told, half_written
from operations import KINDS, ROOM, Faults, away, operations
from runs import LONG

pytestmark = pytest.mark.timeout(4 * 3600 if LONG else 600)


def places(log: Path, kind: str) -> list[int]:
    """The numbers of the operations that are worth failing: of many writes in a row the first and the last."""
    names = operations(log)
    return [
        number
        for number, name in enumerate(names, 1)
        if (name in ROOM or not kind.startswith("full"))
        and not (name == "write" and names[number - 2 : number - 1] == names[number : number + 1] == ["write"])
    ]


@dataclass(frozen=True)
class Start:
    """Where a command is disturbed.

    Attributes:
        folder: what is there: nothing, or a run that was killed in the middle of an operation in its second half.
        log: the operations from there on, when nothing disturbs them.
    """

    folder: Path
    log: Path


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Command, str], Start]:
    place, found = tmp_path_factory.mktemp("starts"), dict[tuple[str, str], Start]()

    def start(command: Command, name: str) -> Start:
        if (command.name, name) not in found:
            folder = place / f"{command.name} {name}"
            log, counted = folder.with_suffix(".log"), folder.with_suffix(".counted")
            if name == "resumed":
                names = operations(start(command, "new").log)
                writes = [number for number, done in enumerate(names, 1) if done == "write" and 2 * number > len(names)]
                command.start(folder, prepare=Faults(log, writes[0], "death").install).end()
                assert command.begun(folder)
                shutil.copytree(folder, counted)
            command.start(counted, prepare=Faults(log).install).end()
            found[command.name, name] = Start(folder, log)
        return found[command.name, name]

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
    numbers = places(start.log, kind)
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
            figures.failures.append(f"operation {number}, {operations(start.log)[number - 1]}: {error}")
        figures.tried += 1
        shutil.rmtree(run, ignore_errors=True)
    assert not figures.failures, "\n".join(figures.failures)
    assert figures.bytes_lost == 0


def disturbed(command: Command, run: Path, whole: Path, faults: Faults, figures: Figures) -> None:
    past = command.past(run, b"") if command.begun(run) else b""
    outcome = command.start(run, prepare=faults.install).end()
    if faults.kind == "death":
        assert outcome.code == (-9 if faults.reached() else 0)  # how often the page is written depends on the clock
    elif outcome.code:
        assert_told(outcome, *(["cannot write"] if faults.kind != "removed" else ["at"]))
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
