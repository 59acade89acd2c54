"""What strangers may send: damaged bytes, JSON that lies; and the promise that every case of it is held to."""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from evofool.errors import EvofoolError

LONG = os.environ.get("EVOFOOL_LONG") == "1"
CASES = int(os.environ.get("EVOFOOL_CASES", 100_000 if LONG else 2_000))
"""over all tests of this folder, about"""
SECONDS = 60.0
"""that one case may take; on an idle core the slowest takes one"""
MEMORY = 1 << 30
"""bytes of address space that one case may add"""


@dataclass
class Count:
    """What became of the cases of a kind."""

    cases: int = 0
    loaded: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """by error of the family"""
    failures: Counter[str] = field(default_factory=Counter)
    """by exception, those of shrinking too"""
    slowest: float = 0.0


figures: dict[str, Count] = {}


SILENT = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""warnings that Python shows nobody by itself"""


class Hang(BaseException):
    """A case took longer than it may; nothing catches it on its way."""


def fuzz(share: float) -> Callable[[Any], Any]:
    """A test that gets this share of all cases; the same ones every time, but for the long form."""
    return settings(
        max_examples=max(1, round(share * CASES)),
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


def tried(kind: str, action: Callable[[], object], *, memory: int = MEMORY, seconds: float = SECONDS) -> str | None:
    """The promise: it loads, or raises an error of the family that says something, in bounded time and memory.

    Returns:
        what was told; None where it loaded.
    """
    count = figures.setdefault(kind, Count())
    count.cases += 1
    started = time.monotonic()
    told = None
    try:
        with warnings.catch_warnings(record=True) as warned, time_limit(seconds), memory_limit(memory):
            warnings.simplefilter("always")
            try:
                action()
            except EvofoolError as error:
                told = " ".join(str(error).split())
                count.refused[type(error).__name__] += 1
        assert told != "", "the error says nothing"
        shown = [str(one.message) for one in warned if not issubclass(one.category, SILENT)]
        assert not shown, f"a warning on standard error: {shown[0]}"
    except BaseException as error:
        count.failures[f"{type(error).__name__}: {error}"[:120]] += 1
        raise
    count.loaded += told is None
    count.slowest = max(count.slowest, time.monotonic() - started)
    return told


def refused(action: Callable[[], object]) -> str:
    """Like :func:`tried`, for what must be refused and isn't known to be."""
    with warnings.catch_warnings(action="error"), time_limit(SECONDS), memory_limit(MEMORY):
        return _told(action)


def _told(action: Callable[[], object]) -> str:
    with pytest.raises(EvofoolError) as caught:
        action()
    return str(caught.value)


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
        """What is inside now is what :meth:`restore` brings back."""
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

    def assert_untouched(self) -> None:
        """Nothing was written beside the folder."""
        assert _state(self.beside) == self._before
        assert {path.name for path in self.root.iterdir()} <= {"beside", "inside"}


Stamp = tuple[int, int, int]


def _state(folder: Path) -> dict[Path, Stamp]:
    """What is below a folder: node, size and time of change (of folders, but that they are there)."""
    found = {path: path.lstat() for path in folder.rglob("*")}
    return {
        path: (0, 0, 0) if path.is_dir() else (about.st_ino, about.st_size, about.st_mtime_ns)
        for path, about in found.items()
    }


@contextlib.contextmanager
def instead(file: Path, content: bytes) -> Iterator[None]:
    """A file with other content, and afterwards as it was."""
    before = file.read_bytes() if file.exists() else None
    file.write_bytes(content)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        if before is not None:
            file.write_bytes(before)


# Bytes


@st.composite
def damaged(draw: Any, sample: bytes, most: int = 4) -> bytes:
    """A file with some of its bytes flipped, cut, put in, taken out or put elsewhere."""
    data = bytearray(sample)
    for _ in range(draw(st.integers(1, most))):
        size = len(data)
        at = draw(st.integers(0, max(0, size - 1)))
        how = draw(st.sampled_from(["flip", "byte", "word", "cut", "out", "in", "splice", "head"]))
        if how == "flip" and size:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "byte" and size:
            data[at] = draw(st.sampled_from([0, 1, 0x20, 0x7F, 0x80, 0xFF]))
        elif how == "word" and size:
            width = draw(st.sampled_from([2, 4, 8]))
            value = draw(st.sampled_from([0, 1, 2**7, 2**15, 2**31, 2**63, -1]))
            order = draw(st.sampled_from(["little", "big"]))
            data[at : at + width] = (value % 2 ** (8 * width)).to_bytes(width, order)
        elif how == "cut":
            del data[at:]
        elif how == "out":
            del data[at : at + draw(st.integers(1, 64))]
        elif how == "in":
            data[at:at] = draw(st.binary(max_size=32))
        elif how == "splice":
            start = draw(st.integers(0, max(0, size - 1)))
            data[at:at] = data[start : start + draw(st.integers(1, 256))]
        elif how == "head" and size:
            data[draw(st.integers(0, min(63, size - 1)))] = draw(st.integers(0, 255))
    return bytes(data)


# JSON

RAW = {
    "@1e999@": "1e999",
    "@digits@": "9" * 5000,
    "@deep@": "[" * 20_000 + "]" * 20_000,
    "@nested@": '{"a":' * 900 + "1" + "}" * 900,
}
"""text that stands in a file where its key stands in a tree"""

WORDS = (
    "", " ", "x", "cat", "0", "-1", "NaN", "all", "nul\0byte", "line\nbreak", "\ud800", "\x1b[31mred", "a" * 5000,
    "..", "../beside/secret.txt", "../../../../etc/passwd", "/etc/passwd", "/dev/zero", "~", ".", "elites",
    "<script>alert(1)</script>", "</script><b>", "&amp;", "=1+1", "猫", "\u202e", "%s", "{0}", "digits", "cppn",
    "direct", "random", "untargeted",
)  # fmt: skip

NUMBERS = (
    0, 1, -1, 2, 3, 7, 255, 256, 2**15, 2**31, 2**53 + 1, 2**62, 2**63, 2**64, -(2**63), 10**30, 10**400, 0.5, -0.0,
    1.0, 1.5, 1e-320, 1e39, 1e308, -1e308, math.nan, math.inf, -math.inf,
)  # fmt: skip

values = st.one_of(
    st.sampled_from([None, True, False, [], {}, [[]], [None], {"a": None}, *RAW]),
    st.sampled_from(NUMBERS),
    st.sampled_from(WORDS),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.sampled_from([*NUMBERS, *WORDS, None]), max_size=5),
)


def places(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a tree has values: paths of keys and indices."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*at, key)
        yield from places(value, (*at, key))


@st.composite
def lying(draw: Any, tree: Any, most: int = 3) -> Any:
    """A JSON tree with some of its values replaced, taken out, doubled, swapped or added."""
    tree = json.loads(json.dumps(tree))
    for _ in range(draw(st.integers(1, most))):
        found = list(places(tree))
        if not found:
            break
        path = found[draw(st.integers(0, len(found) - 1))]
        holder = tree
        for key in path[:-1]:
            holder = holder[key]
        key = path[-1]
        how = draw(st.sampled_from(["replace", "replace", "replace", "out", "double", "swap", "add"]))
        if how == "replace":
            holder[key] = deepcopy(draw(values))
        elif how == "out":
            del holder[key]
        elif how == "double":
            times = draw(st.sampled_from([1, 1, 3, 300]))
            if isinstance(holder, list):
                holder[key:key] = [holder[key]] * times
            else:
                holder[key] = [holder[key]] * times
        elif how == "swap":
            other = found[draw(st.integers(0, len(found) - 1))]
            value = tree
            for step in other:
                value = value[step]
            holder[key] = json.loads(json.dumps(value))
        elif isinstance(holder, dict):
            holder[draw(st.sampled_from([*WORDS, "format", "name", "file", "genome", "own"]))] = deepcopy(draw(values))
    return tree


def written(tree: Any) -> bytes:
    """A tree as the bytes of a file, with numbers and depths that no writer of JSON would write."""
    text = json.dumps(tree)
    for mark, raw in RAW.items():
        text = text.replace(f'"{mark}"', raw)
    return text.encode()


@st.composite
def json_files(draw: Any, tree: Any) -> bytes:
    """A JSON file that lies, or is damaged, or says a thing twice."""
    how = draw(st.sampled_from(["lies", "lies", "lies", "damaged", "twice"]))
    if how == "damaged":
        return bytes(draw(damaged(written(tree))))
    if how == "twice" and isinstance(tree, dict) and tree:
        key = draw(st.sampled_from(sorted(tree)))
        return written(tree)[:-1] + b", " + json.dumps(key).encode() + b": " + written(draw(values)) + b"}"
    return written(draw(lying(tree)))


@st.composite
def line_files(draw: Any, lines: Sequence[dict[str, Any]]) -> bytes:
    """A file of JSON lines of which some lie, or lack, or stand twice."""
    found = [written(line) for line in lines]
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(found) - 1)) if found else 0
        how = draw(st.sampled_from(["lies", "lies", "lies", "lies", "out", "twice", "swap", "damaged"]))
        if how == "lies" and found:
            found[at] = written(draw(lying(lines[min(at, len(lines) - 1)])))
        elif how == "out":
            del found[at : at + 1]
        elif how == "twice":
            found[at:at] = found[at : at + 1]
        elif how == "swap" and found:
            found[at], found[0] = found[0], found[at]
        elif how == "damaged":
            return bytes(draw(damaged(b"".join(line + b"\n" for line in found))))
    return b"".join(line + b"\n" for line in found)
