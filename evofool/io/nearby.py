"""Files and folders that a mistyped path may have been meant for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ..errors import suggestion

MAX_ENTRIES = 10_000
"""Most entries of a folder that are compared with a name."""


def nearby(path: str | Path, others: Iterable[str] = ()) -> str:
    """Return ``' (did you mean "outputs/run-001"?)'`` for a path where nothing is, or an empty string.

    Args:
        path: The path.
        others: What else the path may name, beside what is in its folder.
    """
    path = Path(path)
    folder = path.parent
    if (
        not os.path.isdir(folder) and folder != path
    ):  # Every part of the folder may be mistyped, and the name then isn't known.
        return nearby(folder, others)
    try:
        with os.scandir(folder) as entries:
            names = [str(folder / entry.name) for entry, _ in zip(entries, range(MAX_ENTRIES), strict=False)]
    except OSError:
        names = []
    near = {os.path.basename(name): name for name in sorted(names)} | {other: other for other in others}
    near.pop(path.name, None)  # It is there, but not what is looked for.
    return suggestion(path.name, near, shown=near)
