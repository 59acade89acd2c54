"""Elites as pictures of a size: sharp, centred in a tile, with what the network saw in the corner."""

from __future__ import annotations

import math
from typing import Any

from PIL import Image

from ...io.images import open_image, to_image
from ...store.run import RunFolder
from .lettering import DARK


def columns_for(count: int, ratio: float = 1.6) -> int:
    """Return the columns of a grid of ``count`` tiles: about ``ratio`` times its rows, with few empty places."""
    wide = math.sqrt(ratio * count)
    choices = range(max(1, math.floor(wide * 0.95)), max(2, math.ceil(wide * 1.35) + 1))
    return min(count, min(choices, key=lambda c: (-count % c / c, abs(c - wide))))


def draw_elite(sheet: Image.Image, run: RunFolder, elite: dict[str, Any], corner: tuple[int, int], tile: int) -> bool:
    """Draw an elite into a square tile.

    Args:
        sheet: The image to draw on.
        run: The run that the elite is of.
        elite: The elite's line of ``elites.jsonl``.
        corner: Left and top of the tile.
        tile: Side of the tile, in pixels.

    Returns:
        Whether it was drawn sharp, with what the network saw in its corner.
    """
    seen = open_image(run.picture(elite))
    sharp = _render(run, elite, tile)
    sheet.paste(fit_tile(sharp or seen, tile), corner)
    if sharp is not None:
        _draw_inset(sheet, seen, *corner, tile)
    return sharp is not None


def _render(run: RunFolder, elite: dict[str, Any], tile: int) -> Image.Image | None:
    """Return a CPPN elite at the tile's size, or None where that shows no more than what was scored."""
    genome = run.genome(elite)
    if genome is None:
        return None
    height, width = genome.encoding.image_shape[1:]
    if max(height, width) >= tile:
        return None
    scale = tile / max(height, width)
    size = (round(height * scale), round(width * scale))
    return to_image(genome.encoding.decode_at(genome.genomes, size)[0].numpy())


def fit_tile(image: Image.Image, tile: int) -> Image.Image:
    """Return an image scaled to a tile and centred in it; small images keep hard pixel edges."""
    scale = tile / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    method = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS
    canvas = Image.new("RGB", (tile, tile), DARK.paper)
    canvas.paste(image.convert("RGB").resize(size, method), ((tile - size[0]) // 2, (tile - size[1]) // 2))
    return canvas


def _draw_inset(sheet: Image.Image, seen: Image.Image, x: int, y: int, tile: int) -> None:
    """Draw what the network saw into the lower right corner of the tile at (x, y)."""
    zoom = max(1, round(tile * 0.27 / max(seen.size)))
    picture = seen.convert("RGB").resize((seen.width * zoom, seen.height * zoom), Image.Resampling.NEAREST)
    frame = max(2, tile // 90)
    framed = Image.new("RGB", (picture.width + frame, picture.height + frame), DARK.frame)
    framed.paste(picture, (frame, frame))
    sheet.paste(framed, (x + tile - framed.width, y + tile - framed.height))
