"""Labelled images that campaigns attack: named data sets, folders of pictures, archives."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ConfigError, suggestion
from .archives import read_archive
from .base import ArrayImages, Fitting, LabelledImages
from .folders import read_folder
from .named import NAMED_DATASETS, open_named

__all__ = ["NAMED_DATASETS", "ArrayImages", "Fitting", "LabelledImages", "check_data", "open_data"]


def open_data(data: str | Path, data_dir: Path, fitting: Fitting) -> LabelledImages:
    """The images that ``--data`` means.

    Args:
        data: a name (``digits``, ``mnist``, ``cifar10`` …), a folder of pictures, or an ``.npz`` archive.
        data_dir: where a named data set's files are, or are downloaded to.
        fitting: how pictures become images for the target.

    Raises:
        ConfigError: nothing is there, or it is not what it should be.
    """
    place = check_data(data)
    if str(data).lower() in NAMED_DATASETS:
        return open_named(str(data).lower(), data_dir, fitting)
    if os.path.isdir(place):
        return read_folder(place, fitting)
    if place.suffix.lower() != ".npz":
        raise ConfigError(f"--data {data} is a file; expected an .npz archive, a folder of pictures or a name")
    return read_archive(place, fitting.classes)


def check_data(data: str | Path) -> Path:
    """What ``--data`` names, as a path.

    Raises:
        ConfigError: it is neither a data set's name nor anything that exists.
    """
    if str(data).lower() not in NAMED_DATASETS and not os.path.exists(data):
        raise ConfigError(
            f"no data at --data {data}{suggestion(str(data), NAMED_DATASETS)}; "
            f"give {', '.join(NAMED_DATASETS)}, a folder of pictures or an .npz archive"
        )
    return Path(data)
