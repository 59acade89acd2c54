"""Which of a target's classes the names in labelled data mean: names of folders, of an archive, of a data set.

A wrong label is worse than no answer, so names are only ever understood in one of these ways:

- Every name is that of a class.
- All are whole numbers that are indices of classes.
- All are WordNet numbers of ImageNet's thousand classes (``n01440764``), and the target has a thousand classes.
- None is that of a class, and there are as many as classes: then they are the classes in order, and that is said.

Whatever else there is, such as names of which only some are known, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..config.class_names import ClassNames, listed, repeated
from ..errors import ConfigError
from ..text import counted, cut
from .class_lists import imagenet_wordnet

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Matching:
    """Which class each name means.

    Attributes:
        names: The names in the data.
        indices: The class index of each.
        by: ``name``, ``index`` or ``order``.
        reason: Why it isn't by name, in words; else empty.
    """

    names: tuple[str, ...]
    indices: tuple[int, ...]
    by: str = "name"
    reason: str = ""

    def translate(self, labels: np.ndarray, source: str) -> Labels:
        """Return the class indices (N,) of labels (N,) that count the names from 0.

        Raises:
            ConfigError: A label is the number of no name.
        """
        strange = labels[(labels < 0) | (labels >= len(self.names))]
        if len(strange):
            raise ConfigError(f"{source} has the label {strange[0]}, and names for 0 to {len(self.names) - 1}")
        return np.take(np.array(self.indices, np.int64), labels)


def match_names(names: Sequence[str], classes: Sequence[str], source: str, noun: str, fix: str) -> Matching:
    """Return which classes names mean.

    Args:
        names: The names, in the order of the classes where none is that of a class.
        classes: The target's class names.
        source: What has the names, for messages.
        noun: What a name is called in a reason.
        fix: What to do about names that are not understood.

    Raises:
        ConfigError: Only some names are those of classes, or one is that of several classes, or none is and there are
            not as many as classes; or a name is there more than once.
    """
    names, known = tuple(names), ClassNames(classes)
    if names == tuple(classes):  # Several classes may share a name.
        return Matching(names, tuple(range(len(classes))))
    if twice := repeated(names):
        raise ConfigError(f"{source}: more than once there is {twice}; give every label a name of its own")
    found = [known.find(name) for name in names]
    for name, indices in zip(names, found, strict=True):
        if len(indices) > 1:
            raise ConfigError(
                f'{source}: "{cut(name, 80)}" is the name of several classes of the target '
                f"({listed([str(index) for index in indices])}); {fix}"
            )
    if all(found):
        return Matching(names, tuple(index for (index,) in found))
    numbers = [int(name) for name in names if _is_number(name)]
    if len(numbers) == len(names) and not any(found):
        if max(numbers) < len(classes):
            return Matching(names, tuple(numbers), "index", f"each {noun} is the index of a class")
        if sorted(numbers) == list(range(1, len(classes) + 1)):
            reason = f"the {noun}s are the numbers from 1 to {len(classes)}, so they count the classes from 1"
            return Matching(names, tuple(number - 1 for number in numbers), "order", reason)
    if len(classes) == 1000 and not any(found) and all(name in imagenet_wordnet() for name in names):
        reason = f"each {noun} is the WordNet number of one of ImageNet's 1,000 classes"
        return Matching(names, tuple(imagenet_wordnet()[name] for name in names), "index", reason)
    if len(names) == len(classes) and not any(found):
        reason = f"no {noun} is that of a class, and there are as many as classes, so they are in order"
        return Matching(names, tuple(range(len(names))), "order", reason)
    raise ConfigError(f"{source}: {_strange(known, names, found)}; {fix}")


def _is_number(name: str) -> bool:
    return re.fullmatch(r"[0-9]{1,9}", name) is not None


def _strange(known: ClassNames, names: Sequence[str], found: Sequence[Sequence[int]]) -> str:
    """Return which names are no classes', each with the class that may be meant."""
    strange = [name for name, indices in zip(names, found, strict=True) if not indices]
    if all(_is_number(name) for name in names):
        strange = [name for name in strange if int(name) >= len(known.classes)] or strange
    taken = {index for indices in found for index in indices}
    quoted = [f'"{cut(name, 60)}"{known.suggest(name, taken)}' for name in strange]
    few = "" if any(found) else f" ({listed(known.classes)})"
    verb = "is" if len(strange) == 1 else "are"
    return f"{listed(quoted, length=200)} {verb} none of the target's {counted(len(known.classes), 'class')}{few}"
