"""Posters: elites and genomes rendered sharp at any size, written band by band."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageDraw

from ...encodings import genome_file, genome_lines
from ...encodings.banks import bank_names, find_genomes
from ...errors import ConfigError, RunError, suggestion
from ...io.files import write_atomically
from ...io.images import open_image, to_image
from ...io.png import Pixels
from ...store.run import RunFolder
from .banded import DPI, write_pdf, write_png
from .lettering import FAINT, INK, PAPER, Font, bar, fitted, how_sure, label, thickness

MIN_EDGE, MAX_EDGE, MAX_PIXELS = 200, 32_768, 1_000_000_000
SMALLEST_TILE = 24
"""pixels"""
SMALLEST_NAMED = 84
"""tiles with fewer pixels have a bar for their confidence, and no name"""
SMOOTHED = 1024
"""height up to which a CPPN for larger pictures than its tile is rendered at full size first"""
SPREAD = 30
"""so many pictures, or fewer, are spread over the rows evenly; of more, the last row has the rest"""
BAND = 2**20
"""pixels in memory at once"""

PAPERS = {"a0": (841, 1189), "a1": (594, 841), "a2": (420, 594), "a3": (297, 420), "a4": (210, 297), "a5": (148, 210)}
"""millimetres (ISO 216)"""

WRITERS: dict[str, Callable[[BinaryIO, tuple[int, int], Iterator[Pixels]], None]] = {
    ".png": write_png,
    ".pdf": write_pdf,
}

Size = tuple[int, int]
Indices = Callable[[int, int], Pixels]
"""rows ``start`` to ``stop`` of a picture, (stop − start, W, 3)"""


@dataclass(frozen=True)
class Work:
    """One picture of a poster: an elite or a genome, in a file."""

    file: Path
    """a CPPN genome, or a picture"""
    name: str
    score: float | None
    index: int
    target: str

    @cached_property
    def native(self) -> Size:
        """(H, W) that the network saw."""
        if genome_lines.names_one_genome(self.file):
            return genome_lines.read_genome(self.file).image_shape[1:]
        image = open_image(self.file)
        return image.height, image.width

    def at(self, size: Size) -> Indices:
        """The picture at (H, W): a CPPN rendered anew, pixels with hard edges."""
        if genome_lines.names_one_genome(self.file):
            genome = genome_lines.read_genome(self.file)
            if not size[0] < self.native[0] <= SMOOTHED:
                decode = genome.encoding.decode_rows(genome.genomes, size)
                return lambda start, stop: _colours(decode(start, stop)[0].numpy())
            image = to_image(genome.encoding.decode(genome.genomes)[0].numpy()).convert("RGB")
        else:
            image = open_image(self.file).convert("RGB")
        if size[0] < image.height:
            image = image.resize((size[1], size[0]), Image.Resampling.LANCZOS)
        pixels = np.asarray(image)
        columns = np.arange(size[1]) * image.width // size[1]
        return lambda start, stop: pixels[np.arange(start, stop) * image.height // size[0]][:, columns]


@dataclass(frozen=True)
class Layout:
    """Where things are on a page, in pixels."""

    columns: int
    rows: int
    tile: Size
    """(H, W)"""
    gap: Size
    """between rows (captions left out), between columns"""
    top: int
    """of the first row"""
    text: int | None
    """font size of the captions, None where there is no room"""
    caption: int
    """height under a tile"""

    def places(self, count: int, width: int) -> list[tuple[int, int]]:
        """Left and top of every tile; the rows are centred."""
        step_y, step_x = (edge + gap for edge, gap in zip(self.tile, self.gap, strict=True))
        if count <= SPREAD:
            ends = [count * (row + 1) // self.rows for row in range(self.rows)]
        else:
            ends = [min(count, self.columns * (row + 1)) for row in range(self.rows)]
        found = []
        for row, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            left = (width - (end - start) * step_x + self.gap[1]) // 2
            top = self.top + row * (step_y + self.caption)
            found += [(left + column * step_x, top) for column in range(end - start)]
        return found


@dataclass(frozen=True)
class Line:
    """A line of text, centred at ``middle``."""

    text: str
    font: Font
    colour: tuple[int, int, int]
    middle: int
    top: int
    bottom: int


def write_poster(paths: list[Path], size: str, out: Path, *, title: str | None = None) -> Size:
    """Write a poster of elites and genomes: a page with their pictures rendered sharp, names and confidences.

    Whatever the size, only a band of the page is in memory at a time.

    Args:
        paths: runs, folders of CPPN genomes, genome files, or names of the genome bank's folders; the pictures of
            each, the surest first, follow one another.
        size: ``"7016x4961"`` (width × height in pixels), or a paper at 300 dpi: ``a0`` to ``a5``, which lie on their
            side unless followed by ``-portrait``.
        out: the PNG or PDF file.
        title: what stands at the top; by default what the networks are called.

    Returns:
        (width, height) of the picture.

    Raises:
        ConfigError: the size or the file's ending won't do, or the pictures don't fit on the page.
        RunError: nothing to show is there, a run is damaged, or the file can't be written.
        GenomeError, ImageError: a genome or picture is damaged.
    """
    if out.suffix.lower() not in WRITERS:
        raise ConfigError(f"--out must name a .png or .pdf file, got {out}")
    page = page_size(size)
    works = [work for path in paths for work in works_of(path)]
    if not works:
        raise ConfigError("a poster needs a run, a genome file or a folder of genomes")
    bands = _bands(works, page, title or _title(works))
    try:
        write_atomically(out, lambda file: WRITERS[out.suffix.lower()](file, page, bands))
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror or error}; choose another --out") from error
    return page


def page_size(text: str) -> Size:
    """(width, height) that ``--size`` means; see :func:`write_poster`.

    Raises:
        ConfigError: it is neither a paper nor pixels, or too small or large.
    """
    word = text.strip().lower()
    paper = re.fullmatch(r"(a[0-5])(?:-(landscape|portrait))?", word)
    pixels = re.fullmatch(r"([0-9]{1,12})[x×]([0-9]{1,12})", word)
    if paper:
        width, height = (round(edge / 25.4 * DPI) for edge in PAPERS[paper[1]])
        return (width, height) if paper[2] == "portrait" else (height, width)
    if not pixels:
        raise ConfigError(f'--size must be WIDTHxHEIGHT in pixels, or a0 to a5 as in a2 or a2-portrait; got "{text}"')
    width, height = int(pixels[1]), int(pixels[2])
    if not (min(width, height) >= MIN_EDGE and max(width, height) <= MAX_EDGE and width * height <= MAX_PIXELS):
        raise ConfigError(
            f"--size must be {MIN_EDGE} to {MAX_EDGE:,} pixels a side and at most {MAX_PIXELS:,} in all, "
            f"got {width}x{height}"
        )
    return width, height


def works_of(path: Path) -> list[Work]:
    """The pictures of a run, a folder of genomes, a genome file or a bank's name; the surest first, then by class.

    Raises:
        RunError: none of these is there, or the run has no elites yet.
        GenomeError: a genome is damaged.
    """
    if (path / "config.json").exists():
        works = _elites(path)
    else:
        place = find_genomes(path)
        if place is None:
            raise RunError(
                f"nothing at {path}{suggestion(path.name, bank_names())}: give a run, a genome file, "
                f"a folder of genomes or a bank ({', '.join(bank_names())})"
            )
        works = [_genome(file, genome) for file, genome in genome_lines.read_genomes(place)]
        if not works:
            raise RunError(f"{path} holds neither a run (config.json) nor genomes (.json, .jsonl)")
    return sorted(works, key=lambda work: (-1.0 if work.score is None else -work.score, work.index))


def layout_of(count: int, page: Size, ratio: float, above: int, below: int) -> Layout:
    """The largest tiles that fit.

    Args:
        count: of the tiles.
        page: (width, height).
        ratio: height / width of a tile.
        above: height that is taken at the top of the page, ``below`` at its bottom.

    Raises:
        ConfigError: they are too many to be seen.
    """
    width, height = page[0] - 2 * _margin(page), page[1] - above - below
    under, gap = 0.155, 0.09  # of a tile's width: caption, and least gap

    def widest(columns: int) -> float:
        rows = math.ceil(count / columns)
        return min(width / (columns + gap * (columns - 1)), height / (rows * (ratio + under) + gap * (rows - 1) * 0.5))

    columns = max(range(1, count + 1), key=lambda columns: (math.floor(widest(columns)), -columns))
    rows, tile = math.ceil(count / columns), math.floor(widest(columns))
    if min(tile, tile * ratio) < SMALLEST_TILE:
        raise ConfigError(
            f"{count:,} pictures don't fit on {page[0]}x{page[1]} pixels with {SMALLEST_TILE} pixels each; "
            "ask for a larger --size, or for fewer runs"
        )
    high, caption = round(tile * ratio), math.floor(under * tile)
    free_x, free_y = width - columns * tile, height - rows * (high + caption)
    gap_x = min(free_x // max(1, columns - 1), round(0.16 * tile))
    gap_y = min(free_y // max(1, rows - 1), round(0.16 * tile))
    return Layout(
        columns=columns,
        rows=rows,
        tile=(high, tile),
        gap=(gap_y, gap_x),
        top=above + (free_y - gap_y * (rows - 1)) // 2,
        text=max(7, round(tile / 14.5)) if tile >= SMALLEST_NAMED else None,
        caption=caption,
    )


def _elites(path: Path) -> list[Work]:
    run = RunFolder.open(path)
    lines = run.elites()
    if not lines:
        raise RunError(f"{path} has no elites yet; let it run for a generation: evofool resume {path}")
    try:
        target = str(run.config["target"]["name"])
        return [
            Work(
                file=run.path / line["genome"] if run.genome(line) else run.picture(line),
                name=str(line["class"]),
                score=float(line["score"]),
                index=int(line["index"]),
                target=target,
            )
            for line in lines
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path} is damaged ({type(error).__name__}: {error}); resume it, or start anew") from error


def _genome(file: Path, genome: genome_file.GenomeFile) -> Work:
    told = genome.provenance
    score, index = told.get("score"), told.get("index")
    return Work(
        file=file,
        name=str(told.get("class", file.stem)),
        score=float(score) if isinstance(score, int | float) and 0 <= score <= 1 else None,
        index=index if isinstance(index, int) else 0,
        target=str(told.get("target", "a network")),
    )


def _bands(works: list[Work], page: Size, title: str) -> Iterator[Pixels]:
    """The page from top to bottom, (h, W, 3) each."""
    shapes = {work.native for work in works}
    ratio = max(height / width for height, width in shapes) if len(shapes) == 1 else 1.0
    lines, layout = _composed(works, page, title, ratio)
    lines.append(_footer(works, shapes, page, layout))
    return _painted(works, layout.places(len(works), page[0]), lines, page, layout)


def _composed(works: list[Work], page: Size, title: str, ratio: float) -> tuple[list[Line], Layout]:
    """The lines at the top, as large as they can be without taking anything from the tiles, and where those are."""
    plain = None
    for scale in (1.0, 1.2, 1.4, 1.6):
        lines, above = _head(works, page, title, scale)
        layout = layout_of(len(works), page, ratio, above, round(1.9 * _margin(page)))
        if plain and layout.tile < plain[1].tile:
            break
        plain = lines, layout
    assert plain
    return plain


def _painted(
    works: Sequence[Work], places: Sequence[Size], lines: Sequence[Line], page: Size, layout: Layout
) -> Iterator[Pixels]:
    width, height = page
    step = max(1, BAND // width)
    reach = layout.tile[0] + layout.caption + (layout.text or 0)
    pictures: dict[int, tuple[Size, Indices]] = {}
    for top in range(0, height, step):
        band = Image.new("RGB", (width, min(step, height - top)), PAPER)
        draw = ImageDraw.Draw(band)
        touched = {i for i, (_, y) in enumerate(places) if y - band.height < top < y + reach}
        pictures = {i: pictures.get(i) or _picture(works[i], layout.tile) for i in sorted(touched)}
        for i, ((high, wide), rows) in pictures.items():
            x, y = places[i][0], places[i][1] - top
            _paste(band, rows, (x + (layout.tile[1] - wide) // 2, y + (layout.tile[0] - high) // 2), high)
            _caption(draw, works[i], (x, y + layout.tile[0]), layout)
        for line in lines:
            if line.top < top + band.height and top < line.bottom:
                draw.text((line.middle, line.top - top), line.text, line.colour, line.font, anchor="ma")
        yield np.asarray(band)


def _picture(work: Work, tile: Size) -> tuple[Size, Indices]:
    """A picture that fits into a tile: its size, and its rows."""
    height, width = work.native
    scale = min(tile[0] / height, tile[1] / width)
    size = (max(1, min(tile[0], round(height * scale))), max(1, min(tile[1], round(width * scale))))
    return size, work.at(size)


def _paste(band: Image.Image, rows: Indices, place: tuple[int, int], high: int) -> None:
    """Those rows of a picture that a band shows."""
    x, y = place
    start, stop = max(0, -y), min(high, band.height - y)
    if start < stop:
        band.paste(Image.fromarray(rows(start, stop)), (x, y + start))


def _caption(draw: ImageDraw.ImageDraw, work: Work, place: tuple[int, int], layout: Layout) -> None:
    (x, y), width = place, layout.tile[1]
    thick = thickness(width)
    bar(draw, work.score, (x, y + thick), width)
    if layout.text:
        # Whole pixels: Pillow sets fractions above a band's upper edge elsewhere than below it.
        label(draw, work.name, work.score, (x, y + 2 * thick + round(layout.text * 0.4)), width, layout.text)


def _head(works: list[Work], page: Size, title: str, scale: float) -> tuple[list[Line], int]:
    """The lines at the top of a page, and the height they take."""
    margin, unit = _margin(page), scale * min(page)
    scores = [work.score for work in works if work.score is not None]
    lines = [_line(title, page, margin, round(0.048 * unit), INK)]
    if len(scores) == len(works) > 1:
        things = "classes" if len({work.name for work in works}) == len(works) else "pictures"
        told = how_sure(scores, things)
        lines.append(_line(told, page, lines[0].bottom + round(0.014 * unit), round(0.017 * unit), FAINT))
    return lines, lines[-1].bottom + round(0.03 * unit)


def _footer(works: list[Work], shapes: set[Size], page: Size, layout: Layout) -> Line:
    drawn = sum(genome_lines.names_one_genome(work.file) for work in works)
    if drawn == len(works):
        high, wide = layout.tile
        told = f"Each picture is the drawing of a small network that evolved, here at {wide} by {high} pixels"
    elif drawn:
        told = "Smooth pictures are drawings of small networks that evolved, coarse ones evolved pixel by pixel"
    else:
        told = "Each picture evolved pixel by pixel"
    told += f"; the network saw {' or '.join(f'{w} by {h}' for h, w in sorted(shapes)[:3])} pixels"
    told += "  ·  evofool"
    size = round(0.0125 * min(page))
    return _line(told, page, page[1] - _margin(page) - size, size, FAINT)


def _line(text: str, page: Size, top: int, size: int, colour: tuple[int, int, int]) -> Line:
    draw = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    text, font = fitted(draw, text, page[0] - 2 * _margin(page), size)
    bottom = math.ceil(draw.textbbox((0, top), text, font, anchor="ma")[3])
    return Line(text, font, colour, page[0] // 2, top, bottom)


def _title(works: Sequence[Work]) -> str:
    names = list(dict.fromkeys(work.target for work in works))
    if len(names) == 1:
        return f"What {names[0]} is sure about"
    return f"What {', '.join(names[:-1])} and {names[-1]} are sure about"


def _margin(page: Size) -> int:
    return round(0.045 * min(page))


def _colours(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> Pixels:
    """(C, h, W) -> (h, W, 3)"""
    return np.ascontiguousarray(np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0))
