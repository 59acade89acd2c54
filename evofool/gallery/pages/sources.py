"""What a gallery page shows: sources, each with a tile for every picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ...config.records import RunConfig
from ..cells import CellGrid
from .strip import Strip


class Figure(NamedTuple):
    """A figure at the top of a page: its name, its value, and a note below it."""

    name: str
    value: str
    note: str


class Ancestor(NamedTuple):
    """One elite of a lineage."""

    generation: int
    name: str
    score: float
    evaluation_id: int


@dataclass
class Tile:
    """One picture, and what is known of it.

    Attributes:
        name: Name of the class.
        score: Confidence of that class; None where it isn't scored.
        picture: PNG of exactly the pixels that the network saw, or its file.
        index: Index of the class.
        top: The network's first guesses, each with its probability.
        generation, evaluation, size: When the genome was found, and how large it is.
        genome: JSON of the genome's file.
        lineage: Ancestors and then the genome itself, the first ancestor first.
        ancestor_count: Number of ancestors, those that ``lineage`` leaves out included.
        stem: Name of the files that are made of this tile, without ending.
        commands: Commands that render or score it again.
        changed: The file that the genome is downloaded as once its weights are changed, and its commands.
        before: PNG of an attacked image as it was.
        change: Class of an attacked image before and after.
        edits: (x, y) of the pixels that were changed.
        details: Names and values of other facts.
        cell: Where it stands among the pictures of its class.
        parts: What an experiment found to stay without parts of it; ``parts.js`` says how it looks.
    """

    name: str
    score: float | None
    picture: bytes | Path
    index: int | None = None
    top: list[tuple[str, float]] = field(default_factory=list)
    generation: int | None = None
    evaluation: int | None = None
    size: int | None = None
    genome: dict[str, Any] | None = None
    lineage: list[Ancestor] = field(default_factory=list)
    ancestor_count: int = 0
    stem: str = "genome"
    commands: list[str] = field(default_factory=list)
    changed: tuple[str, list[str]] | None = None
    before: bytes | None = None
    change: tuple[str, str] | None = None
    edits: list[tuple[int, int]] = field(default_factory=list)
    details: list[tuple[str, str]] = field(default_factory=list)
    cell: list[int] = field(default_factory=list)
    parts: dict[str, Any] | None = None


@dataclass(frozen=True)
class Progress:
    """How far a run has come."""

    generation: int
    evaluations: int
    confirmations: int
    seconds: float


@dataclass
class Source:
    """A run, a campaign, or genomes from files.

    Attributes:
        name: What a page of several sources calls it.
        target: Name of the network.
        encoding: Name of the encoding.
        tiles: One for each picture.
        shape: (C, H, W) of what the network sees.
        network: Name of the network with what tells it from others of its name, where that may be known.
        preset, seed, progress: Known of runs; a campaign has a seed.
        swapped: Names of the operators that the user swapped, by alias.
        strip: How the confidence of a run grew.
        frame: How CPPNs become pictures: ``shape``, ``xy`` (coordinates) and ``colour``.
        ancestors: Ancestors by ``evaluation_id``: compact CPPNs, or pictures as data URIs.
        title, lead, figures: Texts at the top of the page; a page has its own where they are empty.
        links: Other pages and their descriptions; shown on a page that lies beside them.
        sorts: What tiles can be sorted by, where that differs; an empty description leaves a key out.
        cells: How the pictures of a class stand together, where there are several.
        filled: How many niches of a run have a picture, and how many it has, those of the shown classes.
        config: A run's config.
        hardware: On which hardware it was scored, in words, where that was of several kinds.
    """

    name: str
    target: str
    encoding: str
    tiles: list[Tile]
    shape: tuple[int, int, int]
    network: str = ""
    preset: str | None = None
    seed: int | None = None
    progress: Progress | None = None
    swapped: dict[str, str] = field(default_factory=dict)
    strip: Strip | None = None
    frame: dict[str, Any] | None = None
    ancestors: dict[int, Any] = field(default_factory=dict)
    title: str = ""
    lead: str = ""
    figures: list[Figure] = field(default_factory=list)
    links: list[tuple[Path, str]] = field(default_factory=list)
    sorts: dict[str, str] = field(default_factory=dict)
    cells: CellGrid | None = None
    filled: tuple[int, int] | None = None
    config: RunConfig | None = None
    hardware: str = ""

    def classes(self) -> list[list[Tile]]:
        """Return the tiles of each class; each tile alone where every class has one picture."""
        if not self.cells:
            return [[tile] for tile in self.tiles]
        classes: dict[int | None, list[Tile]] = {}
        for tile in self.tiles:
            classes.setdefault(tile.index, []).append(tile)
        return list(classes.values())

    def is_other(self, tile: Tile) -> bool:
        """Return whether the network takes a picture of a run for another class than its own first."""
        return self.config is not None and bool(tile.top) and tile.top[0][0] != tile.name

    def keep_surest_per_class(self) -> None:
        """Drop all tiles but the surest of each class."""
        self.tiles, self.cells = [surest(tiles) for tiles in self.classes()], None


def surest(tiles: list[Tile]) -> Tile:
    """Return the first of the tiles with the highest confidence."""
    return max(tiles, key=lambda tile: tile.score or 0.0)
