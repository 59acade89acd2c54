"""Which of a target's classes a user means, by names and indices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, suggestion
from .arguments import plain

ClassIndices = NDArray[np.int64]

MAX_NAMED = 20
"""Largest number of classes that a message names."""


def choose_classes(
    wanted: str | int | Iterable[str | int] | None,
    classes: Sequence[str] | Mapping[int, str],
    *,
    parameter: str = "classes",
) -> ClassIndices:
    """Return the (M,) sorted indices of the classes that names and indices mean; all of them for None.

    Whole numbers are indices. Text is a name, in upper or lower case; a name that several classes share means all of
    them. Text that is no name may be an index. One text has commas between its names, and names that have commas
    themselves are found in it; the items of a list are never split.

    Args:
        wanted: ``"cat,dog,8"``, or an index, or a list of names and indices.
        classes: The class names in order, or those of some classes by index.
        parameter: The parameter that they were given as, for messages.

    Raises:
        ConfigError: A name or index is none of the classes', or nothing was named.
    """
    name_of = dict(classes if isinstance(classes, Mapping) else enumerate(classes))
    if wanted is None:
        return np.array(sorted(name_of), np.int64)
    by_name: dict[str, list[int]] = {}
    for index, name in name_of.items():
        by_name.setdefault(name.strip().lower(), []).append(index)
    given = plain(wanted)
    entries = _split(given, by_name) if isinstance(given, str) else given if isinstance(given, list) else [given]
    found: set[int] = set()
    for entry in entries:
        is_index, word = type(entry) is int, str(entry).strip()
        if not is_index and word.lower() in by_name:
            found.update(by_name[word.lower()])
        elif is_index or re.fullmatch(r"-?[0-9]{1,18}", word):
            if int(word) not in name_of:
                raise ConfigError(f"class {word[:40]} is not there: {_indices(list(name_of))}")
            found.add(int(word))
        elif word:
            few = f"; the classes are {', '.join(name_of.values())[:400]}" if len(name_of) <= MAX_NAMED else ""
            raise ConfigError(f'no class is called "{word[:80]}"{suggestion(word, name_of.values())}{few}')
    if not found:
        raise ConfigError(f"`{parameter}` names no class; give names or indices, as in `{parameter}=cat,dog,8`")
    return np.array(sorted(found), np.int64)


def _split(text: str, names: Iterable[str]) -> list[str]:
    """Return the parts of a text between commas. As many as are a name together stay together."""
    parts, words = text.split(","), list[str]()
    longest = 1 + max((name.count(",") for name in names), default=0)
    while parts:
        lengths = range(min(longest, len(parts)), 0, -1)
        length = next((n for n in lengths if ",".join(parts[:n]).strip().lower() in names), 1)
        words.append(",".join(parts[:length]))
        del parts[:length]
    return words


def _indices(indices: list[int]) -> str:
    """Return which indices there are, in words."""
    if indices == list(range(len(indices))):
        return f"indices go from 0 to {len(indices) - 1}"
    more = f" and {len(indices) - MAX_NAMED:,} more" if len(indices) > MAX_NAMED else ""
    return f"indices are {', '.join(map(str, sorted(indices)[:MAX_NAMED]))}{more}"
