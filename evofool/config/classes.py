"""Which of a target's classes a user means, by names and indices."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, suggestion
from ..text import cut
from .arguments import plain
from .class_names import ClassNames, normal_form

ClassIndices = NDArray[np.int64]

NUMBER = re.compile(r"-?[0-9]{1,18}")
"""A number as text."""

MAX_NAMED = 20
"""Largest number of classes that a message names."""


def choose_classes(
    wanted: str | int | Iterable[str | int] | None,
    classes: Sequence[str] | Mapping[int, str],
    *,
    parameter: str = "classes",
    words: Collection[str] = (),
) -> ClassIndices:
    """Return the (M,) sorted indices of the classes that names and indices mean; all of them for None.

    Whole numbers are indices. Text is a name, compared as :mod:`~evofool.config.class_names` says; a name that several
    classes share means all of them. A number as text that is no name is an index. One text has commas between its
    names, and names that have commas themselves are found in it; the items of a list are never split.

    Args:
        wanted: ``"cat,dog,8"``, or an index, or a list of names and indices.
        classes: The class names in order, or those of some classes by index.
        parameter: The parameter that they were given as, for messages.
        words: What else the parameter takes, for suggestions.

    Raises:
        ConfigError: A name or index is none of the classes', or nothing was named.
    """
    name_of = dict(classes if isinstance(classes, Mapping) else enumerate(classes))
    if wanted is None:
        return np.array(sorted(name_of), np.int64)
    indices, names = list(name_of), ClassNames(list(name_of.values()))
    forms = {normal_form(name) for name in name_of.values()}
    given = plain(wanted)
    entries = _split(given, forms) if isinstance(given, str) else given if isinstance(given, list) else [given]
    found: set[int] = set()
    for entry in entries:
        is_index, word = type(entry) is int, str(entry).strip()
        if places := [] if is_index or not word else _places(word, names, forms):
            found.update(indices[place] for place in places)
        elif is_index or NUMBER.fullmatch(word):
            if int(word) not in name_of:
                raise ConfigError(f"class {cut(word, 40)} is not there: {_indices(indices)}")
            found.add(int(word))
        elif word:
            few = f"; the classes are {', '.join(name_of.values())[:400]}" if len(name_of) <= MAX_NAMED else ""
            hint = names.suggest(word) or suggestion(word, words)
            raise ConfigError(f'`{parameter}`: no class is called "{cut(word, 80)}"{hint}{few}')
    if not found:
        raise ConfigError(f"`{parameter}` names no class; give names or indices, as in `{parameter}=cat,dog,8`")
    return np.array(sorted(found), np.int64)


def _places(word: str, names: ClassNames, forms: Collection[str]) -> list[int]:
    """Return the places of the classes that a word names. Numbers, and words with a hyphen before, name no others."""
    if word not in names.classes and (NUMBER.fullmatch(word) or word.startswith("-")):
        return []
    places = names.find(word)
    of_several = "," in word and normal_form(word) not in forms and len(places) > 1  # its parts are names themselves
    return [] if of_several else places


def _split(text: str, forms: Collection[str]) -> list[str]:
    """Return the parts of a text between commas. As many as are a name in its normal form together stay together."""
    parts, words = text.split(","), list[str]()
    longest = 1 + max((form.count(",") for form in forms), default=0)
    while parts:
        lengths = range(min(longest, len(parts)), 0, -1)
        length = next((n for n in lengths if normal_form(",".join(parts[:n])) in forms), 1)
        words.append(",".join(parts[:length]))
        del parts[:length]
    return words


def _indices(indices: list[int]) -> str:
    """Return which indices there are, in words."""
    if indices == list(range(len(indices))):
        return f"indices go from 0 to {len(indices) - 1}"
    more = f" and {len(indices) - MAX_NAMED:,} more" if len(indices) > MAX_NAMED else ""
    return f"indices are {', '.join(map(str, sorted(indices)[:MAX_NAMED]))}{more}"
