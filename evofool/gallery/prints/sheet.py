"""The contact sheet: every elite with its class and confidence, in one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw

from ...errors import RunError
from ...io.files import write_atomically
from ...store.run import RunFolder
from ...text import counted
from ..cells import cell_grid
from ..elite_lines import surest_per_class
from .drawing import columns_for, draw_elite
from .lettering import DARK, Style, confidence_summary, draw_caption, draw_line, missing_letters
from .panels import Panels

SHEET = "gallery.png"
"""The sheet's file in a run's folder."""

MAX_PICTURES = 1000
"""Largest number of pictures of a sheet with several per class; of more, only the surest of each class is shown."""

MAX_TILES = 2000
"""Largest number of classes of a sheet, which then has 40 million pixels; of more, the surest are shown."""

TILE_SIZES = ((12, 360), (40, 256), (120, 192), (400, 144), (10**9, 112))
"""Sides of tiles in pixels, each with the largest number of tiles that have it."""


class Tiles:
    """One picture per class, with its name below. Sizes are in pixels.

    Args:
        elites: Lines of ``elites.jsonl``.
    """

    def __init__(self, elites: Sequence[dict[str, Any]]) -> None:
        self.elites, count = elites, len(elites)
        self.tile = next(size for largest, size in TILE_SIZES if count <= largest)
        self.columns = columns_for(count)
        self.rows = math.ceil(count / self.columns)
        self.gap, self.text = max(10, self.tile // 10), max(11, self.tile // 17)
        self._step = self.tile + self.gap, self.tile + round(2.3 * self.text) + self.gap
        self.width, self.height = self.columns * self._step[0] - self.gap, self.rows * self._step[1] + self.gap

    def paint(
        self, sheet: Image.Image, draw: ImageDraw.ImageDraw, run: RunFolder, corner: tuple[int, int], style: Style
    ) -> bool:
        """Draw the tiles and return whether any picture is drawn sharp, with an inset."""
        inset = False
        for position, elite in enumerate(self.elites):
            row, column = divmod(position, self.columns)
            x, y = corner[0] + column * self._step[0], corner[1] + row * self._step[1]
            inset |= draw_elite(sheet, run, elite, (x, y), self.tile)
            draw_caption(draw, elite["class"], elite["score"], (x, y + self.tile), self.tile, self.text, style)
        return inset


class Sheet(NamedTuple):
    """A contact sheet.

    Attributes:
        picture: The sheet.
        missing: Letters of its title and names that no font has, so that something else stands there.
    """

    picture: Image.Image
    missing: str


def contact_sheet(path: Path) -> Sheet:
    """Draw the contact sheet of a run.

    Elites are sorted by confidence, then class. Where the network sees fewer pixels than a tile has, a CPPN is
    rendered anew at the tile's size and what the network saw is set into its corner. Several elites of a class stand
    together. Where these are more than ``MAX_PICTURES``, only the surest of each class is shown, and of more than
    ``MAX_TILES`` classes the surest ones.

    Raises:
        RunError: The folder is no run, is damaged, or has no elites yet.
    """
    run = RunFolder.open(path)
    elites = sorted(run.elites(), key=lambda elite: (-elite["score"], elite["index"]))
    if not elites:
        raise RunError(f"{path} has no elites yet; let it run for a generation: evofool resume {path}")
    best = surest_per_class(elites)
    body: Tiles | Panels
    try:
        cells = cell_grid(run.config.options)
        body = Panels(elites, cells) if cells and len(elites) <= MAX_PICTURES else Tiles(best[:MAX_TILES])
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}); resume it, or start anew") from error
    margin = 3 * body.gap
    width = max(body.width, 720) + 2 * margin
    header, footer = max(112, round(width * 0.07)), max(56, round(width * 0.03))
    height = header + body.height + footer
    sheet = Image.new("RGB", (width, height), DARK.paper)
    texts = [_title(run), *(str(elite["class"]) for elite in elites)]
    style = DARK.for_texts(texts)
    draw = ImageDraw.Draw(sheet)
    summary = confidence_summary([elite["score"] for elite in best])
    if len(best) > MAX_TILES:
        summary += f" · the surest {MAX_TILES:,} are shown"
    if cells:
        summary += f" · {counted(len(elites), 'picture')} in {counted(len(best) * cells.count, 'niche')}"
    _draw_header(draw, run, summary, (margin, width - 2 * margin), header, style)
    inset = body.paint(sheet, draw, run, (margin, header), style)
    _draw_footer(draw, run, inset, (margin, height - footer // 2), width - 2 * margin, footer, style)
    return Sheet(sheet, missing_letters(texts, style))


def write_sheet(path: Path) -> tuple[Path, str]:
    """Write ``gallery.png`` into a run's folder and return its path, and the letters that no font has.

    Raises:
        RunError: As :func:`contact_sheet`, or the file can't be written.
    """
    file = path / SHEET
    sheet = contact_sheet(path)
    try:
        write_atomically(file, lambda out: sheet.picture.save(out, "PNG"))
    except OSError as error:
        raise RunError(f"cannot write {file}: {error.strerror or error}") from error
    return file, sheet.missing


def _title(run: RunFolder) -> str:
    return f"What {run.config.target.name} is sure about"


def _draw_header(
    draw: ImageDraw.ImageDraw, run: RunFolder, summary: str, extent: tuple[int, int], height: int, style: Style
) -> None:
    """Draw the title and the summary into a header, whose extent is its left end and its width."""
    left, width = extent
    draw_line(draw, _title(run), (left, height * 0.22), width, round(height * 0.28), style.ink, face=style.face)
    draw_line(draw, summary, (left, height * 0.62), width, round(height * 0.14), style.faint, face=style.face)


def _draw_footer(
    draw: ImageDraw.ImageDraw,
    run: RunFolder,
    inset: bool,
    corner: tuple[int, int],
    width: int,
    height: int,
    style: Style,
) -> None:
    """Draw what makes the run again, from the lower left corner on."""
    options = run.config.options
    parts = [f"evofool {run.config.versions.get('evofool', '')}".rstrip(), options.encoding, f"preset {options.preset}"]
    parts.append(f"seed {options.seed}")
    if run.config.swapped:
        parts.append(f"own {', '.join(run.config.swapped)}")
    last = run.metrics()[-1:]
    if last:
        parts.append(counted(last[0]["evaluations"], "evaluation"))
    if inset:
        parts.append("large: the genome rendered sharp; corner: the pixels the network saw")
    draw_line(draw, "  ·  ".join(parts), corner, width, round(height * 0.3), style.faint, anchor="ls", face=style.face)
