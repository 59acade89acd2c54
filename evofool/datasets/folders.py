"""Folders of pictures: one folder per class, or all pictures in one folder."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import ConfigError
from .base import UNKNOWN, FileImages, Fitting, printable

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
"""Suffixes of files that count as pictures."""


def read_folder(path: Path, fitting: Fitting) -> FileImages:
    """Find the pictures of a folder.

    Inner folders that hold pictures are classes. Each has the name or the index of one of the target's classes, or
    there are as many as the target has classes, in sorted order (as in torchvision's ``ImageFolder``). Pictures in a
    flat folder have no label, and the target's own prediction takes its place.

    Raises:
        ConfigError: There is no picture, or class folders don't match the target's classes.
    """
    inside = {name: _pictures(path / name) for name in _entries(path) if (path / name).is_dir()}
    folders = {name: files for name, files in inside.items() if files}
    loose = [name for name in _entries(path) if _is_picture(path / name)]
    if not folders:
        if not loose:
            raise ConfigError(f"`data={path}` holds no pictures ({', '.join(PICTURES)}); give another folder")
        labels = np.full(len(loose), UNKNOWN, np.int64)
        return FileImages(_name(path), [str(path / name) for name in loose], labels, loose, fitting)
    classes = _match(path, sorted(folders), fitting.classes)
    pairs = [(os.path.join(name, file), classes[name]) for name in sorted(folders) for file in folders[name]]
    files = FileImages(
        _name(path),
        [str(path / name) for name, _ in pairs],
        np.array([label for _, label in pairs], np.int64),
        [Path(name).as_posix() for name, _ in pairs],
        fitting,
    )
    files.skipped = dict.fromkeys(map(printable, loose), "lies beside the class folders")
    return files


def _match(path: Path, names: Sequence[str], classes: Sequence[str]) -> dict[str, int]:
    """Return the class index of every folder."""
    index_of = {_plain(name): index for index, name in reversed(list(enumerate(classes)))}
    if all(_plain(name) in index_of for name in names):
        return {name: index_of[_plain(name)] for name in names}
    if all(re.fullmatch(r"[0-9]{1,9}", name) and int(name) < len(classes) for name in names):
        return {name: int(name) for name in names}
    if len(names) == len(classes):
        return {name: index for index, name in enumerate(names)}
    strange = next(name for name in names if _plain(name) not in index_of)
    raise ConfigError(
        f'the folder "{strange}" in {path} is none of the target\'s {len(classes)} classes; call the folders by class '
        f"name or index, or give one for every class"
    )


def _name(path: Path) -> str:
    """Return what records call the folder, even if it is ``.``."""
    return path.absolute().name or str(path)


def _plain(name: str) -> str:
    """Return a class name in lower case, with a single space for any spaces, hyphens and underscores."""
    return re.sub(r"[\s_-]+", " ", name).strip().lower()


def _entries(path: Path) -> list[str]:
    """Return the sorted names of what is in a folder and not hidden."""
    try:
        return sorted(name for name in os.listdir(path) if not name.startswith("."))
    except OSError as error:
        raise ConfigError(f"cannot read the folder {path}: {error.strerror or error}") from error


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURES and path.is_file()


def _pictures(folder: Path) -> list[str]:
    """Return the pictures below a folder, as sorted paths relative to it."""
    pictures = []
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        relative = Path(path).relative_to(folder)
        pictures += [
            str(relative / name) for name in files if not name.startswith(".") and Path(name).suffix.lower() in PICTURES
        ]
    return sorted(pictures)
