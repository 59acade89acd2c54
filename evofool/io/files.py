"""Writing files so that a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import RunError

_TEMPORARY = re.compile(r"\..+\.(\d{1,9})\.[0-9a-f]{8}\.tmp")
"""The name of a temporary file; the group is the number of the process that writes it."""


def write_atomically(path: Path, content: bytes | str | Callable[[BinaryIO], object], *, durable: bool = True) -> None:
    """Write a temporary file, flush it to disk, then replace ``path`` with it.

    Args:
        path: The file.
        content: Its new content, or a function that writes it.
        durable: Wait until the disk has the file. False suits files that can be made again.

    Raises:
        OSError: The folder can't be written. The old file is untouched and nothing is left behind.
    """
    with _replacing(path) as temporary, open(temporary, "xb") as file:
        if callable(content):
            content(file)
        else:
            file.write(content.encode() if isinstance(content, str) else content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    if durable:
        _sync_folder(path.parent)


def copy_atomically(file: Path, path: Path) -> None:
    """Replace ``path`` with ``file``'s content in one step, by a hard link where the file system has them.

    Raises:
        OSError: The folder can't be written. The old file is untouched and nothing is left behind.
    """
    if path.exists() and path.samefile(file):
        return  # Both are names of one file already, and replacing one by the other would leave a temporary name.
    with _replacing(path) as temporary:
        try:
            os.link(file, temporary)
        except OSError:
            with open(file, "rb") as source, open(temporary, "xb") as copy:
                shutil.copyfileobj(source, copy)


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        OSError: It can't be read, or is a device, a pipe or a folder. The first two might have no end.
    """
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # Opening a folder is an error already.
        raise OSError(errno.EINVAL, "this is no regular file")
    return open(path, "rb")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failed write inside the block into a RunError that names the folder."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write to {path}: {error.strerror or error}; make room or choose another `out`"
        ) from error


def file_crc32(path: Path) -> str:
    """Return the CRC-32 of a file's bytes as eight hexadecimal digits.

    Raises:
        OSError: As :func:`open_regular`.
    """
    total = 0
    with open_regular(path) as file:
        while part := file.read(2**20):
            total = zlib.crc32(part, total)
    return f"{total:08x}"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_temporary(name: str) -> bool:
    """Return whether a file's name is one that :func:`write_atomically` gives to temporary files."""
    return _TEMPORARY.fullmatch(name) is not None


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that ended processes left in a folder and below it.

    Files that can't be removed stay and do no harm. Whatever is wrong with the folder is reported by the next write.
    """
    with suppress(OSError):  # The folder may be removed meanwhile.
        for file in folder.rglob(".*.tmp"):
            owner = _TEMPORARY.fullmatch(file.name)
            if owner and not _is_alive(int(owner[1])):
                with suppress(OSError):
                    file.unlink()


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name for a file that then replaces ``path``, or is removed after an error.

    The name can't be guessed and the file has to be created with mode ``x``: a link of that name, planted in a
    stranger's folder, must not be followed.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Wait until the disk has a replacement, where the system lets folders be opened and synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_alive(process: int) -> bool:
    """Return whether a process may be about to replace a file with a temporary one."""
    if process == os.getpid():
        return False  # The number was given out again: this process writes one file after the other.
    if os.name == "nt":  # os.kill would end it; a file that it has open can't be removed anyway.
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
