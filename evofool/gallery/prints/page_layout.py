"""The layout of a poster: its size on paper or in pixels, and where its tiles are."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ...errors import ConfigError
from .banded import DPI

MIN_EDGE, MAX_EDGE, MAX_PIXELS = 200, 32_768, 1_000_000_000
"""Shortest and longest side of a poster and its largest area, in pixels."""

MIN_TILE = 24
"""Smallest side of a tile, in pixels."""

MIN_NAMED_TILE = 84
"""Smallest width of tiles with names, in pixels; smaller ones have only a bar for their confidence."""

MAX_EVEN = 30
"""Largest number of tiles that are spread evenly over the rows; of more, the last row has the rest."""

CAPTION, MIN_GAP, MAX_GAP = 0.155, 0.05, 0.16
"""Height of a caption, and smallest and largest gap of tiles, as shares of a tile's width."""

PAPERS = {"a0": (841, 1189), "a1": (594, 841), "a2": (420, 594), "a3": (297, 420), "a4": (210, 297), "a5": (148, 210)}
"""Width and height of upright papers, in millimetres (ISO 216)."""


@dataclass(frozen=True)
class Layout:
    """Where the tiles of a page are, in pixels.

    Attributes:
        columns, rows: How many there are.
        tile: Height and width of a tile.
        gap: Gaps between rows, captions left out, and between columns.
        top: Upper edge of the first row.
        font_size: Font size of the captions; None where there is no room for names.
        caption: Height of the caption under a tile.
    """

    columns: int
    rows: int
    tile: tuple[int, int]
    gap: tuple[int, int]
    top: int
    font_size: int | None
    caption: int

    def corners(self, count: int, width: int) -> list[tuple[int, int]]:
        """Return left and top of ``count`` tiles; the rows are centred on a page of some width."""
        step_y, step_x = (edge + gap for edge, gap in zip(self.tile, self.gap, strict=True))
        if count <= MAX_EVEN:
            ends = [count * (row + 1) // self.rows for row in range(self.rows)]
        else:
            ends = [min(count, self.columns * (row + 1)) for row in range(self.rows)]
        corners = []
        for row, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            left = (width - (end - start) * step_x + self.gap[1]) // 2
            top = self.top + row * (step_y + self.caption)
            corners += [(left + column * step_x, top) for column in range(end - start)]
        return corners


def page_size(size: str) -> tuple[int, int]:
    """Return width and height of a page in pixels.

    Args:
        size: ``"7016x4961"`` (width × height in pixels), or a paper at 300 dpi: ``a0`` to ``a5``, which lie on their
            side unless followed by ``-portrait``.

    Raises:
        ConfigError: It is neither a paper nor pixels, or too small or too large.
    """
    word = size.strip().lower()
    paper = re.fullmatch(r"(a[0-5])(?:-(landscape|portrait))?", word)
    pixels = re.fullmatch(r"([0-9]{1,12})[x×]([0-9]{1,12})", word)
    if paper:
        width, height = (round(edge / 25.4 * DPI) for edge in PAPERS[paper[1]])
        return (width, height) if paper[2] == "portrait" else (height, width)
    if not pixels:
        raise ConfigError(f'`size` must be WIDTHxHEIGHT in pixels, or a0 to a5 as in a2 or a2-portrait, got "{size}"')
    width, height = int(pixels[1]), int(pixels[2])
    if not (min(width, height) >= MIN_EDGE and max(width, height) <= MAX_EDGE and width * height <= MAX_PIXELS):
        raise ConfigError(
            f"`size` must be {MIN_EDGE} to {MAX_EDGE:,} pixels a side and at most {MAX_PIXELS:,} in all, "
            f"got {width}x{height}"
        )
    return width, height


def margin_of(page: tuple[int, int]) -> int:
    """Return the margin of a page, in pixels."""
    return round(0.035 * min(page))


def layout_of(
    count: int, page: tuple[int, int], ratio: float, above: int, below: int, caption_scale: float = 1.0
) -> Layout:
    """Return the layout with the largest tiles that fit.

    Args:
        count: Number of tiles.
        page: Width and height of the page.
        ratio: Height of a tile by its width.
        above: Height that is taken at the top of the page.
        below: Height that is taken at its bottom.
        caption_scale: Factor of the captions' size.

    Raises:
        ConfigError: The tiles are too many to be seen.
    """
    width, height = page[0] - 2 * margin_of(page), page[1] - above - below
    caption_share = CAPTION * caption_scale

    def widest(columns: int) -> float:
        rows = math.ceil(count / columns)
        across = width / (columns + MIN_GAP * (columns - 1))
        return min(across, height / (rows * (ratio + caption_share) + MIN_GAP * (rows - 1) * 0.5))

    columns = max(range(1, count + 1), key=lambda columns: (math.floor(widest(columns)), -columns))
    rows, tile = math.ceil(count / columns), math.floor(widest(columns))
    if min(tile, tile * ratio) < MIN_TILE:
        raise ConfigError(
            f"{count:,} pictures don't fit on {page[0]}x{page[1]} pixels with {MIN_TILE} pixels each; "
            "choose a larger `size`, or fewer runs"
        )
    high, caption = round(tile * ratio), math.floor(caption_share * tile)
    free_x, free_y = width - columns * tile, height - rows * (high + caption)
    gap_x = min(free_x // max(1, columns - 1), round(MAX_GAP * tile))
    gap_y = min(free_y // max(1, rows - 1), round(MAX_GAP * tile))
    return Layout(
        columns=columns,
        rows=rows,
        tile=(high, tile),
        gap=(gap_y, gap_x),
        top=above + (free_y - gap_y * (rows - 1)) // 2,
        font_size=max(7, round(caption_scale * tile / 14.5)) if tile >= MIN_NAMED_TILE else None,
        caption=caption,
    )
