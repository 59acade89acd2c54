"""JSON lines: appended, sealed with check sums, and read so that a torn last line loses nothing else.

A seal is the CRC-32 of a line and of the job that it belongs to, as the line's last value.
"""

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
"""Largest number of bytes of a line of JSON, or of a file that is one JSON object; a longer one counts as damaged."""

SEAL = "crc32"
"""The name of a sealed line's last value: the check sum of the line without it."""

_SEALED = re.compile(rb'(.*), "crc32": "([0-9a-f]{8})"\}\n')


def json_line(record: dict[str, Any]) -> str:
    """Return a record as a line of ASCII, so that no cut can fall inside a letter."""
    return json.dumps(record) + "\n"


def sealed_line(record: dict[str, Any], key: bytes) -> str:
    """Return a :func:`json_line` with its seal as the last value, which readers check and remove.

    Args:
        record: JSON values by name.
        key: What identifies the job that the line belongs to. A reader with another key takes the line for damaged.
    """
    text = json.dumps(record)
    return f'{text[:-1]}, "{SEAL}": "{zlib.crc32(text.encode(), zlib.crc32(key)):08x}"}}\n'


def append_lines(file: Path, lines: Iterable[str]) -> None:
    """Append lines to a file, which is created where there is none.

    Raises:
        RunError: The file can't be written.
    """
    if text := "".join(lines):
        with writing(file.parent), open(file, "a", encoding="ascii", opener=_open_without_following) as stream:
            stream.write(text)


def read_lines(file: Path, required: tuple[str, ...], key: bytes | None = None) -> Iterator[dict[str, Any]]:
    """Yield the records of a file up to the first damaged line; none where there is no file.

    Args:
        file: A file of JSON lines.
        required: Names that every record must have; a line without one of them counts as damaged.
        key: The key that the lines were sealed with; None where they have no seal.

    Raises:
        RunError: The file can't be read.
    """
    for line in _raw_lines(file):
        if (record := _parse(line, required, key)) is None:
            return
        yield record


def good_lines(file: Path, required: tuple[str, ...], key: bytes | None = None) -> Iterator[dict[str, Any]]:
    """Yield the records of all lines that are not damaged; arguments and errors as :func:`read_lines`."""
    return (record for record in all_lines(file, required, key) if record is not None)


def all_lines(file: Path, required: tuple[str, ...], key: bytes | None = None) -> Iterator[dict[str, Any] | None]:
    """Yield the record of every line, None for a damaged one; arguments and errors as :func:`read_lines`.

    A last line without an end, which a killed process leaves, does not count as a line.
    """
    for line in _raw_lines(file):
        if line.endswith(b"\n"):
            yield _parse(line, required, key)


def numbered_lines(file: Path, required: tuple[str, ...], key: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number, from 1, and the record of every line.

    Only the last line may be damaged, since a killed process tears it; it is left out.

    Raises:
        RunError: Another line is damaged or belongs to another job, or the file can't be read.
    """
    damaged: list[int] = []
    for number, line in enumerate(_raw_lines(file), 1):
        record = _parse(line, required, key)
        if record is None:
            damaged.append(number)
        if damaged and (record is not None or len(damaged) > 1):
            raise RunError(
                f"line {damaged[0]} of {file} is damaged or of another job, and others follow; "
                f"take out all such lines with: evofool inspect --repair {file.parent}"
            )
        if record is not None:
            yield number, record


def trim_lines(file: Path, required: tuple[str, ...], key: bytes) -> None:
    """Cut off the torn last line that :func:`numbered_lines` leaves out, so that lines can be appended.

    Raises:
        RunError: Another line is damaged, or the file can't be read or written.
    """
    whole = sum(1 for _ in numbered_lines(file, required, key))
    end = sum(len(line) for line, _ in zip(_raw_lines(file), range(whole), strict=False))
    if file.exists() and file.stat().st_size > end:
        with writing(file.parent), open(file, "r+b", opener=_open_without_following) as stream:
            stream.truncate(end)


def _open_without_following(path: str, flags: int) -> int:
    """Open a file, but never one elsewhere that it links to: the folder may come from a stranger."""
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


def _parse(line: bytes, required: tuple[str, ...], key: bytes | None) -> dict[str, Any] | None:
    """Return a line's record without its seal, or None if the line is damaged."""
    if key is not None:
        sealed = _SEALED.fullmatch(line)
        if not sealed or zlib.crc32(sealed[1] + b"}", zlib.crc32(key)) != int(sealed[2], 16):
            return None
    elif not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not all(name in record for name in required):
        return None
    if key is not None:
        del record[SEAL]
    return record
