"""What users pass as arguments, as plain Python values: numbers and arrays of numpy and torch, and paths."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError

TORCH_NAMES = {"device", "dtype", "memory_format"}
"""Types of torch whose values are known by their names, such as ``torch.bfloat16``."""


def plain(value: Any) -> Any:
    """Return a value as plain Python, nested values included.

    Numbers and arrays of numpy, torch and others become numbers and lists, paths become text, and torch's devices,
    dtypes and memory formats become their names. A float stays a float, whole or not. What is none of these stays as
    it is.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, str):  # numpy's text
        return str.__str__(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if type(value).__module__ == "torch" and type(value).__name__ in TORCH_NAMES:
        return str(value).removeprefix("torch.").removesuffix("_format")
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    if hasattr(value, "__index__"):
        return value.__index__()
    return float(value) if hasattr(value, "__float__") else value


def kind_of_data(value: Any) -> str:
    """Return in words what a value is that holds data, such as ``ndarray (100, 32, 32, 3) uint8``."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return " ".join(str(part) for part in (type(value).__name__, shape and tuple(shape), dtype) if part)


def path_of(value: str | os.PathLike[str], parameter: str) -> Path:
    """Return a path that a user gave, with the home folder in place of a leading ``~``.

    Args:
        value: The path.
        parameter: The parameter that it was given as, for messages.

    Raises:
        ConfigError: It is no path, or nobody knows the home folder it begins with.
    """
    path = plain(value)
    if not isinstance(path, str):
        raise ConfigError(f"`{parameter}` must be a path, got {value!r:.60}")
    return Path(expanded(path, parameter))


def expanded(path: str, parameter: str) -> str:
    """Return the text of a path with the home folder in place of a leading ``~`` or ``~name``.

    Raises:
        ConfigError: Nobody knows that home folder, and there is no file of that very name.
    """
    whole = os.path.expanduser(path)
    if whole.startswith("~") and not os.path.lexists(whole):
        raise ConfigError(f"`{parameter}={path}` begins with a home folder that is not known; give the whole path")
    return whole
