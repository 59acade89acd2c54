"""What the parameter ``data`` may be: a data set's name, a folder of pictures or an archive."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ConfigError, suggestion
from .archives import read_archive
from .base import Fitting, LabelledImages
from .folders import read_folder
from .named import NAMED_DATASETS, open_named


def open_data(data: str | Path, data_dir: Path, fitting: Fitting) -> LabelledImages:
    """Open labelled images.

    Args:
        data: A name (``digits``, ``mnist``, ``cifar10``, …), a folder of pictures, or an ``.npz`` archive.
        data_dir: The folder where a named data set's files are, or are downloaded to.
        fitting: How pictures become images for the target.

    Raises:
        ConfigError: Nothing is there, or it is none of these.
    """
    path = check_data(data)
    if str(data).lower() in NAMED_DATASETS:
        return open_named(str(data).lower(), data_dir, fitting)
    if os.path.isdir(path):
        return read_folder(path, fitting)
    if path.suffix.lower() != ".npz":
        raise ConfigError(f"`data={data}` is a file; expected an .npz archive, a folder of pictures or a name")
    return read_archive(path, fitting.classes)


def check_data(data: str | Path) -> Path:
    """Return ``data`` as a path.

    Raises:
        ConfigError: It is neither a data set's name nor a path that exists.
    """
    if str(data).lower() not in NAMED_DATASETS and not os.path.exists(data):
        raise ConfigError(
            f"no data at `data={data}`{suggestion(str(data), NAMED_DATASETS)}; "
            f"give {', '.join(NAMED_DATASETS)}, a folder of pictures or an .npz archive"
        )
    return Path(data)
