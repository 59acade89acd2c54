"""What the folders of all jobs share: made whole, read with care, written so that nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ..config.options import fault_in_words
from ..config.records import FORMAT, JobConfig
from ..errors import ConfigError, RunError
from ..io.files import is_temporary, open_regular, remove_leftovers, write_atomically, writing
from ..io.lines import MAX_LINE
from ..io.lock import LOCK
from ..io.nearby import nearby
from .ledger import LEDGER
from .records import plain_fault

CONFIG = "config.json"

INSIDE = (
    "checkpoint", "elites", "history", "plots", "adversarial", "index-files", "pictures", "measured", "cppn", "direct",
    "pixels-1", "pixels-3", "pixels-5", "perturb",
)  # fmt: skip
"""Folders that jobs have inside; none of them may be a link."""

MAX_FOLDERS = 100_000
"""Largest number of a folder in ``outputs/``."""

MAX_JOBS_NAMED = 8
"""Most jobs in a folder that a message names."""

_INSTEAD = {
    ("sweep", "run"): ": give one of its runs{such}",
    ("sweep", "campaign"): "; its page is written by: evofool gallery {path}",
    ("run", "campaign"): "; its page is written by: evofool gallery {path}",
    ("audit", "run"): ": give one of those in it, such as {path}/cppn",
    ("audit", "campaign"): ": give one of those in it, such as {path}/pixels-1",
    ("experiment", "run"): "; its page is written by: evofool resume {path}",
    ("experiment", "campaign"): "; its page is written by: evofool resume {path}",
    ("campaign", "run"): "; its page is written by: evofool report {path}",
}
"""What to do with a job of one kind where one of another is expected."""

C = TypeVar("C", bound=JobConfig)


def claim_folder(path: Path) -> None:
    """Make an empty folder, where there is none yet.

    Raises:
        RunError: Something is there already, or the folder can't be written.
    """
    with writing(path):
        check_free(path)
        path.mkdir(parents=True, exist_ok=True)


def next_folder(stem: str, suits: Callable[[Path], bool] = lambda path: False) -> Path:
    """Make the first folder ``outputs/STEM-001``, ``-002`` and so on that isn't there.

    Args:
        stem: What the folder's name begins with.
        suits: Whether a folder that is there will do as it is.

    Raises:
        ConfigError: All numbers are taken.
        RunError: The folder can't be made.
    """
    for number in range(1, MAX_FOLDERS):
        path = Path("outputs") / f"{stem}-{number:03d}"
        if suits(path):
            return path
        with writing(path), suppress(FileExistsError):
            path.mkdir(parents=True)
            return path
    raise ConfigError("outputs/ is full; name a folder with `out`")


def make_folder(path: Path, config: JobConfig, inside: Sequence[str] = ()) -> None:
    """Make a folder with its ``config.json`` and the folders inside.

    Raises:
        RunError: Something is there already, or the folder can't be written.
    """
    with writing(path):
        check_free(path)
        remove_leftovers(path)
        try:
            for name in ("", *inside):
                (path / name).mkdir(parents=True, exist_ok=True)
            write_config(path, config)
        except OSError:
            discard_folder(path)
            raise


def discard_folder(path: Path) -> None:
    """Remove a folder that :func:`make_folder` made, when its job failed before anything was worth keeping."""
    shutil.rmtree(path, ignore_errors=True)


def write_config(path: Path, config: JobConfig) -> None:
    """Write ``config.json`` into a folder."""
    content = {"format": FORMAT, "job": config.kind, **msgspec.to_builtins(config)}
    write_atomically(path / CONFIG, json.dumps(content, indent=2) + "\n")


def kind_of(path: Path) -> str:
    """Return the kind of job that a folder is of.

    Raises:
        RunError: No job is there, or its config is damaged or of another version.
    """
    return str(_content(path, "job")["job"])


def read_config(path: Path, wanted: type[C]) -> C:
    """Return the config of a job's folder.

    Raises:
        RunError: There is none, it is damaged, of another version, or of another kind.
    """
    content = _content(path, wanted.kind)
    kind = content.pop("job")
    if kind != wanted.kind:
        inner = [folder.parent for folder in sorted(path.glob(f"*/{CONFIG}"))[:1]]
        such = f", such as {inner[0]}" if inner else ""
        instead = _INSTEAD.get((kind, wanted.kind), "").format(path=path, such=such)
        raise RunError(f"{path} is {with_article(kind)}; expected {with_article(wanted.kind)}{instead}")
    for name in INSIDE:
        if (path / name).is_symlink():
            raise RunError(f"{path / name} is a link, and what is written there would be elsewhere; put a folder there")
    del content["format"]
    try:
        return msgspec.convert(content, wanted)
    except (msgspec.ValidationError, ValueError, ConfigError) as error:
        raise damaged(path / CONFIG, error) from error


def with_article(kind: str) -> str:
    """Return a kind of job as a sentence has it, such as ``an audit``: on one line, and not long."""
    return f"{'an' if kind.startswith(('a', 'e')) else 'a'} {_quoted(kind, 40)}"


def damaged(file: Path, error: object) -> RunError:
    """Return the error that says of a config what is wrong with it; what it quotes of the file is cut."""
    return RunError(f"{file} is damaged ({_quoted(fault_in_words(error), 200)}); start the job anew")


def _content(path: Path, kind: str) -> dict[str, Any]:
    """Return the content of a ``config.json`` of this version, of whatever kind."""
    file = path / CONFIG
    if not os.path.isfile(file):
        raise RunError(f"no {kind} at {path}{_near(path)}: expected a folder with config.json, as evofool makes it")
    try:
        with open_regular(file) as stream:
            content = json.loads(stream.read(MAX_LINE))
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(file, error) from error
    if not isinstance(content, dict) or "format" not in content:
        raise damaged(file, "it has no format")
    version = content["format"]
    if version != FORMAT:
        made_by = _maker(content)
        raise RunError(
            f"{path} has format {_quoted(version, 40)}, this version of evofool reads {FORMAT}; "
            f"use the one that made it{f' (evofool {made_by})' if made_by else ''}"
        )
    if not isinstance(content.get("job"), str):
        raise damaged(file, "job is missing")
    if fault := plain_fault(content):
        raise damaged(file, fault)
    return content


def _near(path: Path) -> str:
    """Return which jobs may be meant by a path where none is: those in that folder, or of similar names."""
    if not os.path.isdir(path):
        return nearby(path)
    jobs = [str(folder.parent) for folder in sorted(path.glob(f"*/{CONFIG}"))[:MAX_JOBS_NAMED]]
    return f" (in it are {', '.join(jobs)})" if jobs else ""


def _maker(content: dict[str, Any]) -> str | None:
    """Return the version of evofool that made a folder, if its config says so."""
    versions = content.get("versions")
    version = versions.get("evofool") if isinstance(versions, dict) else None
    return _quoted(version, 40) if version else None


def _quoted(value: object, length: int) -> str:
    """Return a value from a config as text on one line, of at most so many characters."""
    return " ".join(str(value).split())[:length]


def check_free(path: Path) -> None:
    """Refuse a folder that holds something. One that a process left before its work began is free.

    Raises:
        RunError: It does.
    """
    if os.path.lexists(path) and not (path.is_dir() and all(map(_belongs_to_a_start, path.rglob("*")))):
        hint = f"; {go_on(path)}" if (path / CONFIG).exists() else ""
        raise RunError(f"{path} exists already; choose another `out`{hint}")


def go_on(path: Path) -> str:
    """Return how to go on with the job in a folder, in words: in Python where it has objects of the user's own.

    A job that an audit is made of goes on with the audit.
    """
    path = whole_of(path)
    if own := given_again(path):
        return f"go on with, in Python: evofool.resume({', '.join([repr(str(path)), *own])}), or delete the folder"
    return f"go on with: evofool resume {path}"


def given_again(path: Path) -> list[str]:
    """Return the arguments that have to be given again where the job in a folder goes on: objects of the user's own."""
    content = _content_or_nothing(path)
    several = content.get("targets")
    records = [content.get("target"), *(several if isinstance(several, list) else [])]
    own = content.get("own") or any(isinstance(record, dict) and record.get("own") for record in records)
    return [*(["target=…"] if own else []), *(["toolbox=…"] if content.get("swapped") else [])]


def whole_of(path: Path) -> Path:
    """Return the folder of the audit that the job in a folder is a part of; the folder itself where it is of none."""
    outer = path.parent if path.name else path.absolute().parent
    return outer if _content_or_nothing(outer).get("job") == "audit" else path


def _content_or_nothing(path: Path) -> dict[str, Any]:
    """Return the content of a folder's ``config.json``; nothing where it can't be read."""
    try:
        return _content(path, "job")
    except RunError:
        return {}


def _belongs_to_a_start(file: Path) -> bool:
    """Return whether a file may be there before the work of a job begins."""
    return not file.is_symlink() and (
        file.is_dir() or file.name in (CONFIG, LOCK, LEDGER, "images.npy") or is_temporary(file.name)
    )
