"""Elites as pictures of a size: sharp, centred in a tile, with what the network saw in the corner."""

from __future__ import annotations

import math
from typing import Any

from PIL import Image

from ...io.images import open_image, to_image
from ...store.run import RunFolder
from .lettering import FRAME, PAPER


def columns_for(count: int, ratio: float = 1.6) -> int:
    """Columns of so many tiles: about ``ratio`` times as many as rows, with few empty places."""
    wide = math.sqrt(ratio * count)
    choices = range(max(1, math.floor(wide * 0.95)), max(2, math.ceil(wide * 1.35) + 1))
    return min(count, min(choices, key=lambda c: (-count % c / c, abs(c - wide))))


def draw_elite(sheet: Image.Image, run: RunFolder, elite: dict[str, Any], place: tuple[int, int], tile: int) -> bool:
    """Draw an elite into a square; returns whether it was drawn sharp, with what the network saw in its corner.

    Args:
        sheet: where to.
        run: whose it is.
        elite: its line of ``elites.jsonl``.
        place: left and top.
        tile: side in pixels.
    """
    seen = open_image(run.picture(elite))
    sharp = _sharp(run, elite, tile)
    sheet.paste(_scaled(sharp or seen, tile), place)
    if sharp is not None:
        _inset(sheet, seen, *place, tile)
    return sharp is not None


def _sharp(run: RunFolder, elite: dict[str, Any], tile: int) -> Image.Image | None:
    """A CPPN elite at the tile's size, or None where that shows no more than what was scored."""
    genome = run.genome(elite)
    if genome is None:
        return None
    height, width = genome.encoding.image_shape[1:]
    if max(height, width) >= tile:
        return None
    scale = tile / max(height, width)
    size = (round(height * scale), round(width * scale))
    return to_image(genome.encoding.decode_at(genome.genomes, size)[0].numpy())


def _scaled(image: Image.Image, tile: int) -> Image.Image:
    """Centred in a tile; small pictures keep hard pixel edges."""
    scale = tile / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    method = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS
    canvas = Image.new("RGB", (tile, tile), PAPER)
    canvas.paste(image.convert("RGB").resize(size, method), ((tile - size[0]) // 2, (tile - size[1]) // 2))
    return canvas


def _inset(sheet: Image.Image, seen: Image.Image, x: int, y: int, tile: int) -> None:
    zoom = max(1, round(tile * 0.27 / max(seen.size)))
    picture = seen.convert("RGB").resize((seen.width * zoom, seen.height * zoom), Image.Resampling.NEAREST)
    frame = max(2, tile // 90)
    framed = Image.new("RGB", (picture.width + frame, picture.height + frame), FRAME)
    framed.paste(picture, (frame, frame))
    sheet.paste(framed, (x + tile - framed.width, y + tile - framed.height))
