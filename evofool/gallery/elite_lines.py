"""The lines of ``elites.jsonl`` that a picture or a page shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..config.classes import choose_classes

Lines = list[dict[str, Any]]


def surest_per_class(lines: Sequence[dict[str, Any]]) -> Lines:
    """Return the surest line of each class."""
    best: dict[int, dict[str, Any]] = {}
    for line in lines:
        if line["index"] not in best or line["score"] > best[line["index"]]["score"]:
            best[line["index"]] = line
    return list(best.values())


def lines_of_classes(lines: Sequence[dict[str, Any]], classes: str | int | Iterable[str | int]) -> Lines:
    """Return the lines of some classes, sorted by class index.

    Args:
        lines: All lines.
        classes: Names or indices, as ``"cat,dog,8"`` or a list.

    Raises:
        ConfigError: A class is none of the run's, or nothing is named.
    """
    by_index = sorted(lines, key=lambda line: int(line["index"]))
    chosen = set(choose_classes(classes, {int(line["index"]): str(line["class"]) for line in by_index}).tolist())
    return [line for line in by_index if int(line["index"]) in chosen]
