"""Class names: the form in which they are compared, and which of a target's classes a name means."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from ..errors import suggestion
from ..text import cut

DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""The names of the digits, which mean the same classes as ``0`` to ``9``."""

EVERYDAY_WORDS = {
    "aeroplane": "airplane",
    "airplane": "airliner",
    "auto": "automobile",
    "boat": "ship",
    "bunny": "rabbit",
    "car": "automobile",
    "kitten": "cat",
    "kitty": "cat",
    "lorry": "truck",
    "plane": "airplane",
    "puppy": "dog",
    "t shirt": "t shirt top",
    "trousers": "trouser",
}
"""Other words for some classes of the well-known data sets. They are suggested, but never taken for the classes."""

NAMES_SHOWN = 8
"""How many names a message lists."""


def normal_form(name: str) -> str:
    """Return the form in which class names are compared.

    That is composed Unicode (NFC) without difference of case, in which spaces, hyphens, underscores and slashes are
    one space. macOS decomposes the names of folders (NFD).

    >>> normal_form("Sea_Lion") == normal_form("sea-lion")
    True
    """
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
    return re.sub(r"[\s_/-]+", " ", folded).strip()


def listed(names: Sequence[str], shown: int = NAMES_SHOWN, length: int = 60) -> str:
    """Return names with commas between them; of many, the first ones and how many more there are.

    Args:
        names: The names.
        shown: Most names that are listed.
        length: Most letters of each.
    """
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return ", ".join(cut(name, length) for name in names[:shown]) + more


def repeated(names: Sequence[str]) -> str:
    """Return the names that are there more than once, in quotes with commas between them; empty where none is."""
    counts = Counter(unicodedata.normalize("NFC", name) for name in names)
    return listed([f'"{cut(name, 60)}"' for name, count in counts.items() if count > 1], length=62)


class ClassNames:
    """Finds classes by their names.

    A name as it is written goes before one that is equal in its :func:`normal_form`, and that before synonyms: of
    ``tench, Tinca tinca`` each part is a name of its own, and so are ``3``, ``three`` and ``3 - three``.

    Args:
        classes: The class names in order.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = classes
        self._written, self._normal = dict[str, list[int]](), dict[str, list[int]]()
        self._synonyms = dict[str, list[int]]()
        for index, name in enumerate(classes):
            self._written.setdefault(unicodedata.normalize("NFC", name), []).append(index)
            self._normal.setdefault(normal_form(name), []).append(index)
            for synonym in _synonyms(name):
                self._synonyms.setdefault(synonym, []).append(index)

    def find(self, name: str) -> list[int]:
        """Return the indices of all classes that a name can mean, in order."""
        written, normal = self._written.get(unicodedata.normalize("NFC", name)), self._normal.get(normal_form(name))
        if written or normal:
            return written or normal or []
        found = [
            index
            for form in (normal_form(name), *_synonyms(name))
            for index in self._normal.get(form, []) + self._synonyms.get(form, [])
        ]
        return sorted(set(found))

    def suggest(self, name: str, taken: Collection[int] = ()) -> str:
        """Return ``' (did you mean "automobile"?)'`` for the class that a strange name may mean, or an empty string.

        Args:
            name: The name.
            taken: Classes that are not suggested, because other names mean them.
        """
        word = EVERYDAY_WORDS.get(normal_form(name))
        if name.isdecimal():
            return ""
        if word is not None and (found := [index for index in self._normal.get(word, ()) if index not in taken]):
            return f' (did you mean "{self.classes[found[0]]}"?)'
        labels = [label for index, label in enumerate(self.classes) if index not in taken]
        synonyms = [word for word, indices in self._synonyms.items() if not set(indices) & set(taken)]
        return suggestion(name, labels) or suggestion(name, (word for word in synonyms if not word[0].isdecimal()))


def _synonyms(name: str) -> Iterable[str]:
    """Return the other names of a class in their normal form."""
    normal = normal_form(name)
    parts = dict.fromkeys(normal_form(part) for part in name.split(","))
    for digit, word in enumerate(DIGIT_WORDS):
        if normal in (forms := (str(digit), word, f"{digit} {word}")):
            parts |= dict.fromkeys(forms)
    return [part for part in parts if part and part != normal]
