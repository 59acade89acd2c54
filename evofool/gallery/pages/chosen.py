"""Which of a run's elites a picture or page shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ...errors import ConfigError

MOST = 20
"""classes that a message names"""

Lines = list[dict[str, Any]]


def surest(lines: Sequence[dict[str, Any]]) -> Lines:
    """Of the lines of ``elites.jsonl`` the surest of each class."""
    best: dict[int, dict[str, Any]] = {}
    for line in lines:
        if line["index"] not in best or line["score"] > best[line["index"]]["score"]:
            best[line["index"]] = line
    return list(best.values())


def of_classes(lines: Sequence[dict[str, Any]], classes: str) -> Lines:
    """The lines of some classes, by class index.

    Args:
        lines: of ``elites.jsonl``.
        classes: names or indices, as ``"cat,dog,8"``.

    Raises:
        ConfigError: a class is none of the run's.
    """
    from ...config.classes import choose_classes  # waits for torch, which pages of a whole run needn't

    names = {int(line["index"]): str(line["class"]) for line in sorted(lines, key=lambda line: int(line["index"]))}
    indices, known = list(names), {name.lower() for name in names.values()}
    found: set[int] = set()
    for word in (word.strip() for word in classes.split(",")):
        if re.fullmatch(r"[0-9]{1,18}", word) and word not in known:
            if int(word) not in names:
                raise ConfigError(f"class {word} is not in this run, which has {_some(list(map(str, indices)))}")
            found.add(int(word))
        elif word:
            found |= {indices[place] for place in choose_classes(word, list(names.values()), option="--class")}
    if not found:
        raise ConfigError("--class names no class; give names or indices, as in --class cat,dog,8")
    return sorted((line for line in lines if int(line["index"]) in found), key=lambda line: int(line["index"]))


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[:MOST]) + (f" and {len(words) - MOST:,} more" if len(words) > MOST else "")
