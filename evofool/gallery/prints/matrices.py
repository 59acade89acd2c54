"""A matrix of shares as SVG: a row for what something was made for, a column for what it was tried on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .plots import NARROW
from .svg import figure, rect, text

LETTER = 7.4
"""Width of a letter."""

MAX_NAME = 18
"""Largest number of letters of a name."""

MAX_CELL, ROOM = 84.0, 54.0
"""Largest edge of a cell, and smallest edge in which an interval has room."""


class Share(NamedTuple):
    """A share in [0, 1], with its interval."""

    share: float
    low: float
    high: float


def share_matrix(
    shares: Sequence[Sequence[Share | None]],
    names: Sequence[str],
    title: str,
    axes: tuple[str, str] = ("tried on", "made for"),
) -> str:
    """Draw shares as a square of cells, darker for larger ones, with their intervals where there is room.

    Columns are numbered like the rows, whose names stand beside them, so that the figure fits a phone.

    Args:
        shares: (N, N); None where there is nothing to tell.
        names: What the N rows and columns are.
        title: What screen readers say.
        axes: What columns and rows are.
    """
    labels = [f"{number} {_short(name)}" for number, name in enumerate(names, 1)]
    left = 12 + LETTER * max(map(len, labels), default=1)
    size = min(MAX_CELL, (NARROW - left - 6) / max(1, len(names)))
    top, body = 44.0, []
    for i, label in enumerate(labels):
        middle = top + (i + 0.5) * size + 4.5
        body.append(text(left - 8, middle, label, anchor="end"))
        body.append(text(left + (i + 0.5) * size, top - 9, str(i + 1), anchor="middle"))
    for i, row in enumerate(shares):
        for j, share in enumerate(row):
            x, y = left + j * size, top + i * size
            kind = 'class="blank"' if share is None else f'class="cell" opacity="{0.08 + 0.92 * share.share:.2f}"'
            body.append(rect(x + 1, y + 1, size - 2, size - 2, f'rx="3" {kind}'))
            ink = "on" if share is not None and share.share > 0.55 else ""
            lines = ["–"] if share is None else [_percent(share.share), f"{_percent(share.low)}–{_percent(share.high)}"]
            for line, words in enumerate(lines if size >= ROOM else lines[:1]):
                middle = y + size / 2 + 4.5 + 8 * (2 * line - (len(lines) > 1 and size >= ROOM))
                body.append(text(x + size / 2, middle, words, anchor="middle", kind=ink))
    body.append(text(left, 14, f"{axes[0]} →", kind="faint"))
    body.append(text(left - 8, top - 9, f"{axes[1]} ↓", kind="faint", anchor="end"))
    return figure(left + size * len(names) + 6, top + size * len(names) + 8, body, title)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def _short(name: str) -> str:
    """Return a name, cut to a length with an ellipsis in front: names of networks differ at their ends."""
    return name if len(name) <= MAX_NAME else f"…{name[1 - MAX_NAME :]}"
