"""The promise that every file from a stranger is held to, and a folder in which it can be broken."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from evofool.errors import EvofoolError

LONG = os.environ.get("EVOFOOL_LONG") == "1"
CASES = int(os.environ.get("EVOFOOL_CASES", 100_000 if LONG else 2_000))
"""Number of cases over all tests of this folder, about."""

SECONDS = 60.0
"""Longest time that one case may take; on an idle core the slowest takes one second."""

MEMORY = 1 << 30
"""Bytes of address space that one case may add."""

MAX_MESSAGE = 1500
"""Longest message of an error, in characters; a stranger's text is cut where it is quoted."""


class Fate(Enum):
    """What has to become of a case. A test tells it from the file alone, without evofool's help."""

    LOADS = "loads"
    """The file says what it said before: it must load."""
    MAY_LOAD = "may load"
    """The file says something else that can be. It may load, or be refused since other files don't fit it."""
    REFUSED = "refused"
    """The file is damaged, or says what can't be: it must be refused."""


@dataclass
class Count:
    """What became of the cases of a kind.

    Attributes:
        cases: How many there were.
        loaded: How many loaded.
        refused: How many were refused, by error of the family.
        failures: How many broke the promise, by exception, those of shrinking included.
        slowest: Seconds that the slowest took.
    """

    cases: int = 0
    loaded: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


figures: dict[str, Count] = {}

SILENT = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""Warnings that Python shows nobody by itself."""


class Hang(BaseException):
    """A case took longer than it may; nothing catches it on its way."""


def fuzz(share: float) -> Callable[[Any], Any]:
    """Give a test this share of all cases; the same ones every time, but for the long form."""
    return settings(
        max_examples=max(1, round(share * CASES)),
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


def tried(
    kind: str,
    action: Callable[[], object],
    fate: Fate,
    *parts: object,
    memory: int = MEMORY,
    seconds: float = SECONDS,
) -> str | None:
    """Check the promise: it loads or is refused as its fate wants, silently, in bounded time and memory.

    Args:
        kind: The kind of case, for the figures.
        action: What is done with the file.
        fate: What has to become of it.
        parts: One of these must be in the message of a refusal.
        memory: Bytes of address space that it may add.
        seconds: Longest time that it may take.

    Returns:
        The message; None where it loaded.
    """
    count = figures.setdefault(kind, Count())
    count.cases += 1
    started = time.monotonic()
    message = None
    try:
        with warnings.catch_warnings(record=True) as warned, time_limit(seconds), memory_limit(memory):
            warnings.simplefilter("always")
            try:
                action()
            except EvofoolError as error:
                message = str(error)
                count.refused[type(error).__name__] += 1
        assert_fate(message, fate, *parts)
        shown = [str(warning.message) for warning in warned if not issubclass(warning.category, SILENT)]
        assert not shown, f"a warning on standard error: {shown[0]}"
    except BaseException as error:
        count.failures[f"{type(error).__name__}: {error}"[:120]] += 1
        raise
    count.loaded += message is None
    count.slowest = max(count.slowest, time.monotonic() - started)
    return message


def assert_fate(message: str | None, fate: Fate, *parts: object) -> None:
    """Check that a case came out as it has to.

    Args:
        message: The message of its refusal; None where it loaded.
        fate: What had to become of it.
        parts: One of these must be in the message.
    """
    if message is None:
        assert fate is not Fate.REFUSED, "it loaded, and says what can't be"
        return
    assert fate is not Fate.LOADS, f"it says what it said before, and was refused: {message}"
    assert message.strip()
    assert "\n" not in message
    assert len(message) < MAX_MESSAGE, message
    assert not parts or any(str(part) in message for part in parts), f"{message!r} has none of {parts}"


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise :class:`Hang` in the block after so long; once more where the whole process was halted meanwhile."""
    started = time.monotonic()

    def stop(*_: object) -> None:
        nonlocal started
        if time.monotonic() - started > 1.5 * seconds:
            started = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, seconds)
            return
        raise Hang(f"still at work after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def memory_limit(more: int) -> Iterator[None]:
    """Let this process have so many bytes of address space more than it has."""
    statm = Path("/proc/self/statm")
    if not statm.exists():  # not on Linux
        yield
        return
    now = int(statm.read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class Sandbox:
    """A folder under attack, with what nobody may read or write beside it."""

    SECRET = "secret-that-nobody-may-read"

    def __init__(self, root: Path) -> None:
        self.root, self.inside, self.beside = root, root / "inside", root / "beside"
        self.beside.mkdir(parents=True)
        self.secret = self.beside / "secret.txt"
        self.secret.write_text(self.SECRET)
        self._before = _state(self.beside)
        self._kept: dict[Path, bytes] = {}
        self._stamps: dict[Path, Stamp] = {}

    def remember(self) -> None:
        """Remember what is inside, which :meth:`restore` brings back."""
        self._kept = {path: path.read_bytes() for path in self.inside.rglob("*") if path.is_file()}
        self._stamps = _state(self.inside)

    def restore(self) -> None:
        """Put back what a case changed inside."""
        now = _state(self.inside)
        if now == self._stamps:
            return
        for path in sorted(now.keys() - self._stamps.keys(), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        for path, content in self._kept.items():
            if now.get(path) != self._stamps[path]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)  # another name may be the same file
                path.write_bytes(content)
        self._stamps = _state(self.inside)

    def held(
        self, kind: str, file: str, content: bytes, action: Callable[[], object], fate: Fate, *parts: object
    ) -> str | None:
        """Put a stranger's content into a file, check the promise, and bring back what was there.

        A refusal leaves everything as it was, and whatever comes of it, nothing half written stays.

        Args:
            file: The file inside that gets the content.
            kind, action, fate, parts: See :func:`tried`.
        """
        (self.inside / file).write_bytes(content)
        before = _state(self.inside)
        try:
            message = tried(kind, action, fate, *parts)
            self.assert_untouched()
            after = _state(self.inside)
            assert [path.name for path in after if path.name.endswith(".tmp")] == []
            assert message is None or after == before, f"refused, and yet changed: {after.items() ^ before.items()}"
            return message
        finally:
            self.restore()

    def assert_untouched(self) -> None:
        """Check that nothing was written beside the folder."""
        assert _state(self.beside) == self._before
        assert {path.name for path in self.root.iterdir()} <= {"beside", "inside"}


Stamp = tuple[int, int, int]


def _state(folder: Path) -> dict[Path, Stamp]:
    """Return what is below a folder: node, size and time of change; of folders only that they are there."""
    stats = {path: path.lstat() for path in folder.rglob("*")}
    return {
        path: (0, 0, 0) if path.is_dir() else (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        for path, stat in stats.items()
    }


@contextlib.contextmanager
def instead(file: Path, content: bytes) -> Iterator[None]:
    """Give a file other content for the block."""
    before = file.read_bytes() if file.exists() else None
    file.write_bytes(content)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        if before is not None:
            file.write_bytes(before)
