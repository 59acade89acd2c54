"""Commands in forked processes that may die at any moment, and what has to be left of them.

Forked, for importing torch once more takes longer than everything these commands do.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from campaigns import assert_same_campaign, outcome_lines
from runs import Outcome, assert_same_run, checkpoint, history, tree

from evofool.cli import app as cli
from evofool.jobs import run_session as sitting
from evofool.store.history import folder as history_folder
from evofool.store.run import RunFolder


def nothing() -> None:
    pass


def eager() -> None:
    """Checkpoints and pages as often as can be, so that most of the time goes into writing; elites bit by bit."""
    sitting.DECODED = 150
    sitting.CHECKPOINT_SECONDS, sitting.CHECKPOINT_SHARE = -1.0, 1e9
    sitting.CHECKPOINT_SHARE = float("inf")
    sitting.PAGE_SECONDS, sitting.PAGE_SHARE = 0.001, 1e9
    history_folder.LIMITS = history_folder.Limits(small_files=3)


class Child:
    """``evofool`` with these arguments in a process of its own.

    Args:
        words: the arguments.
        prepare: called in the process before it begins.
    """

    def __init__(self, *words: object, prepare: Callable[[], object] = nothing) -> None:
        self._streams = [tempfile.TemporaryFile() for _ in range(2)]  # noqa: SIM115
        ready, tell = os.pipe()
        self.number = os.fork()
        if not self.number:
            self._become([str(word) for word in words], prepare, tell)
        os.close(tell)
        os.read(ready, 1)
        os.close(ready)

    def stop(self, number: int) -> None:
        os.kill(self.number, number)

    def end(self) -> Outcome:
        """Wait for it; the code is minus the signal's number where one ended it."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1])
        told = []
        for stream in self._streams:
            with stream:
                stream.seek(0)
                told.append(stream.read().decode())
        return Outcome(code, *told)

    def _become(self, words: list[str], prepare: Callable[[], object], tell: int) -> None:
        code = 99
        try:
            for number, stream in enumerate(self._streams, 1):
                os.dup2(stream.fileno(), number)
            sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            eager()
            prepare()
            sys.argv = ["evofool", *words]
            os.close(tell)
            cli.main()
        except SystemExit as stopped:
            code = stopped.code if isinstance(stopped.code, int) else 98
        except KeyboardInterrupt:
            code = 130  # before the command line took it up
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


@dataclass(frozen=True)
class Command:
    """A command that makes a folder.

    Attributes:
        words: its options.
        begins: the files without which its folder can't go on yet.
        same: raises AssertionError where two folders don't hold the same.
        past: what is safe in a folder that was left at any moment; raises where that is less than it was.
        lost: bytes of a whole folder that another one lacks.
    """

    name: str
    words: tuple[str, ...]
    begins: tuple[str, ...]
    same: Callable[[Path, Path], None]
    past: Callable[[Path, bytes], bytes]
    lost: Callable[[Path, Path], int]

    def start(self, run: Path, prepare: Callable[[], object] = nothing) -> Child:
        """Begin, or go on."""
        words = ["resume", run, "--quiet"] if self.begun(run) else self.words_for(run)
        return Child(*words, prepare=prepare)

    def words_for(self, run: Path) -> list[object]:
        return [self.name, *self.words, "--quiet", "--out", run]

    def begun(self, run: Path) -> bool:
        return all((run / file).exists() for file in self.begins)

    def clear(self, run: Path) -> None:
        """A folder that had not begun says itself that it can't go on; the same command begins in it again."""
        if run.exists() and not self.begun(run):
            assert_told(Child("resume", run).end(), "no run at", "start it again")

    def finish(self, run: Path, undisturbed: Path) -> None:
        """Go on to the end, which has to be that of an undisturbed run."""
        self.clear(run)
        outcome = self.start(run).end()
        assert (outcome.code, outcome.err) == (0, "")
        self.same(run, undisturbed)
        assert [file.name for file in run.rglob(".*")] == []  # no lock, nothing half written


def assert_told(outcome: Outcome, *parts: str) -> None:
    """Exit code 2 and one line, with one of ``parts``."""
    assert outcome.code == 2, f"{outcome.code}: {outcome.err}"
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.endswith("\n")
    assert any(part in outcome.err for part in parts), outcome.err


# Evolutions


def _past_generations(run: Path, before: bytes) -> bytes:
    """The generation of the last checkpoint; at most the one after it was begun, and both checkpoints are whole."""
    checkpoints = RunFolder.open(run).checkpoints
    generation = int(checkpoints.load()["search.counts"][0])
    assert generation >= int(before or 0)
    metrics = run / "metrics.jsonl"
    assert generation + 1 >= (metrics.read_bytes().count(b"\n") if metrics.exists() else 0)
    if checkpoints.previous.exists():
        assert int(checkpoints._read(checkpoints.previous)["search.counts"][0]) <= generation
    return str(generation).encode()


def _lost_elites(whole: Path, run: Path) -> int:
    ours = {name: content for name, content in tree(run).items() if name.startswith("elites")}
    lost = sum(
        len(content) for name, content in tree(whole).items() if name.startswith("elites") and ours.get(name) != content
    )
    for read in (checkpoint, history):
        found = read(run)
        for name, array in read(whole).items():
            if name not in found or not np.array_equal(found[name], array):
                lost += array.nbytes
    return lost


# Campaigns


def _past_outcomes(run: Path, before: bytes) -> bytes:
    """The whole lines of the outcomes: what was there is still there."""
    file = run / "outcomes.jsonl"
    content = file.read_bytes() if file.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    assert whole.startswith(before)
    return whole


def _lost_outcomes(whole: Path, run: Path) -> int:
    """Lines that are missing or there more than once, in bytes."""
    ours, theirs = Counter(outcome_lines(run)), Counter(outcome_lines(whole))
    return sum(len(line) for line in ((theirs - ours) + (ours - theirs)).elements())


def half_written(run: Path) -> bool:
    """Whether a temporary file or half a line lies in a folder."""
    if any(run.rglob(".*.tmp")):
        return True
    contents = [file.read_bytes() for file in run.glob("*.jsonl")]
    return any(content and not content.endswith(b"\n") for content in contents)


_DEVICE = ("--target", "digits", "--device", "cpu", "--precision", "float32")

EVOLVE = Command(
    "evolve",
    (*_DEVICE, "--encoding", "cppn", "--classes", "3,5", "--generations", "3", "--batch", "10"),
    ("config.json", "checkpoint/state.npz"),
    assert_same_run,
    _past_generations,
    _lost_elites,
)
ATTACK = Command(
    "attack",
    (*_DEVICE, "--count", "6", "--criterion", "2,8", "--queries", "50", "--export"),
    ("config.json", "images.npy", "images.jsonl"),
    assert_same_campaign,
    _past_outcomes,
    _lost_outcomes,
)
COMMANDS = {command.name: command for command in (EVOLVE, ATTACK)}


@dataclass(frozen=True)
class Undisturbed:
    """A folder of a command that nothing happened to, and the seconds it took."""

    folder: Path
    seconds: float


@dataclass
class Figures:
    """What came of many faults of a kind."""

    tried: int = 0
    survived: int = 0
    torn: int = 0
    """of those that were tried, how many left something half written"""
    bytes_lost: int = 0
    failures: list[str] = field(default_factory=list)
