"""Data sets of ``features`` as others read them: archives of arrays, and folders of pictures."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..io.files import write_atomically, writing
from ..io.png import png
from ..io.slug import slug

SETS = "sets"
"""The folder of data sets in that of the experiment."""


def export(
    folder: Path,
    name: str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    kinds: Sequence[str],
) -> None:
    """Write a data set as ``NAME.npz``, as a folder ``NAME`` with one for each class, or as both.

    The archive has ``images`` (N, H, W, C) uint8, ``labels`` (N,) and ``classes`` (K,), as ``--data`` reads them. In
    the folder are ``003_cat/00017.png``: label, class and number of the image. torchvision's ``ImageFolder`` sorts
    them by label.

    Args:
        folder: Where they are written; it is made where it is missing.
        name: The data set's name.
        images: (N, C, H, W).
        labels: (N,) what the data set calls them.
        classes: The class names.
        kinds: ``npz``, ``folder``, or both.

    Raises:
        RunError: A file can't be written.
    """
    with writing(folder):
        folder.mkdir(exist_ok=True)
        if "npz" in kinds:
            arrays: dict[str, Any] = {
                "images": images.transpose(0, 2, 3, 1),
                "labels": labels,
                "classes": np.array(classes),
            }
            write_atomically(folder / f"{name}.npz", lambda file: np.savez_compressed(file, **arrays))
        if "folder" in kinds:
            shutil.rmtree(folder / name, ignore_errors=True)
            for index, class_name in enumerate(classes):  # A class without images has a folder as well.
                place = folder / name / f"{index:03d}_{slug(class_name)}"
                place.mkdir(parents=True)
                for number in np.flatnonzero(labels == index).tolist():
                    write_atomically(place / f"{number:05d}.png", png(images[number]), durable=False)
