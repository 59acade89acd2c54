"""One process at a time on a folder, by a lock that ends with its owner.

The lock is ``flock`` on the file ``.lock`` in the folder. The kernel releases it however the process ends. NFS 4 and
SMB carry it between machines. On file systems without such locks the file itself is the claim, a lease: its owner
touches it every ``TOUCH_INTERVAL`` seconds, and a claim that was not touched for ``LEASE_DURATION`` seconds is void. A
process that was suspended for longer than that may find that another has gone on in its place.

filelock 4.3 leaves ``.lock`` behind, takes a pipe in its place for a lock, doesn't name the owner, and fails on file
systems that answer ENOLCK or ENOTSUP, so this is our own.
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
except ImportError:  # Windows has none.
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
"""The name of the file that a process holds while it works on a folder."""

TOUCH_INTERVAL = 10.0
"""Seconds between two touches of a lease."""

LEASE_DURATION = 60.0
"""Seconds without a touch after which a lease is void; several touches may be missed on a busy machine."""

SETTLING_TIME = 0.2
"""Seconds in which several processes that take over a void lease at once replace each other's claims."""

RETRY_INTERVAL = 0.02
"""Seconds between the two attempts to lock a folder."""

_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
"""The errors of ``flock`` on a file system without locks."""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a folder for as long as the block runs.

    Raises:
        RunError: Another process works on the folder, or it can't be written.
    """
    file = path / LOCK
    with writing(path):
        release = _flock(file) or _lease(file)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            release()


def is_held(path: Path) -> bool:
    """Return whether a process works on a folder. Nothing is written."""
    try:
        descriptor = os.open(path / LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # Nobody does, or the file is none of ours.
        return False
    with os.fdopen(descriptor) as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            except OSError:  # There are no locks here, and the file is a lease.
                pass
            else:
                return False  # Its owner was killed.
        return time.time() - os.fstat(file.fileno()).st_mtime < LEASE_DURATION


def _flock(file: Path) -> Callable[[], None] | None:
    """Lock a file and return the function that releases it, or None on a file system without locks."""
    if fcntl is None:
        return None
    attempts_left = 2
    while True:
        descriptor, created = _open(file)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same_file(descriptor, file):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, _claim().encode())
                return lambda: _release(file, descriptor)
        except BlockingIOError as error:
            os.close(descriptor)
            if attempts_left := attempts_left - 1:  # Whoever asks whether it is held holds it for a moment.
                time.sleep(RETRY_INTERVAL)
                continue
            raise _taken(file) from error
        except OSError as error:
            if created:
                with contextlib.suppress(OSError):
                    file.unlink()
            os.close(descriptor)
            if error.errno in _NO_LOCKS:
                return None
            raise
        os.close(descriptor)


def _open(file: Path) -> tuple[int, bool]:
    """Open or create the lock file, without following a link; return its descriptor and whether it was created."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    while True:
        with contextlib.suppress(FileExistsError):
            return os.open(file, flags | os.O_CREAT | os.O_EXCL, 0o644), True
        with contextlib.suppress(FileNotFoundError):  # Its owner has removed it meanwhile.
            descriptor = os.open(file, flags)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise RunError(f"{file} is no regular file; remove it")
            return descriptor, False


def _release(file: Path, descriptor: int) -> None:
    try:
        if _is_same_file(descriptor, file):  # The folder may have been removed, and made again by another process.
            file.unlink()  # It is still locked: whoever has opened it meanwhile finds that its name is gone.
    finally:
        os.close(descriptor)


def _is_same_file(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(file))
    except FileNotFoundError:
        return False


def _lease(file: Path) -> Callable[[], None]:
    """Claim a folder on a file system without locks and return the function that releases it."""
    token = uuid.uuid4().hex
    claim = file.with_name(f"{LOCK}.{token}")
    claim.write_text(_claim(token))
    try:
        try:
            os.close(os.open(file, os.O_CREAT | os.O_EXCL))
        except FileExistsError as error:
            os.utime(claim)  # Both times are then the file system's own.
            if os.stat(claim).st_mtime - os.stat(file).st_mtime < LEASE_DURATION:
                raise _taken(file) from error
        os.replace(claim, file)
        time.sleep(SETTLING_TIME)
        if token not in file.read_text():  # Of several processes that find a void claim at once, the last has it.
            raise _taken(file)
    finally:
        claim.unlink(missing_ok=True)
    released = threading.Event()

    def if_still_ours(act: Callable[[Path], None]) -> None:
        if token in file.read_text():  # A claim that became void may be another process's by now.
            act(file)

    def touch() -> None:
        while not released.wait(TOUCH_INTERVAL):
            with contextlib.suppress(OSError):
                if_still_ours(os.utime)

    def release() -> None:
        released.set()
        if_still_ours(Path.unlink)

    threading.Thread(target=touch, daemon=True).start()
    return release


def _claim(token: str = "") -> str:
    """Return the content of a lock file, which tells others who holds the folder."""
    claim = {"process": os.getpid(), "host": platform.node(), "since": time.strftime("%Y-%m-%d %H:%M:%S"), "id": token}
    return json.dumps(claim) + "\n"


def _taken(file: Path) -> RunError:
    try:
        claim = json.loads(file.read_text())
        owner = f" ({claim['process']} on {claim['host']}, since {claim['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        owner = ""
    return RunError(f"another process{owner} is at work on {file.parent}; wait until it ends, or stop it")
