"""What the folders of runs and campaigns share: made whole, read with care, written so that nothing is lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import RunError
from .files import is_temporary, open_regular, sweep, write_atomically

FORMAT = 1

CONFIG = "config.json"

INSIDE = ("checkpoint", "elites", "history", "plots", "adversarial", "index-files")
"""folders that runs and campaigns have inside"""

MAX_LINE = 2**24
"""bytes of a line of JSON, of a config, or of what was tuned; a longer one is damaged"""

SEAL = "crc32"
"""the last value of a sealed line; it is of the line without it"""

_SEALED = re.compile(rb'(.*), "crc32": "([0-9a-f]{8})"\}\n')

LOCK = ".lock"
"""held by the process that works on a folder; see ``evofool.lock``"""

MADE_BY = {"evolve": "run", "attack": "campaign"}
"""what the command in a config makes"""


def claim_folder(path: Path) -> None:
    """Make an empty folder, where there is none yet.

    Raises:
        RunError: something is there already, or the folder can't be written.
    """
    with writing(path):
        _check_free(path)
        path.mkdir(parents=True, exist_ok=True)


def make_folder(path: Path, config: dict[str, Any], inside: Sequence[str] = ()) -> dict[str, Any]:
    """Make a folder with its ``config.json`` and the folders inside.

    Returns:
        the config as written, with its format.

    Raises:
        RunError: something is there already, or the folder can't be written.
    """
    config = {"format": FORMAT, **config}
    with writing(path):
        _check_free(path)
        sweep(path)
        try:
            for name in ("", *inside):
                (path / name).mkdir(parents=True, exist_ok=True)
            write_config(path, config)
        except OSError:
            discard_folder(path)
            raise
    return config


def discard_folder(path: Path) -> None:
    """Take back a folder that :func:`make_folder` made, when its work failed before anything was worth keeping."""
    shutil.rmtree(path, ignore_errors=True)


def write_config(path: Path, config: dict[str, Any]) -> None:
    """Write ``config.json`` into a folder."""
    write_atomically(path / CONFIG, json.dumps(config, indent=2) + "\n")


def read_config(path: Path, made_by: str | None = None) -> dict[str, Any]:
    """The config of a run's or campaign's folder.

    Args:
        made_by: ``evolve`` or ``attack``, where only one will do.

    Raises:
        RunError: there is none, it is damaged, of another version, or of the other kind.
    """
    file = path / CONFIG
    if not os.path.isfile(file):
        kind = MADE_BY[made_by] if made_by else "run"
        raise RunError(
            f"no {kind} at {path}: expected a folder with config.json, as evofool {made_by or 'evolve'} makes it"
        )
    try:
        with open_regular(file) as stream:
            config = json.loads(stream.read(MAX_LINE))
        version, found = config["format"], config.get("evofool")
        if not isinstance(found, str | None):
            raise TypeError(f"evofool is {found!r}"[:80])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{file} is damaged ({error}); the run can't be read without it") from error
    if version != FORMAT:
        raise RunError(
            f"{path} has format {version!r}, this version of evofool reads {FORMAT}; "
            f"use the one that made it{f' (evofool {made})' if (made := maker(config)) else ''}"
        )
    for name in INSIDE:
        if (path / name).is_symlink():
            raise RunError(f"{path / name} is a link, and what is written there would be elsewhere; put a folder there")
    if made_by and found in MADE_BY and found != made_by:
        raise RunError(f"{path} is a {MADE_BY[found]}, made by evofool {found}; expected a {MADE_BY[made_by]}")
    return dict(config)


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
                f"line {damaged[0]} of {file} is damaged or of another {MADE_BY['attack']}, and others follow; "
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


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns a failed write into a RunError that names the folder."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write to {path}: {error.strerror or error}; make room or choose another --out"
        ) from error


def _here(path: str, flags: int) -> int:
    """Open a file, never one elsewhere that it links to: the folder may come from a stranger."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _check_free(path: Path) -> None:
    """A folder that a process left before its work began is free: nothing is lost with it."""
    if os.path.lexists(path) and not (path.is_dir() and all(map(_of_a_start, path.rglob("*")))):
        hint = f"; go on with: evofool resume {path}" if (path / CONFIG).exists() else ""
        raise RunError(f"{path} exists already; choose another --out{hint}")


def _of_a_start(file: Path) -> bool:
    """Whether a file may be there before the work of a run or a campaign begins."""
    return not file.is_symlink() and (
        file.is_dir() or file.name in (CONFIG, LOCK, "images.npy") or is_temporary(file.name)
    )


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


def maker(config: dict[str, Any]) -> str | None:
    """The version of evofool that made a folder, if its config tells."""
    versions = config.get("versions")
    made = versions.get("evofool") if isinstance(versions, dict) else None
    return str(made)[:40] if made else None
