"""How the pictures of a class stand together."""

from __future__ import annotations

import pytest

from evofool.config.evolve import EvolveOptions
from evofool.gallery.cells import CellGrid, cell_grid


def test_cells_stand_as_on_axes() -> None:
    cells = CellGrid(9, ("colour", "complexity"), 3, 3)
    assert cells.arranged([([0, 0], 0.5), ([2, 1], 0.5)]) == [None, 1, None, None, None, None, 0, None, None]
    assert (cells.across, cells.up) == (("plain", "busy"), ("grey", "colourful"))
    with pytest.raises(ValueError, match="none of the grid's"):
        cells.arranged([([0, 3], 0.5)])
    with pytest.raises(ValueError, match="two pictures"):
        cells.arranged([([0, 1], 0.5), ([0, 1], 0.6)])


def test_pictures_without_descriptors_stand_in_a_row_the_surest_first() -> None:
    row = CellGrid(3, (), 3, 1)
    assert row.arranged([([0], 0.5), ([2], 0.9)]) == [1, 0, None]
    assert row.across is row.up is None
    with pytest.raises(ValueError, match="4 pictures of a class, and 3 cells"):
        row.arranged([([], 0.5)] * 4)


def test_cells_of_options() -> None:
    assert cell_grid(EvolveOptions()) is None
    assert cell_grid(EvolveOptions(novelty="pixels", bins=20)) == CellGrid(20, (), 8, 3)
    assert cell_grid(EvolveOptions(descriptors=("hue",), bins=4)) == CellGrid(4, ("hue",), 4, 1)
    names = ("hue", "size", "slope")
    assert cell_grid(EvolveOptions(descriptors=names, bins=3)) == CellGrid(27, names, 3, 9)
    with pytest.raises(ValueError, match="more than 1,048,576 cells"):
        cell_grid(EvolveOptions(descriptors=names * 2, bins=64))
