"""The contact sheet: every elite with its class and confidence, in one picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from ..errors import RunError
from ..files import write_atomically
from ..images import open_image, to_image
from ..run import RunFolder
from .lettering import FAINT, FRAME, INK, PAPER, caption, how_sure, line


@dataclass(frozen=True)
class Layout:
    """Sizes in pixels, for a number of tiles."""

    columns: int
    rows: int
    tile: int
    gap: int
    text: int
    """font size of the captions"""

    @classmethod
    def of(cls, count: int) -> Layout:
        """Larger tiles for fewer pictures; as few empty places as a landscape sheet can have."""
        tile = next(
            size for most, size in ((12, 360), (40, 256), (120, 192), (400, 144), (10**9, 112)) if count <= most
        )
        wide = math.sqrt(1.6 * count)
        choices = range(max(1, math.floor(wide * 0.95)), max(2, math.ceil(wide * 1.35) + 1))
        columns = min(choices, key=lambda c: (-count % c / c, abs(c - wide)))
        return cls(
            columns=min(columns, count),
            rows=math.ceil(count / columns),
            tile=tile,
            gap=max(10, tile // 10),
            text=max(11, tile // 17),
        )

    @property
    def caption(self) -> int:
        """height under a picture"""
        return round(2.3 * self.text)


def contact_sheet(path: Path) -> Image.Image:
    """The contact sheet of a run folder.

    Elites are sorted by confidence, then class. Where the network sees fewer pixels than a tile has, a
    CPPN is rendered anew at the tile's size and what the network saw is set into its corner.

    Raises:
        RunError: the folder is no run, or has no elites yet.
    """
    run = RunFolder.open(path)
    elites = sorted(run.elites(), key=lambda elite: (-elite["score"], elite["index"]))
    if not elites:
        raise RunError(f"{path} has no elites yet; let it run for a generation: evofool resume {path}")
    layout = Layout.of(len(elites))
    step_x, step_y = layout.tile + layout.gap, layout.tile + layout.caption + layout.gap
    margin = 3 * layout.gap
    width = max(layout.columns * step_x - layout.gap, 720) + 2 * margin
    header, footer = max(112, round(width * 0.07)), max(56, round(width * 0.03))
    height = header + layout.rows * step_y + layout.gap + footer
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    _header(draw, run, elites, (margin, width - 2 * margin), header)
    inset = False
    for position, elite in enumerate(elites):
        row, column = divmod(position, layout.columns)
        x, y = margin + column * step_x, header + row * step_y
        seen = open_image(run.picture(elite))
        sharp = _sharp(run, elite, layout.tile)
        sheet.paste(_scaled(sharp or seen, layout.tile), (x, y))
        if sharp is not None:
            inset = True
            _inset(sheet, seen, x, y, layout.tile)
        caption(draw, elite["class"], elite["score"], (x, y + layout.tile), layout.tile, layout.text)
    _footer(draw, run, inset, (margin, height - footer // 2), width - 2 * margin, footer)
    return sheet


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


def _header(
    draw: ImageDraw.ImageDraw, run: RunFolder, elites: list[dict[str, Any]], place: tuple[int, int], height: int
) -> None:
    left, room = place
    title = f"What {run.config['target']['name']} is sure about"
    line(draw, title, (left, height * 0.22), room, round(height * 0.28), INK)
    told = how_sure([elite["score"] for elite in elites])
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
