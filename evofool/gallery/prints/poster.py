"""Posters: elites and genomes rendered sharp at any size, written band by band."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageDraw

from ...errors import ConfigError, RunError
from ...io.files import write_atomically
from ...io.png import Pixels
from ...text import confidence
from .banded import write_pdf, write_png
from .lettering import (
    DARK,
    LIGHT,
    Colour,
    Font,
    Style,
    bar_height,
    confidence_summary,
    draw_bar,
    draw_label,
    fit_text,
    missing_letters,
)
from .page_layout import Layout, layout_of, margin_of, page_size
from .pictures import Picture, RowReader, pictures_of

PIXELS_PER_BAND = 2**20
"""Pixels of a page that are in memory at once."""

WRITERS: dict[str, Callable[[BinaryIO, tuple[int, int], Iterator[Pixels]], None]] = {
    ".png": write_png,
    ".pdf": write_pdf,
}
"""Writers of files by their endings."""


@dataclass(frozen=True)
class Line:
    """A line of text, centred at ``middle``; sizes are in pixels."""

    text: str
    font: Font
    colour: Colour
    middle: int
    top: int
    bottom: int


@dataclass(frozen=True)
class Poster:
    """A poster that was written.

    Attributes:
        width, height: Its size in pixels.
        missing: Letters of its title and names that no font has, so that something else stands there.
        named: Whether there was room for names under the pictures.
    """

    width: int
    height: int
    missing: str
    named: bool


def write_poster(
    paths: list[Path],
    size: str,
    out: Path,
    *,
    title: str | None = None,
    classes: str | None = None,
    light: bool = False,
    band: int = PIXELS_PER_BAND,
) -> Poster:
    """Write a poster of elites and genomes: a page with their pictures rendered sharp, names and confidences.

    Args:
        paths: Runs, folders of CPPN genomes, genome files, or names of genome banks. The pictures of each, the surest
            first, follow one another.
        size: Size of the page in pixels or on paper; see :func:`page_size`.
        out: The PNG or PDF file.
        title: What stands at the top; by default what the networks are called.
        classes: Names or indices of the classes to show, as ``"cat,dog,8"``; None for all.
        light: Dark on white, for paper, instead of light on dark.
        band: Pixels of the page that are in memory at once.

    Returns:
        The poster's size, and the letters that no font has.

    Raises:
        ConfigError: The size or the file's ending won't do, the pictures don't fit on the page, or a class is none of
            theirs.
        RunError: Nothing to show is there, a run is damaged, or the file can't be written.
        GenomeError, ImageError: A genome or picture is damaged.
    """
    if out.suffix.lower() not in WRITERS:
        raise ConfigError(f"`out` must name a .png or .pdf file, got {out}")
    page = page_size(size)
    pictures = [picture for path in paths for picture in pictures_of(path, classes)]
    if not pictures:
        raise ConfigError("a poster needs a run, a genome file or a folder of genomes")
    texts = [title or _title(pictures), *(picture.name for picture in pictures)]
    style = (LIGHT if light else DARK).for_texts(texts)
    layout, bands = _page(pictures, page, texts[0], max(1, band // page[0]), style)
    try:
        write_atomically(out, lambda file: WRITERS[out.suffix.lower()](file, page, bands))
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror or error}; choose another `out`") from error
    return Poster(*page, missing_letters(texts, style), layout.font_size is not None)


def _page(
    pictures: list[Picture], page: tuple[int, int], title: str, rows: int, style: Style
) -> tuple[Layout, Iterator[Pixels]]:
    """Return the layout, and the page from top to bottom, in arrays (h, W, 3) of at most so many rows."""
    shapes = {picture.native for picture in pictures}
    ratio = max(height / width for height, width in shapes) if len(shapes) == 1 else 1.0
    lines, layout = _compose(pictures, page, title, ratio, style)
    lines.append(_footer(pictures, shapes, page, layout, style))
    return layout, _painted(pictures, lines, page, layout, rows, style)


def _compose(
    pictures: list[Picture], page: tuple[int, int], title: str, ratio: float, style: Style
) -> tuple[list[Line], Layout]:
    """Return the lines at the top and the layout: all text is as large as it can be without shrinking the tiles."""
    chosen = None
    for header_scale, caption_scale in ((1.0, 1.0), (1.0, 1.25), (1.2, 1.25), (1.4, 1.25), (1.6, 1.25)):
        lines, above = _header(pictures, page, title, header_scale, style)
        layout = layout_of(len(pictures), page, ratio, above, round(2.4 * margin_of(page)), caption_scale)
        if chosen and layout.tile < chosen[1].tile:
            break
        chosen = lines, layout
    assert chosen
    return chosen


def _painted(
    pictures: Sequence[Picture], lines: Sequence[Line], page: tuple[int, int], layout: Layout, rows: int, style: Style
) -> Iterator[Pixels]:
    """Yield the page band by band; a picture is decoded when the first band reaches it, and dropped after the last."""
    width, height = page
    corners = layout.corners(len(pictures), width)
    reach = layout.tile[0] + layout.caption + (layout.font_size or 0)
    readers: dict[int, tuple[tuple[int, int], RowReader]] = {}
    for top in range(0, height, rows):
        band = Image.new("RGB", (width, min(rows, height - top)), style.paper)
        draw = ImageDraw.Draw(band)
        touched = [i for i, (_, y) in enumerate(corners) if y - band.height < top < y + reach]
        readers = {i: readers.get(i) or _fitted(pictures[i], layout.tile) for i in touched}
        for i, ((high, wide), reader) in readers.items():
            x, y = corners[i][0], corners[i][1] - top
            _paste(band, reader, (x + (layout.tile[1] - wide) // 2, y + (layout.tile[0] - high) // 2), high)
            if style.outline:
                _draw_outline(draw, (x, y), layout.tile, style.outline)
            _draw_caption(draw, pictures[i], (x, y + layout.tile[0]), layout, style)
        for line in lines:
            if line.top < top + band.height and top < line.bottom:
                draw.text((line.middle, line.top - top), line.text, line.colour, line.font, anchor="ma")
        yield np.asarray(band)


def _fitted(picture: Picture, tile: tuple[int, int]) -> tuple[tuple[int, int], RowReader]:
    """Return the size (H, W) of a picture that fits into a tile, and its reader."""
    height, width = picture.native
    scale = min(tile[0] / height, tile[1] / width)
    size = (max(1, min(tile[0], round(height * scale))), max(1, min(tile[1], round(width * scale))))
    return size, picture.at(size)


def _paste(band: Image.Image, reader: RowReader, corner: tuple[int, int], high: int) -> None:
    """Draw those rows of a picture that a band shows."""
    x, y = corner
    start, stop = max(0, -y), min(high, band.height - y)
    if start < stop:
        band.paste(Image.fromarray(reader(start, stop)), (x, y + start))


def _draw_outline(draw: ImageDraw.ImageDraw, corner: tuple[int, int], tile: tuple[int, int], colour: Colour) -> None:
    """Draw a line around a tile, outside of it."""
    (x, y), (high, wide), thick = corner, tile, max(1, tile[1] // 500)
    draw.rectangle((x - thick, y - thick, x + wide + thick - 1, y + high + thick - 1), outline=colour, width=thick)


def _draw_caption(
    draw: ImageDraw.ImageDraw, picture: Picture, corner: tuple[int, int], layout: Layout, style: Style
) -> None:
    """Draw the bar under a picture and, where there is room, its name and confidence."""
    (x, y), width = corner, layout.tile[1]
    thick = bar_height(width)
    draw_bar(draw, picture.score, (x, y + thick), width, style)
    if layout.font_size:
        # The position is whole pixels: Pillow sets fractions above a band's upper edge elsewhere than below it.
        top = y + 2 * thick + round(layout.font_size * 0.4)
        draw_label(draw, picture.name, confidence(picture.score), (x, top), width, layout.font_size, style)


def _header(
    pictures: list[Picture], page: tuple[int, int], title: str, scale: float, style: Style
) -> tuple[list[Line], int]:
    """Return the lines at the top of a page, and the height they take."""
    margin, unit = margin_of(page), scale * min(page)
    scores = [picture.score for picture in pictures if picture.score is not None]
    lines = [_line(title, page, margin, round(0.048 * unit), style.ink, style.face)]
    if scores and len(pictures) > 1:
        thing = "class" if len({picture.name for picture in pictures}) == len(pictures) else "picture"
        summary = confidence_summary(scores, thing, len(pictures) - len(scores))
        lines.append(
            _line(summary, page, lines[0].bottom + round(0.014 * unit), round(0.017 * unit), style.faint, style.face)
        )
    return lines, lines[-1].bottom + round(0.03 * unit)


def _footer(
    pictures: list[Picture], shapes: set[tuple[int, int]], page: tuple[int, int], layout: Layout, style: Style
) -> Line:
    """Return the line at the bottom of a page, which says what the pictures are."""
    genomes = sum(picture.is_genome for picture in pictures)
    if genomes == len(pictures):
        high, wide = layout.tile
        text = f"Each picture is the drawing of a small network that evolved, here at {wide} by {high} pixels"
    elif genomes:
        text = "Smooth pictures are drawings of small networks that evolved, coarse ones evolved pixel by pixel"
    else:
        text = "Each picture evolved pixel by pixel"
    saw = "the network saw" if any(picture.score is not None for picture in pictures) else "a network would see"
    text += f"; {saw} {' or '.join(f'{w} by {h}' for h, w in sorted(shapes)[:3])} pixels"
    text += "  ·  evofool"
    size = round(0.0125 * min(page))
    return _line(text, page, page[1] - margin_of(page) - size, size, style.faint, style.face)


def _line(text: str, page: tuple[int, int], top: int, size: int, colour: Colour, face: str) -> Line:
    """Return a line of text that fits between a page's margins."""
    draw = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    text, font = fit_text(draw, text, page[0] - 2 * margin_of(page), size, face)
    bottom = math.ceil(draw.textbbox((0, top), text, font, anchor="ma")[3])
    return Line(text, font, colour, page[0] // 2, top, bottom)


def _title(pictures: Sequence[Picture]) -> str:
    """Return a title that names the networks; none is said to be sure of pictures that it has not scored."""
    if all(picture.score is None for picture in pictures):
        return "Not scored"
    names = list(dict.fromkeys(picture.target for picture in pictures))
    if len(names) == 1:
        return f"What {names[0]} is sure about"
    return f"What {', '.join(names[:-1])} and {names[-1]} are sure about"
