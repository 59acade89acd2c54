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


def write_atomically(path: Path, content: bytes | str | Callable[[BinaryIO], object], *, durable: bool = True) -> None:
    """Write ``content`` (or let it write) to a temporary file, flush it to disk, then replace ``path``.

    Args:
        path: the file.
        content: what it shall hold.
        durable: wait until the disk has it; False for files that can be made again.

    Raises:
        OSError: the folder cannot be written; the old file is untouched and nothing is left behind.
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
    """Let ``path`` be what ``file`` is: by a link where the file system has links, and with one replacement.

    Raises:
        OSError: the folder cannot be written; the old file is untouched and nothing is left behind.
    """
    if path.exists() and path.samefile(file):
        return  # a second name already; a name that is put in another's place when both are one file stays
    with _replacing(path) as temporary:
        try:
            os.link(file, temporary)
        except OSError:
            with open(file, "rb") as source, open(temporary, "xb") as copy:
                shutil.copyfileobj(source, copy)


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        OSError: it can't be read, or is a device, a pipe or a folder, which might have no end.
    """
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # to open a folder is an error already
        raise OSError(errno.EINVAL, "this is no regular file")
    return open(path, "rb")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns a failed write into a RunError that names the folder."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write to {path}: {error.strerror or error}; make room or choose another --out"
        ) from error


def file_crc32(path: Path) -> str:
    """The CRC-32 of a file's bytes, as eight digits.

    Raises:
        OSError: as :func:`open_regular`.
    """
    total = 0
    with open_regular(path) as file:
        while part := file.read(2**20):
            total = zlib.crc32(part, total)
    return f"{total:08x}"


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files, in a folder and those inside, of processes that are gone.

    Where that fails they stay, and do no harm: what is wrong with the folder is told by what writes to it next.
    """
    with suppress(OSError):  # the folder may be removed meanwhile
        for file in folder.rglob(".*.tmp"):
            owner = _TEMPORARY.fullmatch(file.name)
            if owner and not _alive(int(owner[1])):
                with suppress(OSError):
                    file.unlink()


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_TEMPORARY = re.compile(r"\..+\.(\d{1,9})\.[0-9a-f]{8}\.tmp")


def is_temporary(name: str) -> bool:
    """Whether it is the name of a file that was to take another one's place."""
    return _TEMPORARY.fullmatch(name) is not None


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary name of this process, for a file that then takes the place of ``path``, or is removed.

    It can't be guessed, and is to be made with mode ``x``: a link that a stranger's folder has under that name must not
    be followed.
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
    """Wait until the disk knows a replacement; where folders can't be opened or synced, it happens when it happens."""
    with suppress(OSError):
        place = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)


def _alive(process: int) -> bool:
    if process == os.getpid():
        return False  # a number that was given out again: this process writes one file after the other
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
