"""Keras' files: ``network.keras`` and ``network.h5``, run by keras with torch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...errors import TargetError
from ..checks import first_line
from .base import Loaded, Request
from .needs import need_file, need_package

PREFIX = ""
EXAMPLE = "network.keras, network.h5"
SUFFIXES: tuple[str, ...] = (".keras", ".h5", ".hdf5")
WHAT = "a model that Keras saved (extra: keras)"


def claims(name: str) -> bool:
    """Return whether a name is that of a file of Keras."""
    return name.lower().endswith(SUFFIXES)


def check(name: str) -> None:
    """Check that the file and keras are there."""
    need_file(name)
    need_package("keras", "files of Keras", "keras")


def load(name: str, request: Request) -> Loaded:
    """Return a file as a target; see :class:`~.base.Door`."""
    from ..arrays.adapters import adapter_of
    from .brought import adapter_loaded

    check(name)
    return adapter_loaded(name, adapter_of(name, open_model(Path(name))), request, weights=Path(name))


def open_model(path: Path) -> Any:
    """Return the model in a file. Code in it is refused, not run.

    Raises:
        TargetError: keras refuses the file.
    """
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # keras raises almost anything on files of something else
        raise TargetError(f"{path} is no model that keras can load ({first_line(error)})") from error
