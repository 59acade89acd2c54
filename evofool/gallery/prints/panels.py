"""The several pictures of each class as panels of a contact sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw

from ...store.run import RunFolder
from ...text import percent
from ..cells import CellGrid
from .drawing import columns_for, draw_elite
from .lettering import Style, bar_height, draw_bar, draw_label, draw_line

PANEL_WIDTH = 440
"""Approximate width of a panel's grid, in pixels."""

FONT_SIZE = 17
"""Font size of the captions, in pixels."""


class Panels:
    """A panel per class: its pictures in their cells. Sizes are in pixels.

    Args:
        elites: Lines of ``elites.jsonl``.
        cells: Where the pictures of a class stand.

    Raises:
        ValueError: The pictures don't fit their cells.
    """

    def __init__(self, elites: Sequence[dict[str, Any]], cells: CellGrid) -> None:
        classes: dict[int, list[dict[str, Any]]] = {}
        for elite in elites:
            classes.setdefault(elite["index"], []).append(elite)
        self.cells = cells
        self.classes = sorted(classes.values(), key=lambda pictures: -max(elite["score"] for elite in pictures))
        self.arrangements = [
            cells.arranged([(elite.get("cell", []), elite["score"]) for elite in pictures]) for pictures in self.classes
        ]
        self.tile = max(40, min(160, PANEL_WIDTH // max(cells.columns, 2)))
        self.inner, self.gap = max(3, self.tile // 16), 34
        self._left = round(1.6 * FONT_SIZE) if cells.up else 0
        self._grid = tuple(count * (self.tile + self.inner) - self.inner for count in (cells.columns, cells.rows))
        below = round((4.2 if cells.across else 2.6) * FONT_SIZE)
        self._step = self._left + self._grid[0] + self.gap, self._grid[1] + below + self.gap
        self.columns = columns_for(len(self.classes), 1.6 * self._step[1] / self._step[0])
        rows = math.ceil(len(self.classes) / self.columns)
        self.width, self.height = self.columns * self._step[0] - self.gap, rows * self._step[1] + self.gap // 2

    def paint(
        self, sheet: Image.Image, draw: ImageDraw.ImageDraw, run: RunFolder, corner: tuple[int, int], style: Style
    ) -> bool:
        """Draw the panels and return whether any picture is drawn sharp, with an inset."""
        inset = False
        for position, (pictures, arrangement) in enumerate(zip(self.classes, self.arrangements, strict=True)):
            row, column = divmod(position, self.columns)
            x, y = corner[0] + column * self._step[0] + self._left, corner[1] + row * self._step[1]
            for cell, picture in enumerate(arrangement):
                down, right = divmod(cell, self.cells.columns)
                left, top = x + right * (self.tile + self.inner), y + down * (self.tile + self.inner)
                if picture is None:
                    draw.rectangle((left, top, left + self.tile - 1, top + self.tile - 1), outline=style.rule)
                else:
                    inset |= draw_elite(sheet, run, pictures[picture], (left, top), self.tile)
            self._draw_caption(sheet, draw, pictures, (x, y), style)
        return inset

    def _draw_caption(
        self,
        sheet: Image.Image,
        draw: ImageDraw.ImageDraw,
        pictures: Sequence[dict[str, Any]],
        corner: tuple[int, int],
        style: Style,
    ) -> None:
        """Draw the axes of the panel at a corner, its class and the class's highest confidence."""
        (x, y), (width, height) = corner, self._grid
        below = y + height + round(0.4 * FONT_SIZE)
        if self.cells.across:
            _draw_ends(draw, self.cells.across, (x, below), width, style)
            below += round(1.6 * FONT_SIZE)
        if self.cells.up:
            turned = Image.new("RGB", (height, self._left), sheet.getpixel((0, 0)))
            _draw_ends(ImageDraw.Draw(turned), self.cells.up, (0, 0), height, style)
            sheet.paste(turned.rotate(90, expand=True), (x - self._left, y))
        best = max(elite["score"] for elite in pictures)
        draw_bar(draw, best, (x, below), width, style)
        label_top = below + bar_height(width) + FONT_SIZE * 0.35
        draw_label(draw, pictures[0]["class"], percent(best), (x, label_top), width, FONT_SIZE, style)


def _draw_ends(
    draw: ImageDraw.ImageDraw, names: tuple[str, str], corner: tuple[int, int], width: int, style: Style
) -> None:
    """Draw what both ends of an axis are called."""
    size = round(0.8 * FONT_SIZE)
    draw_line(draw, names[0], corner, width / 2, size, style.faint, face=style.face)
    draw_line(
        draw, names[1], (corner[0] + width, corner[1]), width / 2, size, style.faint, anchor="ra", face=style.face
    )
