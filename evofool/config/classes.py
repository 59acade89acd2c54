"""Which of a target's classes a user means, by names and indices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, suggestion

ClassIndices = NDArray[np.int64]


def choose_classes(
    wanted: str | int | Iterable[str | int] | None, classes: Sequence[str], *, option: str = "--classes"
) -> ClassIndices:
    """(M,) sorted class indices for names and indices, as ``"cat,dog,8"`` or a list; None means all.

    Upper and lower case are the same; a name that several classes share means all of them. Numbers are indices, text
    that is a name and a number is the name.

    Raises:
        ConfigError: a name or index is none of the target's, or nothing was named.
    """
    if wanted is None:
        return np.arange(len(classes), dtype=np.int64)
    if isinstance(wanted, int):
        wanted = [wanted]
    entries = wanted.split(",") if isinstance(wanted, str) else wanted
    by_name: dict[str, list[int]] = {}
    for index, name in enumerate(classes):
        by_name.setdefault(name.lower(), []).append(index)
    found: set[int] = set()
    for entry in entries:
        word, is_index = str(entry).strip(), isinstance(entry, int) and not isinstance(entry, bool)
        if not word:
            continue
        if word.lower() in by_name and not is_index:
            found.update(by_name[word.lower()])
        elif is_index or re.fullmatch(r"-?[0-9]{1,18}", word):
            if not 0 <= int(word) < len(classes):
                raise ConfigError(f"class {word[:40]} is not there: indices go from 0 to {len(classes) - 1}")
            found.add(int(word))
        else:
            few = f"; the classes are {', '.join(classes)[:400]}" if len(classes) <= 20 else ""
            raise ConfigError(f'no class is called "{word[:80]}"{suggestion(word, classes)}{few}')
    if not found:
        raise ConfigError(f"{option} names no class; give names or indices, as in {option} cat,dog,8")
    return np.array(sorted(found), np.int64)
