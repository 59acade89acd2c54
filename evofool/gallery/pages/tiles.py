"""The grid of a gallery page: which tiles stand on which card, and in which order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..cells import ROW_LENGTH, CellGrid
from .sources import Source, Tile, surest
from .storage import Storage

COARSE = 128
"""Longest side, in pixels, of images that are shown with hard edges, and as CPPNs drawn sharp; exclusive."""

FEW_CARDS, SOME_CARDS = 12, 120
"""Numbers of cards up to which they are shown large, and of medium size."""


MAX_COLUMNS = 5
"""Largest number of pictures that stand beside each other on a card; ``grid.css`` knows as many."""


class Numbered(NamedTuple):
    """A tile with its number on the page and that of its source."""

    number: int
    source: int
    tile: Tile


@dataclass(frozen=True)
class Shown:
    """A tile on a card.

    Attributes:
        number, source, tile: As in :class:`Numbered`.
        picture: The ``src`` of its picture.
        label: Name of the source, where there are several.
    """

    number: int
    source: int
    tile: Tile
    picture: str
    label: str = ""


@dataclass(frozen=True)
class Card:
    """An entry of the grid: one picture, or those of a class. None stands for an empty cell."""

    name: str
    tiles: list[Shown | None]
    score: float | None = None


@dataclass(frozen=True)
class Grid:
    """All cards, with what the style sheet needs to know.

    Attributes:
        cards: In the order of the page.
        style: Names of CSS classes.
        paired: Whether a card shows a class of several sources side by side.
        cells: How the pictures of a class stand on a card, where each class has several.
    """

    cards: list[Card]
    style: str
    paired: bool = False
    cells: CellGrid | None = None


def numbered_tiles(sources: Sequence[Source]) -> list[Numbered]:
    """Return the tiles of all sources, numbered through."""
    tiles = ((at, tile) for at, source in enumerate(sources) for tile in source.tiles)
    return [Numbered(number, at, tile) for number, (at, tile) in enumerate(tiles)]


def shared_classes(sources: Sequence[Source]) -> bool:
    """Return whether a class is in several sources, so that there is something to show side by side."""
    names = [{tile.name for tile in source.tiles} for source in sources]
    return sum(map(len, names)) > len(set().union(*names))


def tile_grid(sources: Sequence[Source], storage: Storage) -> Grid:
    """Return the grid of a page, the surest class first."""
    numbered = numbered_tiles(sources)
    hard = " hard" if all(max(source.shape[1:]) < COARSE for source in sources) else ""
    if len(sources) == 1 and sources[0].cells:
        return _cell_grid(sources[0], sources[0].cells, numbered, storage, hard)
    labels = [source.name if len(sources) > 1 else "" for source in sources]
    paired = shared_classes(sources)
    groups = _by_class(numbered) if paired else [[tile] for tile in sorted(numbered, key=_doubt)]
    cards = []
    for group in groups:
        tiles = [Shown(*tile, storage.picture(tile.number, tile.tile), labels[tile.source]) for tile in group]
        cards.append(Card(group[0].tile.name, list(tiles)))
    size = "few" if len(cards) <= FEW_CARDS else "some" if len(cards) <= SOME_CARDS else "many"
    return Grid(cards, f"grid pairs of{_columns(len(sources))}{hard}" if paired else f"grid {size}{hard}", paired)


def _cell_grid(source: Source, cells: CellGrid, numbered: list[Numbered], storage: Storage, hard: str) -> Grid:
    """Return the grid of a run with several pictures per class: they stand in their cells."""
    shown = {id(tile): Shown(number, at, tile, storage.picture(number, tile)) for number, at, tile in numbered}
    cards = []
    for tiles in sorted(source.classes(), key=lambda tiles: -(surest(tiles).score or 0.0)):
        order = cells.arranged([(tile.cell, tile.score or 0.0) for tile in tiles])
        in_cells = [None if at is None else shown[id(tiles[at])] for at in order]
        cards.append(Card(tiles[0].name, in_cells, surest(tiles).score or 0.0))
    tight = " tight" if cells.columns > ROW_LENGTH else ""
    return Grid(cards, f"grid pairs cells{hard}{tight}", cells=cells)


def _columns(count: int) -> int:
    """Return in how many columns the pictures of so many sources stand on a card: in one row, or in even ones."""
    return count if count <= MAX_COLUMNS else min(MAX_COLUMNS, math.ceil(count / 2))


def _doubt(tile: Numbered) -> float:
    """Return a sorting key that puts the surest first."""
    return -(tile.tile.score or 0.0)


def _by_class(numbered: list[Numbered]) -> list[list[Numbered]]:
    """Return tiles of the same class together. Classes of one network that share a name stay apart, by their order."""
    groups: dict[tuple[str, int], list[Numbered]] = {}
    count: Counter[tuple[int, str]] = Counter()
    for tile in numbered:
        key = tile.source, tile.tile.name
        groups.setdefault((tile.tile.name, count[key]), []).append(tile)
        count[key] += 1
    return list(groups.values())
