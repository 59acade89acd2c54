"""JSON lines: appended, sealed with check sums, and read so that a torn last line loses nothing else."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import RunError
from .files import open_regular, writing

MAX_LINE = 2**24
"""bytes of a line of JSON, of a config, or of what was tuned; a longer one is damaged"""

SEAL = "crc32"
"""the last value of a sealed line; it is of the line without it"""

_SEALED = re.compile(rb'(.*), "crc32": "([0-9a-f]{8})"\}\n')


def json_line(record: dict[str, Any]) -> str:
    """A line that :func:`append_lines` and the readers know; ASCII, so that no cut can fall inside a letter."""
    return json.dumps(record) + "\n"


def sealed_line(record: dict[str, Any], key: bytes) -> str:
    """A :func:`json_line` with its CRC-32 as the last value, which readers check and take away.

    Args:
        key: what the line belongs to; a reader with another key takes it for damaged.
    """
    text = json.dumps(record)
    return f'{text[:-1]}, "{SEAL}": "{zlib.crc32(text.encode(), zlib.crc32(key)):08x}"}}\n'


def append_lines(file: Path, lines: Iterable[str]) -> None:
    """Add lines."""
    if text := "".join(lines):
        with writing(file.parent), open(file, "a", encoding="ascii", opener=_here) as stream:
            stream.write(text)


def read_lines(file: Path, keys: tuple[str, ...], seal: bytes | None = None) -> Iterator[dict[str, Any]]:
    """The JSON lines of a file up to the first that is torn or lacks one of ``keys``; none where there is no file.

    Args:
        seal: the key that lines were sealed with; None where they are not.

    Raises:
        RunError: the file can't be read.
    """
    for line in _raw_lines(file):
        if (record := _record(line, keys, seal)) is None:
            return
        yield record


def good_lines(file: Path, keys: tuple[str, ...], seal: bytes | None = None) -> Iterator[dict[str, Any]]:
    """Like :func:`read_lines`, but goes on after a line that is damaged.

    Raises:
        RunError: the file can't be read.
    """
    return (record for record in all_lines(file, keys, seal) if record is not None)


def all_lines(file: Path, keys: tuple[str, ...], seal: bytes | None = None) -> Iterator[dict[str, Any] | None]:
    """Like :func:`good_lines`, with None for a line that is damaged; a last one that is torn is none.

    Raises:
        RunError: the file can't be read.
    """
    for line in _raw_lines(file):
        if line.endswith(b"\n"):
            yield _record(line, keys, seal)


def numbered_lines(file: Path, keys: tuple[str, ...], seal: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Like :func:`read_lines`, with the lines' numbers from 1; only a last line is left out, which a killed process
    tears.

    Raises:
        RunError: another line is damaged or of another folder, or the file can't be read.
    """
    damaged: list[int] = []
    for number, line in enumerate(_raw_lines(file), 1):
        record = _record(line, keys, seal)
        if record is None:
            damaged.append(number)
        if damaged and (record is not None or len(damaged) > 1):
            raise RunError(
                f"line {damaged[0]} of {file} is damaged or of another job, and others follow; "
                f"take out all such lines with: evofool inspect --repair {file.parent}"
            )
        if record is not None:
            yield number, record


def trim_lines(file: Path, keys: tuple[str, ...], seal: bytes) -> None:
    """Cut off what :func:`numbered_lines` leaves out, so that lines can be added.

    Raises:
        RunError: good lines would be lost with it, or the file can't be read or written.
    """
    whole = sum(1 for _ in numbered_lines(file, keys, seal))
    end = sum(len(line) for line, _ in zip(_raw_lines(file), range(whole), strict=False))
    if file.exists() and file.stat().st_size > end:
        with writing(file.parent), open(file, "r+b", opener=_here) as stream:
            stream.truncate(end)


def _here(path: str, flags: int) -> int:
    """Open a file, never one elsewhere that it links to: the folder may come from a stranger."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _raw_lines(file: Path) -> Iterator[bytes]:
    try:
        with open_regular(file) as stream:
            while line := stream.readline(MAX_LINE):
                yield line
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"cannot read {file}: {error}") from error


def _record(line: bytes, keys: tuple[str, ...], seal: bytes | None) -> dict[str, Any] | None:
    """What a line says; None where it is damaged."""
    if seal is not None:
        sealed = _SEALED.fullmatch(line)
        if not sealed or zlib.crc32(sealed[1] + b"}", zlib.crc32(seal)) != int(sealed[2], 16):
            return None
    elif not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not all(key in record for key in keys):
        return None
    if seal is not None:
        del record[SEAL]
    return record
