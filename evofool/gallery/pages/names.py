"""What a page of several jobs calls each of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def folder_names(paths: Sequence[Path]) -> list[str]:
    """Return the name of each folder, preceded by as many of the folders above as tell it from the others.

    >>> folder_names([Path("/a/run"), Path("/b/run"), Path("/b/other")])
    ['a/run', 'b/run', 'other']
    """
    parts = [path.absolute().parts for path in paths]
    return [_own_name(own, [other for other in parts if other != own]) for own in parts]


def _own_name(own: tuple[str, ...], others: Sequence[tuple[str, ...]]) -> str:
    length = 1
    while length < len(own) and any(other[-length:] == own[-length:] for other in others):
        length += 1
    return str(Path(*own[-length:]))
