"""Jobs in forked processes that may die at any moment, and what has to be left of them.

The processes are forked, since importing torch once more takes longer than everything that these jobs do.
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
from functools import partial
from pathlib import Path

import numpy as np
from campaigns import assert_same_campaign, outcome_lines
from counting import CountingKind, count
from runs import CommandResult, assert_same_run, checkpoint, history, tree

from evofool.cli import app as cli
from evofool.errors import EvofoolError
from evofool.jobs import run as run_job
from evofool.jobs import session
from evofool.store.checkpoint import Checkpoints
from evofool.store.history import folder as history_folder
from evofool.store.run import RunFolder

Action = Callable[[], object]


def nothing() -> None:
    """Do nothing."""


def eager() -> None:
    """Write checkpoints and pages after every step, elites one by one, so that most of the time goes into writing.

    No operation then depends on the clock.
    """
    session.CHECKPOINT_SECONDS = session.PAGE_SECONDS = -1.0
    session.CHECKPOINT_SHARE = session.PAGE_SHARE = 1e9
    run_job.DECODED_PIXELS = 1
    history_folder.LIMITS = history_folder.Limits(small_files=3)


def evofool(*words: object) -> None:
    """Run the command line with these arguments."""
    sys.argv = ["evofool", *map(str, words)]
    cli.main()


class Child:
    """A process of its own that does something, and ends as the command line does.

    Args:
        action: What it does.
        prepare: Called in the process before that.
    """

    def __init__(self, action: Action, prepare: Action = nothing) -> None:
        self._streams = [tempfile.TemporaryFile() for _ in range(2)]  # noqa: SIM115
        ready, report = os.pipe()
        self.number = os.fork()
        if not self.number:
            self._become(action, prepare, report)
        os.close(report)
        os.read(ready, 1)
        os.close(ready)

    def stop(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.number, number)

    def wait_until_halted(self) -> None:
        """Wait until the process halts itself, which it must do before it ends."""
        status = os.waitpid(self.number, os.WUNTRACED)[1]
        assert os.WIFSTOPPED(status), f"it ended with {os.waitstatus_to_exitcode(status)}"

    def end(self) -> CommandResult:
        """Wait for the process; the code is minus the signal's number where one ended it."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1])
        texts = []
        for stream in self._streams:
            with stream:
                stream.seek(0)
                texts.append(stream.read().decode())
        return CommandResult(code, *texts)

    def _become(self, action: Action, prepare: Action, report: int) -> None:
        code = 99
        try:
            for number, stream in enumerate(self._streams, 1):
                os.dup2(stream.fileno(), number)
            sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            eager()
            prepare()
            os.close(report)
            action()
            code = 0
        except SystemExit as stopped:
            code = stopped.code if isinstance(stopped.code, int) else 98
        except EvofoolError as error:
            print(f"error: {error}", file=sys.stderr)
            code = 2
        except KeyboardInterrupt:
            code = 130  # It came before the command line took it up.
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


@dataclass(frozen=True)
class Command:
    """How a kind of job begins in a folder, and what its folder must hold.

    Attributes:
        name: The kind's name in these tests.
        begin: Begins such a job in a new folder.
        begins: The files without which its folder can't go on yet.
        same: Raises AssertionError where two folders don't hold the same.
        past: Returns what is safe in a folder that was left at any moment, given what it returned before; raises
            AssertionError where that is less than it was.
        lost: Returns how many bytes of a whole folder another one lacks.
    """

    name: str
    begin: Callable[[Path], object]
    begins: tuple[str, ...]
    same: Callable[[Path, Path], None]
    past: Callable[[Path, bytes], bytes]
    lost: Callable[[Path, Path], int]

    def act(self, run: Path) -> None:
        """Begin the job in a folder, or go on with it."""
        evofool("resume", run, "--quiet") if self.begun(run) else self.begin(run)

    def start(self, run: Path, prepare: Action = nothing) -> Child:
        """Begin the job, or go on with it, in a process of its own."""
        return Child(partial(self.act, run), prepare)

    def begun(self, run: Path) -> bool:
        """Return whether a folder can go on."""
        return all((run / file).exists() for file in self.begins)

    def clear(self, run: Path) -> None:
        """Check that a folder that has not begun says itself that it can't go on; the same command begins it again."""
        if run.exists() and not self.begun(run):
            assert_error(Child(partial(evofool, "resume", run)).end(), f"no job at {run}", "start it again")

    def finish(self, run: Path, undisturbed: Path) -> None:
        """Go on to the end, which has to be that of an undisturbed job."""
        self.clear(run)
        outcome = self.start(run).end()
        assert (outcome.code, outcome.out, outcome.err) == (0, "", ""), outcome
        self.same(run, undisturbed)
        assert [file.name for file in run.rglob(".*")] == []  # no lock, nothing half written


def assert_error(outcome: CommandResult, *parts: str) -> None:
    """Check for exit code 2 and one line, with one of ``parts``."""
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
        assert int(_load_previous(checkpoints, run)["search.counts"][0]) <= generation
    return str(generation).encode()


def _load_previous(checkpoints: Checkpoints, run: Path) -> dict[str, np.ndarray]:
    """The checkpoint before the last one, as a folder has it that lacks the last one."""
    with tempfile.TemporaryDirectory() as folder:
        alone = Checkpoints(Path(folder), RunFolder.open(run).config.digest())
        alone.last.parent.mkdir()
        alone.last.write_bytes(checkpoints.previous.read_bytes())
        return alone.load()


def _lost_elites(whole: Path, run: Path) -> int:
    lost = _lost_files({name: content for name, content in tree(whole).items() if name.startswith("elites")}, run)
    for read in (checkpoint, history):
        arrays = read(run)
        for name, array in read(whole).items():
            if name not in arrays or not np.array_equal(arrays[name], array):
                lost += array.nbytes
    return lost


def _lost_files(whole: dict[str, bytes], run: Path) -> int:
    files = tree(run)
    return sum(len(content) for name, content in whole.items() if files.get(name) != content)


# Campaigns


def _past_outcomes(run: Path, before: bytes) -> bytes:
    """The whole lines of the outcomes: what was there is still there."""
    file = run / "outcomes.jsonl"
    content = file.read_bytes() if file.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    assert whole.startswith(before)
    return whole


def _lost_outcomes(whole: Path, run: Path) -> int:
    """How many bytes are in lines that are missing or there more than once."""
    ours, theirs = Counter(outcome_lines(run)), Counter(outcome_lines(whole))
    return sum(len(line) for line in ((theirs - ours) + (ours - theirs)).elements())


# Counting


def _past_numbers(run: Path, before: bytes) -> bytes:
    """How many numbers the last checkpoint has; all of them have a line, and at most one more has."""
    checkpoints = Checkpoints(run, CountingKind().open(run).digest())
    drawn = int(checkpoints.load()["counts"][0])
    assert drawn >= int(before or 0)
    lines = run / "numbers.jsonl"
    assert drawn <= (lines.read_bytes().count(b"\n") if lines.exists() else 0) <= drawn + 1
    return str(drawn).encode()


def _assert_same_files(ours: Path, theirs: Path) -> None:
    assert tree(ours) == tree(theirs)


def half_written(run: Path) -> bool:
    """Return whether a temporary file or half a line lies in a folder."""
    if any(run.rglob(".*.tmp")):
        return True
    contents = [file.read_bytes() for file in run.glob("*.jsonl")]
    return any(content and not content.endswith(b"\n") for content in contents)


_DEVICE = ("--target", "digits", "--device", "cpu", "--precision", "float32")
_EVOLVE = (*_DEVICE, "--encoding", "cppn", "--classes", "3,5", "--generations", "3", "--batch", "10", "--quiet")
_ATTACK = (*_DEVICE, "--count", "6", "--criterion", "2,8", "--queries", "50", "--export", "--quiet")

EVOLVE = Command(
    "evolve",
    lambda run: evofool("evolve", *_EVOLVE, "--out", run),
    ("config.json", "checkpoint/state.npz"),
    assert_same_run,
    _past_generations,
    _lost_elites,
)
ATTACK = Command(
    "attack",
    lambda run: evofool("attack", *_ATTACK, "--out", run),
    ("config.json", "images.npy", "images.jsonl"),
    assert_same_campaign,
    _past_outcomes,
    _lost_outcomes,
)
COUNT = Command(
    "count",
    count,
    ("config.json", "checkpoint/state.npz"),
    _assert_same_files,
    _past_numbers,
    lambda whole, run: _lost_files(tree(whole), run),
)
COMMANDS = {command.name: command for command in (EVOLVE, ATTACK, COUNT)}


@dataclass(frozen=True)
class Undisturbed:
    """A folder of a job that nothing happened to.

    Attributes:
        folder: The folder.
        seconds: How long the job took.
        operations: What it did with files.
    """

    folder: Path
    seconds: float
    operations: list[str]


@dataclass
class Figures:
    """What came of many faults of a kind.

    Attributes:
        tried: How many there were.
        survived: After how many the job ended as an undisturbed one.
        torn: How many left something half written.
        bytes_lost: Bytes that the folders lacked in the end.
        failures: What went wrong.
    """

    tried: int = 0
    survived: int = 0
    torn: int = 0
    bytes_lost: int = 0
    failures: list[str] = field(default_factory=list)
