"""The lines of ``elites.jsonl`` that a picture or a page shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..config.classes import choose_classes
from ..errors import ConfigError

MAX_NAMED = 20
"""Largest number of classes that a message names."""

Lines = list[dict[str, Any]]


def surest_per_class(lines: Sequence[dict[str, Any]]) -> Lines:
    """Return the surest line of each class."""
    best: dict[int, dict[str, Any]] = {}
    for line in lines:
        if line["index"] not in best or line["score"] > best[line["index"]]["score"]:
            best[line["index"]] = line
    return list(best.values())


def lines_of_classes(lines: Sequence[dict[str, Any]], classes: str) -> Lines:
    """Return the lines of some classes, sorted by class index.

    Args:
        lines: All lines.
        classes: Names or indices, as ``"cat,dog,8"``.

    Raises:
        ConfigError: A class is none of the run's, or nothing is named.
    """
    names = {int(line["index"]): str(line["class"]) for line in sorted(lines, key=lambda line: int(line["index"]))}
    indices, lower_names = list(names), {name.lower() for name in names.values()}
    chosen: set[int] = set()
    for word in (word.strip() for word in classes.split(",")):
        if re.fullmatch(r"[0-9]{1,18}", word) and word not in lower_names:
            if int(word) not in names:
                raise ConfigError(f"class {word} is not in this run, which has {_listed(list(map(str, indices)))}")
            chosen.add(int(word))
        elif word:
            chosen |= {indices[position] for position in choose_classes(word, list(names.values()))}
    if not chosen:
        raise ConfigError("`classes` names no class; give names or indices, as in `classes=cat,dog,8`")
    return sorted((line for line in lines if int(line["index"]) in chosen), key=lambda line: int(line["index"]))


def _listed(words: Sequence[str]) -> str:
    """Return words with commas between, at most ``MAX_NAMED`` of them."""
    more = f" and {len(words) - MAX_NAMED:,} more" if len(words) > MAX_NAMED else ""
    return ", ".join(words[:MAX_NAMED]) + more
