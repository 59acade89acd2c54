"""How the several pictures of a class stand together: in a grid of descriptors, or one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..config.evolve import EvolveOptions

MAX_CELLS = 2**20
"""Largest number of cells per class that can be arranged; an edited config may ask for any number."""

ROW_LENGTH = 8
"""Number of pictures in a row where they stand in no grid."""

ENDS = {
    "brightness": ("dark", "bright"),
    "colour": ("grey", "colourful"),
    "complexity": ("plain", "busy"),
    "hue": ("red", "magenta"),
    "size": ("small genome", "large genome"),
    "slope": ("smooth", "rough"),
    "symmetry": ("lopsided", "mirrored"),
}
"""Words for small and for large values of each descriptor. They stand here, apart from the descriptors, because pages
are written without torch."""


@dataclass(frozen=True)
class CellGrid:
    """The cells that the pictures of a class stand in.

    Attributes:
        count: Number of cells per class.
        names: The descriptors; empty where pictures stand one after the other, the surest first.
        columns, rows: Size of the grid as it is drawn.
    """

    count: int
    names: tuple[str, ...]
    columns: int
    rows: int

    @property
    def across(self) -> tuple[str, str] | None:
        """Words for the left and the right end."""
        return ENDS.get(self.names[-1]) if self.names else None

    @property
    def up(self) -> tuple[str, str] | None:
        """Words for the lower and the upper end, where the vertical axis is one descriptor."""
        return ENDS.get(self.names[0]) if len(self.names) == 2 else None

    def arranged(self, pictures: Sequence[tuple[Sequence[int], float]]) -> list[int | None]:
        """Return the number of the picture in each cell, or None, row by row from the top.

        Args:
            pictures: The cell and the confidence of each picture.

        Raises:
            ValueError: A picture's cell is none of the grid's, or two pictures stand in one.
        """
        numbers: list[int | None] = [None] * (self.columns * self.rows)
        if not self.names:
            order = sorted(range(len(pictures)), key=lambda number: -pictures[number][1])
            if len(order) > len(numbers):
                raise ValueError(f"{len(order)} pictures of a class, and {len(numbers)} cells")
            return [*order, *numbers[len(order) :]]
        for number, (cell, _) in enumerate(pictures):
            if len(cell) != len(self.names) or not all(0 <= bin_ < self.columns for bin_ in cell):
                raise ValueError(f"cell {list(cell)} is none of the grid's")
            row = 0
            for bin_ in cell[:-1]:
                row = row * self.columns + bin_
            position = (self.rows - 1 - row) * self.columns + cell[-1]
            if numbers[position] is not None:
                raise ValueError(f"two pictures in cell {list(cell)}")
            numbers[position] = number
        return numbers


def cell_grid(options: EvolveOptions) -> CellGrid | None:
    """Return how the pictures of a run's classes stand; None where each class has one picture.

    Raises:
        ValueError: The grid is larger than any that can be shown.
    """
    bins, names = options.bins, options.descriptors or ()
    if bins is None:
        return None
    if not names:
        columns = min(bins, ROW_LENGTH)
        return CellGrid(bins, (), columns, math.ceil(bins / columns))
    if len(names) * math.log2(bins) > math.log2(MAX_CELLS):
        raise ValueError(f"{bins} bins along {len(names)} descriptors are more than {MAX_CELLS:,} cells per class")
    return CellGrid(bins ** len(names), names, bins, bins ** (len(names) - 1))
