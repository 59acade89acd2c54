"""How the several pictures of a class stand together: in a grid of descriptors, or one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...config.checks import MAX_BINS, MAX_DESCRIPTORS, list_of, natural, text

MOST = 3000
"""pictures that a page or sheet shows class by class; of more, each class's surest"""

WIDE = 8
"""pictures in a row where they stand in no grid"""

WORDS = {
    "brightness": ("dark", "bright"),
    "colour": ("grey", "colourful"),
    "complexity": ("plain", "busy"),
    "hue": ("red", "magenta"),
    "size": ("small genome", "large genome"),
    "slope": ("smooth", "rough"),
    "symmetry": ("lopsided", "mirrored"),
}
"""what little and much of a descriptor is called"""


@dataclass(frozen=True)
class Cells:
    """The places of a class's pictures.

    Attributes:
        niches: of a class.
        names: the descriptors; none where pictures stand one after the other, the surest first.
        columns: in a row; ``rows`` of them.
    """

    niches: int
    names: tuple[str, ...]
    columns: int
    rows: int

    @property
    def across(self) -> tuple[str, str] | None:
        """What the left and the right end are called."""
        return WORDS.get(self.names[-1]) if self.names else None

    @property
    def up(self) -> tuple[str, str] | None:
        """What the lower and the upper end are called, where that is one descriptor."""
        return WORDS.get(self.names[0]) if len(self.names) == 2 else None

    def check(self, lines: Sequence[dict[str, Any]]) -> None:
        """Raises ValueError where lines of ``elites.jsonl`` have no place among these."""
        classes: dict[int, list[tuple[list[int], float]]] = {}
        for line in lines:
            classes.setdefault(line["index"], []).append((line.get("cell", []), line["score"]))
        for own in classes.values():
            self.arranged(own)

    def arranged(self, pictures: Sequence[tuple[list[int], float]]) -> list[int | None]:
        """What stands in each place, row by row from the top: the number of a picture, or None.

        Args:
            pictures: cell and confidence of each.

        Raises:
            ValueError: a cell is none of these, or two pictures stand in one.
        """
        places: list[int | None] = [None] * (self.columns * self.rows)
        if not self.names:
            order = sorted(range(len(pictures)), key=lambda at: -pictures[at][1])
            if len(order) > len(places):
                raise ValueError(f"{len(order)} pictures of a class, and {len(places)} places")
            return [*order, *places[len(order) :]]
        for at, (cell, _) in enumerate(pictures):
            if len(cell) != len(self.names) or not all(0 <= one < self.columns for one in cell):
                raise ValueError(f"cell {cell} is none of the grid's")
            row = 0
            for one in cell[:-1]:
                row = row * self.columns + one
            place = (self.rows - 1 - row) * self.columns + cell[-1]
            if places[place] is not None:
                raise ValueError(f"two pictures in cell {cell}")
            places[place] = at
        return places


def cells_of(config: dict[str, Any]) -> Cells | None:
    """How a run's pictures stand; None where each class has one.

    Raises:
        ValueError: the config tells of a grid that can't be.
    """
    bins, names = config.get("bins"), config.get("descriptors") or ()
    if bins is None:
        return None
    if not natural(bins) or not 2 <= bins <= MAX_BINS:
        raise ValueError(f"bins is {bins!r}"[:80])
    if not list_of(list(names), text) or len(names) > MAX_DESCRIPTORS:
        raise ValueError("descriptors are no names")
    if names:
        return Cells(bins ** len(names), tuple(names), bins, bins ** (len(names) - 1))
    columns = min(bins, WIDE)
    return Cells(bins, (), columns, math.ceil(bins / columns))
