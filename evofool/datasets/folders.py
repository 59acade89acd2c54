"""Folders of pictures: a folder a class, or all in one."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import ConfigError
from .base import UNKNOWN, FileImages, Fitting, printable

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def read_folder(path: Path, fitting: Fitting) -> FileImages:
    """The pictures of a folder.

    With folders inside that hold pictures, each is a class: called like one of the target's classes, or by its
    index; or there are as many as the target has classes, in sorted order (as torchvision's ``ImageFolder``).
    Pictures in one flat folder have no label: the target's own prediction stands for it.

    Raises:
        ConfigError: there is no picture, or class folders don't match the target's classes.
    """
    inside = {name: _pictures(path / name) for name in _entries(path) if (path / name).is_dir()}
    folders = {name: files for name, files in inside.items() if files}
    loose = [name for name in _entries(path) if _is_picture(path / name)]
    if not folders:
        if not loose:
            raise ConfigError(f"--data {path} holds no pictures ({', '.join(PICTURES)}); give another folder")
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
    """Class index of every folder."""
    known = {_plain(name): index for index, name in reversed(list(enumerate(classes)))}
    if all(_plain(name) in known for name in names):
        return {name: known[_plain(name)] for name in names}
    if all(re.fullmatch(r"[0-9]{1,9}", name) and int(name) < len(classes) for name in names):
        return {name: int(name) for name in names}
    if len(names) == len(classes):
        return {name: index for index, name in enumerate(names)}
    strange = next(name for name in names if _plain(name) not in known)
    raise ConfigError(
        f'the folder "{strange}" in {path} is none of the target\'s {len(classes)} classes; call the folders by class '
        f"name or index, or give one for every class"
    )


def _name(path: Path) -> str:
    """What messages call the folder, ``.`` too."""
    return path.absolute().name or str(path)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().lower()


def _entries(path: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(path) if not name.startswith("."))
    except OSError as error:
        raise ConfigError(f"cannot read the folder {path}: {error.strerror or error}") from error


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURES and path.is_file()


def _pictures(folder: Path) -> list[str]:
    """Pictures below a folder, as paths relative to it, sorted."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        relative = Path(place).relative_to(folder)
        found += [
            str(relative / name) for name in files if not name.startswith(".") and Path(name).suffix.lower() in PICTURES
        ]
    return sorted(found)
