"""Folders of pictures: one folder per class, or all pictures in one folder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..config.class_names import ClassNames, listed, normal_form
from ..errors import ConfigError
from .base import UNKNOWN, FileImages, Fitting, printable
from .matching import Matching, match_names

PICTURES = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm",
)  # fmt: skip
"""Suffixes of files that count as pictures."""

NOT_READ = (
    ".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".svg", ".psd", ".tga", ".ico", ".exr", ".hdr", ".dcm",
    ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2",
)  # fmt: skip
"""Suffixes of pictures in formats that are not read. Such files are left out, and named."""

SPLITS = ("val", "valid", "validation", "test", "testing", "dev", "eval", "train", "training")
"""Names of folders that hold the parts of a data set and not classes; those whose images to attack first."""


def read_folder(path: Path, fitting: Fitting) -> FileImages:
    """Find the pictures of a folder.

    Inner folders that hold pictures are classes. :func:`~.matching.match_names` says which: all have the names of
    classes, or all have their indices, or there are as many as the target has classes, in sorted order (as in
    torchvision's ``ImageFolder``). Pictures in a flat folder have no label, and the target's own prediction takes its
    place. Where the target's classes don't matter, no picture has one.

    Raises:
        ConfigError: There is no picture, or class folders don't match the target's classes.
    """
    entries = _entries(path)
    folders = {name: files for name in entries if (path / name).is_dir() and (files := _pictures(path / name))}
    loose = [name for name in entries if _is_picture(name) and (path / name).is_file()]
    found = [os.path.join(name, file) for name in folders for file in folders[name]] or loose
    pictures = [name for name in found if _is_read(name)]
    skipped = {name: f"{_suffix(name)[1:].upper()} is not read; convert it to PNG or JPEG" for name in found}
    if not pictures:
        others = f"; {len(found):,} are of other kinds, such as {printable(found[0])}" if found else ""
        raise ConfigError(f"`data={path}` holds no pictures ({', '.join(PICTURES)}){others}; give another folder")
    matching, labels = None, [UNKNOWN] * len(pictures)
    if folders and fitting.classes:
        matching = _match(path, folders, fitting.classes)
        index_of = dict(zip(matching.names, matching.indices, strict=True))
        labels = [index_of[Path(name).parts[0]] for name in pictures]
        skipped |= dict.fromkeys(loose, "lies beside the class folders")
    for name in pictures:
        del skipped[name]
    return FileImages(
        path.absolute().name or str(path),  # The working folder's own name is empty.
        [str(path / name) for name in pictures],
        np.array(labels, np.int64),
        [Path(name).as_posix() for name in pictures],
        fitting,
        matching,
        {printable(Path(name).as_posix()): reason for name, reason in skipped.items()},
    )


def _match(path: Path, folders: Mapping[str, Sequence[str]], classes: Sequence[str]) -> Matching:
    """Return which classes the class folders are."""
    names = sorted(folders)
    try:
        matching = match_names(
            names, classes, f"the folders in {path}", "folder's name", "call all folders by class name or index"
        )
    except ConfigError:
        _refuse_outer_folder(path, folders, classes)
        raise
    if matching.by == "order":
        _refuse_outer_folder(path, folders, classes)
        if sorted(names, key=_natural) != names:
            raise ConfigError(
                f"the folders in {path} are none of the target's classes by name, and which is which is not certain: "
                f"sorted as text they are {listed(names, 4)}; call all folders by class name or index (0 to "
                f"{len(classes) - 1})"
            )
    return matching


def _refuse_outer_folder(path: Path, folders: Mapping[str, Sequence[str]], classes: Sequence[str]) -> None:
    """Refuse a folder whose inner folders are parts of a data set, such as train and val, and hold the class folders.

    Raises:
        ConfigError: It is one.
    """
    known = ClassNames(classes)
    parts = list(folders) if all(normal_form(name) in SPLITS for name in folders) else []
    for name, files in folders.items():
        inner = {Path(file).parts[0] for file in files if len(Path(file).parts) > 1}
        if inner and all(known.find(folder) for folder in inner):
            parts.append(name)
    if parts:
        best = min(parts, key=lambda name: SPLITS.index(form) if (form := normal_form(name)) in SPLITS else len(SPLITS))
        raise ConfigError(
            f"the folders in {path} ({listed(sorted(folders))}) are parts of a data set and not classes; give one of "
            f"them: `data={path / best}`"
        )


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts numbers in names by their values."""
    return [(int(part), "") if part.isascii() and part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


def _is_read(name: str) -> bool:
    return _suffix(name) in PICTURES


def _is_picture(name: str) -> bool:
    return _suffix(name) in PICTURES + NOT_READ


def _entries(path: Path) -> list[str]:
    """Return the sorted names of what is in a folder and not hidden."""
    try:
        return sorted(name for name in os.listdir(path) if not name.startswith("."))
    except OSError as error:
        raise ConfigError(f"cannot read the folder {path}: {error.strerror or error}") from error


def _pictures(folder: Path) -> list[str]:
    """Return the pictures below a folder, of any format, as sorted paths relative to it."""
    pictures = []
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        relative = Path(path).relative_to(folder)
        pictures += [str(relative / name) for name in files if not name.startswith(".") and _is_picture(name)]
    return sorted(pictures)
