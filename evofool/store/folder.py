"""What the folders of runs and campaigns share: made whole, read with care, written so that nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import RunError
from ..io.files import is_temporary, open_regular, sweep, write_atomically, writing
from ..io.lines import MAX_LINE
from ..io.lock import LOCK

FORMAT = 2

CONFIG = "config.json"

INSIDE = ("checkpoint", "elites", "history", "plots", "adversarial", "index-files")
"""folders that runs and campaigns have inside"""

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


def maker(config: dict[str, Any]) -> str | None:
    """The version of evofool that made a folder, if its config tells."""
    versions = config.get("versions")
    made = versions.get("evofool") if isinstance(versions, dict) else None
    return str(made)[:40] if made else None
