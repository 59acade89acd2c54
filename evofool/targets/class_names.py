"""Class names that a model file holds, or that a user keeps in a file."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..io.files import open_regular
from ..io.lines import MAX_LINE


def parse_class_names(text: str) -> list[str] | None:
    """Return the names in a text: a list, or a mapping from indices, as JSON or a Python literal; or one per line.

    Returns:
        The names in order; None where the text holds something else.
    """
    value: Any = None
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
            break
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    if isinstance(value, dict):
        value = in_order(value)
    if value is None or isinstance(value, str | int | float):
        value = [line.strip() for line in text.splitlines() if line.strip()]
    if not isinstance(value, list) or not value or not all(isinstance(name, str | int) for name in value):
        return None
    return [str(name) for name in value]


def read_class_names(path: Path) -> list[str]:
    """Return the class names in a user's file: one name per line, or JSON.

    Raises:
        ConfigError: The file can't be read, or holds no names.
    """
    try:
        with open_regular(path) as file:
            names = parse_class_names(file.read(MAX_LINE).decode("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"`classes_file={path}` can't be read ({error})") from error
    if names is None:
        raise ConfigError(f"`classes_file={path}` holds no class names; expected one per line, or a JSON list")
    return names


def choose_class_names(found: Sequence[str] | None, classes_file: str | None, outputs: int) -> list[str]:
    """Return the names of a model's classes: of the user's file, else of the model, else indices.

    A model with one output has two classes. Where there is one output more than there are names, the first is a
    background class, as in TensorFlow's models of ImageNet.

    Args:
        found: The names that came with the model, or None.
        classes_file: The user's file, or None.
        outputs: How many scores the model returns for an image.

    Raises:
        ConfigError: There are other numbers of names and scores.
    """
    names = read_class_names(Path(classes_file)) if classes_file is not None else list(found or ())
    count = 2 if outputs == 1 else outputs
    if not names:
        return [str(index) for index in range(count)]
    if len(names) == count - 1:
        return ["background", *names]
    if len(names) != count:
        where = f"`classes_file={classes_file}` has" if classes_file is not None else "the model comes with"
        raise ConfigError(
            f"{where} {len(names):,} class names, and the model has {count:,} classes; give a name for each with "
            "`classes_file`"
        )
    return names


def in_order(names: dict[Any, Any]) -> list[Any] | None:
    """Return the names of a mapping from indices, or of one to indices; None where it is neither."""
    try:
        indexed = {int(key): name for key, name in names.items()}
    except (TypeError, ValueError):
        try:
            indexed = {int(index): name for name, index in names.items()}
        except (TypeError, ValueError):
            return None
    if sorted(indexed) != list(range(len(indexed))):
        return None
    return [indexed[index] for index in range(len(indexed))]
