"""The contact sheet: every elite with its class and confidence, in one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from ...errors import RunError
from ...io.files import write_atomically
from ...store.run import RunFolder
from ..pages.cells import cells_of
from ..pages.chosen import surest
from .drawing import columns_for, draw_elite
from .lettering import FAINT, INK, PAPER, caption, how_sure, line
from .panels import Panels

MOST_PICTURES = 1000
"""of a sheet that shows all of each class"""


class Tiles:
    """One picture a class, with its name below. Sizes are in pixels."""

    def __init__(self, elites: Sequence[dict[str, Any]]) -> None:
        self.elites, count = elites, len(elites)
        self.tile = next(
            size for most, size in ((12, 360), (40, 256), (120, 192), (400, 144), (10**9, 112)) if count <= most
        )
        self.columns = columns_for(count)
        self.rows = math.ceil(count / self.columns)
        self.gap, self.text = max(10, self.tile // 10), max(11, self.tile // 17)
        self._step = self.tile + self.gap, self.tile + round(2.3 * self.text) + self.gap
        self.width, self.height = self.columns * self._step[0] - self.gap, self.rows * self._step[1] + self.gap

    def paint(self, sheet: Image.Image, draw: ImageDraw.ImageDraw, run: RunFolder, corner: tuple[int, int]) -> bool:
        """Draw them; returns whether any is sharp."""
        inset = False
        for position, elite in enumerate(self.elites):
            row, column = divmod(position, self.columns)
            x, y = corner[0] + column * self._step[0], corner[1] + row * self._step[1]
            inset |= draw_elite(sheet, run, elite, (x, y), self.tile)
            caption(draw, elite["class"], elite["score"], (x, y + self.tile), self.tile, self.text)
        return inset


def contact_sheet(path: Path) -> Image.Image:
    """The contact sheet of a run folder.

    Elites are sorted by confidence, then class. Where the network sees fewer pixels than a tile has, a
    CPPN is rendered anew at the tile's size and what the network saw is set into its corner. Several elites of a class
    stand together; where they are too many, only the surest of each class is shown.

    Raises:
        RunError: the folder is no run, or has no elites yet.
    """
    run = RunFolder.open(path)
    elites = sorted(run.elites(), key=lambda elite: (-elite["score"], elite["index"]))
    if not elites:
        raise RunError(f"{path} has no elites yet; let it run for a generation: evofool resume {path}")
    best = surest(elites)
    body: Tiles | Panels
    try:
        cells = cells_of(run.config)
        body = Panels(elites, cells) if cells and len(elites) <= MOST_PICTURES else Tiles(best)
    except (ValueError, TypeError) as error:
        raise RunError(f"{path} is damaged ({error}); resume it, or start anew") from error
    margin = 3 * body.gap
    width = max(body.width, 720) + 2 * margin
    header, footer = max(112, round(width * 0.07)), max(56, round(width * 0.03))
    height = header + body.height + footer
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    told = how_sure([elite["score"] for elite in best])
    if cells:
        told += f" · {len(elites):,} pictures in {len(best) * cells.niches:,} niches"
    _header(draw, run, told, (margin, width - 2 * margin), header)
    inset = body.paint(sheet, draw, run, (margin, header))
    _footer(draw, run, inset, (margin, height - footer // 2), width - 2 * margin, footer)
    return sheet


def _header(draw: ImageDraw.ImageDraw, run: RunFolder, told: str, place: tuple[int, int], height: int) -> None:
    left, room = place
    title = f"What {run.config['target']['name']} is sure about"
    line(draw, title, (left, height * 0.22), room, round(height * 0.28), INK)
    line(draw, told, (left, height * 0.62), room, round(height * 0.14), FAINT)


def _footer(
    draw: ImageDraw.ImageDraw, run: RunFolder, inset: bool, place: tuple[int, int], room: int, height: int
) -> None:
    config = run.config
    told = [f"evofool {config['versions']['evofool']}", config["encoding"], f"preset {config['preset']}"]
    told.append(f"seed {config['seed']}")
    last = run.metrics()[-1:]
    if last:
        told.append(f"{last[0]['evaluations']:,} evaluations")
    if inset:
        told.append("large: the genome rendered sharp; corner: the pixels the network saw")
    line(draw, "  ·  ".join(told), place, room, round(height * 0.3), FAINT, anchor="ls")


def write_sheet(path: Path) -> Path:
    """Write ``gallery.png`` into a run folder; returns its path. Raises as :func:`contact_sheet`."""
    file = path / "gallery.png"
    sheet = contact_sheet(path)
    try:
        write_atomically(file, lambda out: sheet.save(out, "PNG"))
    except OSError as error:
        raise RunError(f"cannot write {file}: {error.strerror or error}") from error
    return file
