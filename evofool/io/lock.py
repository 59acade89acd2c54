"""One process at a time on a folder, by a lock that ends with its owner.

The lock is ``flock`` on the file ``.lock`` in the folder: the kernel lets go of it however the process ends, and NFS 4
and SMB carry it between machines. Where a file system knows no such lock, the file itself is the claim: its owner
touches it every ``TOUCH`` seconds, and a claim that was not touched for ``LEASE`` seconds is void. A process that
was suspended for longer than that may then find that another has gone on in its place.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import stat
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import RunError
from .files import writing

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
"""The file that the process at work on a folder holds."""

TOUCH, LEASE = 10.0, 60.0
"""seconds"""

_UNKNOWN = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
"""what a file system without locks answers"""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a folder for as long as the block runs.

    Raises:
        RunError: another process works on it, or it can't be written.
    """
    file = path / LOCK
    with writing(path):
        release = _flock(file) or _lease(file)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            release()


def _flock(file: Path) -> Callable[[], None] | None:
    """Lock the file; returns what lets go of it, None where there are no such locks."""
    if fcntl is None:
        return None
    while True:
        held, made = _opened(file)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same(held, file):
                os.ftruncate(held, 0)
                os.write(held, _owner().encode())
                return lambda: _let_go(file, held)
        except BlockingIOError as error:
            os.close(held)
            raise _taken(file) from error
        except OSError as error:
            if made:
                with contextlib.suppress(OSError):
                    file.unlink()
            os.close(held)
            if error.errno in _UNKNOWN:
                return None
            raise
        os.close(held)


def _opened(file: Path) -> tuple[int, bool]:
    """The file, never one elsewhere that it links to; and whether it was made just now."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    while True:
        with contextlib.suppress(FileExistsError):
            return os.open(file, flags | os.O_CREAT | os.O_EXCL, 0o644), True
        with contextlib.suppress(FileNotFoundError):  # it was given back meanwhile
            held = os.open(file, flags)
            if not stat.S_ISREG(os.fstat(held).st_mode):
                os.close(held)
                raise RunError(f"{file} is no regular file; remove it")
            return held, False


def _let_go(file: Path, held: int) -> None:
    try:
        if _same(held, file):  # the folder may have been removed, and made again by another process
            file.unlink()  # while it is held: whoever opened it meanwhile finds that it is gone
    finally:
        os.close(held)


def _same(held: int, file: Path) -> bool:
    """Whether the file is still there under its name."""
    try:
        return os.path.samestat(os.fstat(held), os.stat(file))
    except FileNotFoundError:
        return False


def _lease(file: Path) -> Callable[[], None]:
    """Claim the file where there are no locks; returns what gives it back."""
    token = uuid.uuid4().hex
    mine = file.with_name(f"{LOCK}.{token}")
    mine.write_text(_owner(token))
    try:
        try:
            os.close(os.open(file, os.O_CREAT | os.O_EXCL))
        except FileExistsError as error:
            os.utime(mine)  # so that both times are the file system's own
            if os.stat(mine).st_mtime - os.stat(file).st_mtime < LEASE:
                raise _taken(file) from error
        os.replace(mine, file)
        time.sleep(0.2)
        if token not in file.read_text():  # of several that find a void claim at once, the last one has it
            raise _taken(file)
    finally:
        mine.unlink(missing_ok=True)
    done = threading.Event()

    def if_mine(act: Callable[[Path], None]) -> None:
        if token in file.read_text():  # a claim that became void may be another process's by now
            act(file)

    def touch() -> None:
        while not done.wait(TOUCH):
            with contextlib.suppress(OSError):
                if_mine(os.utime)

    def give_back() -> None:
        done.set()
        if_mine(Path.unlink)

    threading.Thread(target=touch, daemon=True).start()
    return give_back


def _owner(token: str = "") -> str:
    claim = {"process": os.getpid(), "host": platform.node(), "since": time.strftime("%Y-%m-%d %H:%M:%S"), "id": token}
    return json.dumps(claim) + "\n"


def _taken(file: Path) -> RunError:
    try:
        claim = json.loads(file.read_text())
        whose = f" ({claim['process']} on {claim['host']}, since {claim['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        whose = ""
    return RunError(f"another process{whose} is at work on {file.parent}; wait until it ends, or stop it")
