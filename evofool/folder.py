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
from .files import open_regular, write_atomically

FORMAT = 1

CONFIG = "config.json"

INSIDE = ("checkpoint", "elites", "history", "plots", "adversarial", "index-files")
"""folders that runs and campaigns have inside"""

MAX_LINE = 2**24
"""bytes of a line of JSON, or of a config; a longer one is damaged"""

SEAL = "crc32"
"""the last value of a line that has one; it is of the line without it"""

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
            f"use the one that made it{_maker(config)}"
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


def sealed_line(record: dict[str, Any]) -> str:
    """A :func:`json_line` with its CRC-32 as the last value, which readers check and take away."""
    text = json.dumps(record)
    return f'{text[:-1]}, "{SEAL}": "{zlib.crc32(text.encode()):08x}"}}\n'


def append_lines(file: Path, lines: Iterable[str]) -> None:
    """Add lines."""
    if text := "".join(lines):
        with writing(file.parent), open(file, "a", encoding="ascii", opener=_here) as stream:
            stream.write(text)


def read_lines(file: Path, keys: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The JSON lines of a file up to the first that is torn or lacks one of ``keys``; none where there is no file.

    Raises:
        RunError: the file can't be read.
    """
    for _, record in _whole_lines(file, keys):
        yield record


def good_lines(file: Path, keys: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Like :func:`read_lines`, but goes on after a line that is damaged.

    Raises:
        RunError: the file can't be read.
    """
    for line in _raw_lines(file):
        record = _record(line)
        if record is not None and all(key in record for key in keys):
            yield record


def numbered_lines(file: Path, keys: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Like :func:`read_lines`, with the lines' numbers from 1; only what comes after all good lines is left out.

    Raises:
        RunError: a line before the last good one is damaged, or the file can't be read.
    """
    damaged = 0
    for number, line in enumerate(_raw_lines(file), 1):
        record = _record(line)
        if record is None or not all(key in record for key in keys):
            damaged = damaged or number
        elif damaged:
            raise RunError(
                f"line {damaged} of {file} is damaged, and good ones follow; take it out with: "
                f"evofool inspect --repair {file.parent}"
            )
        else:
            yield number, record


def trim_lines(file: Path, keys: tuple[str, ...]) -> None:
    """Cut off what :func:`read_lines` leaves out, so that lines can be added.

    Raises:
        RunError: good lines would be lost with it, or the file can't be read or written.
    """
    for _ in numbered_lines(file, keys):
        pass
    whole = max((end for end, _ in _whole_lines(file, keys)), default=0)
    if not file.exists() or file.stat().st_size <= whole:
        return
    with writing(file.parent), open(file, "r+b", opener=_here) as stream:
        stream.truncate(whole)


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
    if os.path.exists(path) and (not path.is_dir() or any(file.name != LOCK for file in path.iterdir())):
        hint = f"; go on with: evofool resume {path}" if (path / CONFIG).exists() else ""
        raise RunError(f"{path} exists already; choose another --out{hint}")


def _whole_lines(file: Path, keys: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each whole line's end in bytes, and its record, up to the first that is none."""
    end = 0
    for line in _raw_lines(file):
        record = _record(line)
        if record is None or not all(key in record for key in keys):
            return
        end += len(line)
        yield end, record


def _raw_lines(file: Path) -> Iterator[bytes]:
    try:
        with open_regular(file) as stream:
            while line := stream.readline(MAX_LINE):
                yield line
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"cannot read {file}: {error}") from error


def _record(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    if record.pop(SEAL, None) is not None:
        sealed = _SEALED.fullmatch(line)
        if not sealed or zlib.crc32(sealed[1] + b"}") != int(sealed[2], 16):
            return None
    return record


def _maker(config: dict[str, Any]) -> str:
    versions = config.get("versions")
    made = versions.get("evofool") if isinstance(versions, dict) else None
    return f" (evofool {made})" if made else ""
