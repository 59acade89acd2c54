"""Every operation on files of a process, counted, so that one of them, or all from one on, can fail."""

from __future__ import annotations

import builtins
import errno
import io
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

CALLS = (
    "replace", "rename", "link", "unlink", "remove", "mkdir", "rmdir", "fsync", "ftruncate", "truncate", "utime",
    "write", "sendfile",
)  # fmt: skip
"""Functions of the module os that change files, besides open."""

ROOM = {"create", "write", "mkdir", "link", "fsync", "sendfile"}
"""What a full disk refuses."""

KINDS = ("death", "full", "read-only", "removed", "full once")
"""The kinds of faults that a job has to survive."""


class Faults:
    """Counts the operations of this process on files, and does what is to be done when one of them is due.

    Args:
        log: The file that gets a line for each operation: ``create``, ``write`` …
        at: The number of the operation that fails; 0: none does.
        kind: ``death``: the process is killed before it, in the middle of a write; ``halt``: the process is halted
            before it; ``full``: from then on there is no room; ``full once``: only then; ``read-only``: from then on
            nothing can be changed; ``removed``: before it, the folder ``run`` is renamed.
        run: The folder.
    """

    def __init__(self, log: Path, at: int = 0, kind: str = "", run: Path | None = None) -> None:
        self.at, self.kind, self.run, self.count = at, kind, run, 0
        self._halved = False
        self._path, self._log = log, os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._write, self._rename = os.write, os.rename

    def install(self) -> None:
        """Watch all operations from now on, in a process that ends soon."""
        for name in CALLS:
            setattr(os, name, self._watched(name, getattr(os, name)))
        self._open_number, os.open = os.open, self._os_open  # type: ignore[assignment]
        self._open_file = io.open
        builtins.open = io.open = self._open  # type: ignore[assignment]

    def reached(self) -> bool:
        """Return whether a process that installed this came to the operation that fails."""
        return len(operations(self._path)) >= self.at

    def meet(self, name: str, half: Callable[[], int] | None = None) -> int | None:
        """Note an operation that is about to happen, and let it fail where it has to.

        Args:
            name: What it is.
            half: Does half of a write, as a disk does that becomes full or a process that is killed.

        Returns:
            How many bytes were written already, where that was only half; the next operation fails then. None: the
            operation has to be done.

        Raises:
            OSError: It fails.
        """
        self.count += 1
        self._write(self._log, f"{name}\n".encode())
        if not self.at or self.count < self.at:
            return None
        first = self.count == self.at
        if self.kind == "removed":
            if first and self.run and self.run.exists():
                self._rename(self.run, away(self.run))
            return None
        if self.kind == "halt":
            if first:
                os.kill(os.getpid(), signal.SIGSTOP)
            return None
        if self.kind == "read-only":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        if self.kind == "death":
            if half:
                half()
            os.kill(os.getpid(), signal.SIGKILL)
        if name not in ROOM or (self.kind == "full once" and not first):
            return None
        if half and first and not self._halved:
            self._halved = True
            self.at += self.kind == "full once"
            return half()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _watched(self, name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            self.meet(name)
            return plain(*args, **options)

        return call

    def _os_open(self, path: Any, flags: int, *args: Any, **options: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            self.meet("open" if os.path.exists(path) else "create")
        return self._open_number(path, flags, *args, **options)

    def _open(self, file: Any, mode: str = "r", *args: Any, opener: Any = None, **options: Any) -> Any:
        if not set(mode) & set("wax+") or isinstance(file, int):
            return self._open_file(file, mode, *args, opener=opener, **options)
        self.meet("open" if os.path.exists(file) else "create")
        raw = _File(self, file, mode.replace("b", "").replace("t", ""), opener)
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, *args[1:], **options)


class _File(io.FileIO):
    def __init__(self, faults: Faults, file: Any, mode: str, opener: Any) -> None:
        super().__init__(file, mode, opener=opener)
        self._faults = faults

    def write(self, content: Any) -> int:
        content = memoryview(content).cast("B")
        plain = super().write
        done = self._faults.meet("write", lambda: plain(content[: (len(content) + 1) // 2]))
        return plain(content) if done is None else done

    def truncate(self, size: int | None = None) -> int:
        self._faults.meet("truncate")
        return super().truncate(size)


def away(run: Path) -> Path:
    """Return what a folder is called once it was removed."""
    return run.with_name(f"{run.name} away")


def operations(log: Path) -> list[str]:
    """Return the operations that a process did."""
    return log.read_text().split()
