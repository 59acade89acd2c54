"""The several pictures of each class as panels of a contact sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw

from ...store.run import RunFolder
from ..pages.cells import Cells
from .drawing import columns_for, draw_elite
from .lettering import FAINT, RULE, bar, label, line, thickness

PANEL = 440
"""pixels across, about"""


class Panels:
    """A panel a class: its pictures where they stand among each other. Sizes are in pixels.

    Raises:
        ValueError: the pictures don't fit their cells.
    """

    def __init__(self, elites: Sequence[dict[str, Any]], cells: Cells) -> None:
        classes: dict[int, list[dict[str, Any]]] = {}
        for elite in elites:
            classes.setdefault(elite["index"], []).append(elite)
        self.cells = cells
        self.classes = sorted(classes.values(), key=lambda own: -max(elite["score"] for elite in own))
        self.places = [
            cells.arranged([(elite.get("cell", []), elite["score"]) for elite in own]) for own in self.classes
        ]
        self.text = 17
        self.tile = max(40, min(160, PANEL // max(cells.columns, 2)))
        self.inner, self.gap = max(3, self.tile // 16), 34
        self._left = round(1.6 * self.text) if cells.up else 0
        self._grid = tuple(count * (self.tile + self.inner) - self.inner for count in (cells.columns, cells.rows))
        below = round((4.2 if cells.across else 2.6) * self.text)
        self._step = self._left + self._grid[0] + self.gap, self._grid[1] + below + self.gap
        self.columns = columns_for(len(self.classes), 1.6 * self._step[1] / self._step[0])
        rows = math.ceil(len(self.classes) / self.columns)
        self.width, self.height = self.columns * self._step[0] - self.gap, rows * self._step[1] + self.gap // 2

    def paint(self, sheet: Image.Image, draw: ImageDraw.ImageDraw, run: RunFolder, corner: tuple[int, int]) -> bool:
        """Draw them; returns whether any is sharp."""
        inset = False
        for position, (own, places) in enumerate(zip(self.classes, self.places, strict=True)):
            row, column = divmod(position, self.columns)
            x, y = corner[0] + column * self._step[0] + self._left, corner[1] + row * self._step[1]
            for place, at in enumerate(places):
                down, right = divmod(place, self.cells.columns)
                left, top = x + right * (self.tile + self.inner), y + down * (self.tile + self.inner)
                if at is None:
                    draw.rectangle((left, top, left + self.tile - 1, top + self.tile - 1), outline=RULE)
                else:
                    inset |= draw_elite(sheet, run, own[at], (left, top), self.tile)
            self._caption(sheet, draw, own, (x, y))
        return inset

    def _caption(
        self, sheet: Image.Image, draw: ImageDraw.ImageDraw, own: Sequence[dict[str, Any]], corner: tuple[int, int]
    ) -> None:
        (x, y), (width, height), text = corner, self._grid, self.text
        below = y + height + round(0.4 * text)
        if self.cells.across:
            self._ends(draw, self.cells.across, (x, below), width)
            below += round(1.6 * text)
        if self.cells.up:
            turned = Image.new("RGB", (height, self._left), sheet.getpixel((0, 0)))
            self._ends(ImageDraw.Draw(turned), self.cells.up, (0, 0), height)
            sheet.paste(turned.rotate(90, expand=True), (x - self._left, y))
        best = max(elite["score"] for elite in own)
        bar(draw, best, (x, below), width)
        label(draw, own[0]["class"], best, (x, below + thickness(width) + text * 0.35), width, text)

    def _ends(self, draw: ImageDraw.ImageDraw, words: tuple[str, str], place: tuple[int, int], width: int) -> None:
        """What both ends of an axis are called."""
        size = round(0.8 * self.text)
        line(draw, words[0], place, width / 2, size, FAINT)
        line(draw, words[1], (place[0] + width, place[1]), width / 2, size, FAINT, anchor="ra")
