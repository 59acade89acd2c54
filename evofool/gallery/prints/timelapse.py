"""Time-lapses: how a run's elites came about, as an animation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, features

from ... import encodings
from ...errors import ConfigError, GenomeError, RunError
from ...io.files import write_atomically
from ...io.images import to_image
from ...store.history import Changes
from ...store.run import RunFolder
from ..pages.chosen import of_classes, surest
from .drawing import columns_for
from .lettering import FAINT, INK, PAPER, RULE, SURE, caption, line

MOST = 20
"""classes that are shown where none is named"""
MAX_PIXELS = 400_000_000
"""of all frames together"""
HOLD = 2.0
"""seconds for which the last frame stays"""
QUICKEST = 0.02
"""seconds of a frame; viewers show shorter ones as a tenth"""
NARROW = 96
"""pixels, at least, that a caption has"""
SAMPLED = 12
"""frames, spread over all, that a GIF's palette is made for"""


def write_timelapse(
    run: Path, out: Path, *, classes: str | None = None, size: int = 256, frames: int = 60, seconds: float = 8.0
) -> int:
    """Write an animation of a run: its elites, of each class the surest, at moments that lie geometrically
    between its first generation and its last, for early progress is fast.

    CPPNs are rendered anew at ``size``, direct genomes scaled with hard edges. Of a genome that the history no longer
    has, the nearest earlier picture of its class stands in; confidences are always those of the moment.

    Args:
        run: the run's folder.
        out: the GIF or WebP file.
        classes: names or indices, as ``"cat,dog,8"``; when None all of the run, or of more than 20 the 20 that are
            surest at its end, which the picture's second line says.
        size: longer side of a picture in pixels, 16 to 1024.
        frames: 2 to 600; fewer where the run has fewer generations.
        seconds: from the first frame to the last, 0.1 to 600; the last one stays for 2 s more. No frame is shorter
            than 0.02 s.

    Returns:
        the number of frames.

    Raises:
        ConfigError: an option won't do, or a class is none of the run's.
        RunError: no run is there, it has no history, is damaged, or the file can't be written.
    """
    write = _writer(out)
    _check(size, frames, seconds)
    folder = RunFolder.open(run)
    elites, changes = surest(folder.elites()), folder.history.changes()
    if not len(changes) or not elites:
        raise RunError(f"{run} has no history: it was made before histories were kept; evolve anew for a time-lapse")
    try:
        shown = _shown(elites, classes)
        film = Film(folder, changes, shown, of=len(elites), size=size, frames=frames)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, GenomeError) as error:
        raise RunError(f"{run} is damaged ({type(error).__name__}: {error}); start the run anew") from error
    count, pixels = film.n_frames, film.width * film.height
    if count * pixels > MAX_PIXELS:
        raise ConfigError(
            f"{count} frames of {film.width}x{film.height} are {count * pixels:,} pixels, at most {MAX_PIXELS:,} "
            "are written; lower --size or --frames, or name fewer classes"
        )
    each = max(QUICKEST, seconds / count)
    durations = [round(1000 * each)] * (count - 1) + [round(1000 * HOLD)]
    try:
        write_atomically(out, lambda file: write(film, file, durations))
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror or error}; choose another --out") from error
    return count


class Film(Image.Image):
    """The frames as an image that Pillow seeks through: each is drawn when it is asked for, and only that one is in
    memory.

    Args:
        folder: the run.
        changes: its history's.
        shown: lines of ``elites.jsonl``.
        of: how many the run has.
        size: longer side of a picture.
        frames: how many at most.
    """

    def __init__(
        self,
        folder: RunFolder,
        changes: Changes,
        shown: Sequence[dict[str, Any]],
        *,
        of: int,
        size: int,
        frames: int,
    ) -> None:
        super().__init__()
        self.shown, self.tiles = shown, Tiles(folder, changes, size)
        metrics = {int(record["generation"]): int(record["evaluations"]) for record in folder.metrics()}
        self.evaluations = np.array(sorted(metrics.items()), np.int64).reshape(-1, 2)
        first, last = int(changes.generation.min()), max([int(changes.generation.max()), *metrics])
        self.moments = moments(max(1, first), last, frames)
        self.rows = [self.tiles.rows(int(elite["niche"]), self.moments) for elite in shown]
        self.tiles.prepare(self.rows)
        self._set(folder, of)
        self.at = -1
        self.seek(0)

    @property
    def n_frames(self) -> int:
        return len(self.moments)

    def tell(self) -> int:
        return self.at

    def seek(self, frame: int) -> None:
        """Make this frame the image. Raises EOFError after the last."""
        if not 0 <= frame < self.n_frames:
            raise EOFError
        if frame != self.at:
            self.at = frame
            picture = self._frame(frame)
            self.im, self._mode, self._size = picture.im, picture.mode, picture.size

    def _set(self, folder: RunFolder, of: int) -> None:
        """The layout, and the paper with what stays as it is."""
        (high, wide), count = self.tiles.size, len(self.shown)
        self.cell = max(NARROW, wide)
        self.text = max(11, self.cell // 17)
        gap, caption_height = max(10, wide // 10), round(2.3 * self.text)
        columns = columns_for(count)
        self.margin = 2 * gap
        title, small = max(15, round(self.cell * 0.085)), self.text
        header = self.margin + round(1.35 * title) + (round(1.6 * small) if count < of else 0) + gap
        step_x, step_y = self.cell + gap, high + caption_height + gap
        width = max(columns * step_x - gap, 2 * NARROW) + 2 * self.margin
        self.foot = header + -(-count // columns) * step_y
        height = self.foot + round(2.4 * small) + self.margin
        left = (width - columns * step_x + gap) // 2
        self.places = [(left + i % columns * step_x, header + i // columns * step_y) for i in range(count)]
        self.paper = Image.new("RGB", (width, height), PAPER)
        draw, room = ImageDraw.Draw(self.paper), width - 2 * self.margin
        name = folder.config["target"]["name"]
        line(draw, f"What {name} is sure about", (self.margin, self.margin * 0.8), room, title, INK)
        if count < of:
            told = f"{count} of {of:,} classes"
            line(draw, told, (self.margin, self.margin * 0.8 + 1.35 * title), room, small, FAINT)

    def _frame(self, frame: int) -> Image.Image:
        picture = self.paper.copy()
        draw = ImageDraw.Draw(picture)
        high, wide = self.tiles.size
        for (x, y), elite, (rows, seen) in zip(self.places, self.shown, self.rows, strict=True):
            left = x + (self.cell - wide) // 2
            tile = self.tiles.picture(int(seen[frame]))
            if tile is None:
                draw.rectangle((left, y, left + wide - 1, y + high - 1), fill=RULE)
            else:
                picture.paste(tile, (left, y))
            row = int(rows[frame])
            score = float(self.tiles.changes.score[row]) if row >= 0 else None
            caption(draw, str(elite["class"]), score, (x, y + high), self.cell, self.text)
        self._progress(draw, frame, picture.width)
        return picture

    def _progress(self, draw: ImageDraw.ImageDraw, frame: int, width: int) -> None:
        thick, room = max(2, self.cell // 90), width - 2 * self.margin
        share = round(room * (frame + 1) / self.n_frames)
        draw.rectangle((self.margin, self.foot, width - self.margin - 1, self.foot + thick - 1), fill=RULE)
        draw.rectangle((self.margin, self.foot, self.margin + share - 1, self.foot + thick - 1), fill=SURE)
        generation = int(self.moments[frame])
        told = f"generation {generation:,}"
        before = int(np.searchsorted(self.evaluations[:, 0], generation, side="right")) - 1
        if before >= 0:
            told += f"  ·  {self.evaluations[before, 1]:,} evaluations"
        line(draw, told, (self.margin, self.foot + 2 * thick + self.text * 0.5), room, self.text, FAINT)


class Tiles:
    """The pictures of a run's history at one size.

    Args:
        folder: the run.
        changes: its history's.
        longest: side of a picture, in pixels.
    """

    def __init__(self, folder: RunFolder, changes: Changes, longest: int) -> None:
        self.changes, self._history = changes, folder.history
        shape = tuple(folder.config["target"]["image_shape"])
        scale = longest / max(shape[1:])
        self.size = (max(1, round(shape[1] * scale)), max(1, round(shape[2] * scale)))
        self._encoding = encodings.build(folder.config["encoding"], folder.config["settings"], shape, "cpu")
        self._kept = np.isin(changes.evaluation_id, folder.history.kept())
        self._genomes: dict[int, tuple[dict[str, np.ndarray], int]] = {}
        self._drawn: dict[int, Image.Image] = {}

    def rows(self, niche: int, generations: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(T,) the change that made a niche's elite as of each generation, and the one whose genome is shown for it;
        −1 where there is none."""
        own = self.changes.of(niche)
        kept = own[self._kept[own]]
        return self._as_of(own, generations), self._as_of(kept, generations)

    def prepare(self, rows: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> None:
        """Load the genomes that these show."""
        wanted = {int(self.changes.evaluation_id[row]) for _, seen in rows for row in seen.tolist() if row >= 0}
        for evaluation_id, arrays in self._history.genomes(wanted):
            self._genomes |= {child: (arrays, i) for i, child in enumerate(evaluation_id.tolist())}

    def picture(self, row: int) -> Image.Image | None:
        """The picture of a change; the last ones stay in memory, for most elites live longer than a frame."""
        if row < 0:
            return None
        evaluation_id = int(self.changes.evaluation_id[row])
        if evaluation_id not in self._drawn:
            while len(self._drawn) >= 4 * MOST:
                del self._drawn[next(iter(self._drawn))]
            try:
                self._drawn[evaluation_id] = self._draw(*self._genomes[evaluation_id])
            except (KeyError, TypeError, ValueError, IndexError, GenomeError) as error:
                raise RunError(f"{self._history.path} is damaged ({error}); remove it to go on without it") from error
        self._drawn[evaluation_id] = self._drawn.pop(evaluation_id)
        return self._drawn[evaluation_id]

    def _draw(self, arrays: dict[str, np.ndarray], row: int) -> Image.Image:
        own = {name: array[row : row + 1] for name, array in arrays.items()}
        if "genes" in own:
            image = to_image(own["genes"][0]).convert("RGB")
            method = Image.Resampling.NEAREST if image.width <= self.size[1] else Image.Resampling.LANCZOS
            return image.resize(self.size[::-1], method)
        with torch.inference_mode():
            pixels = self._encoding.decode_at(self._encoding.load(own), self.size)[0]
        return to_image(pixels.numpy()).convert("RGB")

    def _as_of(self, rows: NDArray[np.int64], generations: NDArray[np.int64]) -> NDArray[np.int64]:
        before = np.searchsorted(self.changes.generation[rows], generations, side="right") - 1
        return np.where(before >= 0, rows[before], -1) if len(rows) else np.full(len(generations), -1)


@dataclass(frozen=True)
class _Range:
    least: float
    most: float
    option: str

    def check(self, value: float) -> None:
        if not self.least <= value <= self.most:
            raise ConfigError(f"{self.option} must be {self.least:g} to {self.most:g}, got {value:g}")


def moments(first: int, last: int, count: int) -> NDArray[np.int64]:
    """(T,) generations from ``first`` to ``last``, each once and geometrically spaced; at most ``count``."""
    count = min(count, last - first + 1)
    even = np.arange(count)
    return np.maximum.accumulate(np.geomspace(first, last, count).round().astype(np.int64) - even) + even


def _check(size: int, frames: int, seconds: float) -> None:
    _Range(16, 1024, "--size").check(size)
    _Range(2, 600, "--frames").check(frames)
    _Range(0.1, 600, "--seconds").check(seconds)


def _shown(elites: Sequence[dict[str, Any]], classes: str | None) -> list[dict[str, Any]]:
    """Those of the elites' lines that are asked for, by class index."""
    ordered = sorted(elites, key=lambda elite: int(elite["index"]))
    if classes is None:
        first = sorted(ordered, key=lambda elite: -float(elite["score"]))[:MOST]
        return [elite for elite in ordered if elite in first]
    return of_classes(ordered, classes)


def _writer(out: Path) -> Callable[[Film, BinaryIO, list[int]], None]:
    suffix = out.suffix.lower()
    if suffix == ".gif":
        return _gif
    if suffix != ".webp":
        hint = ""
        if suffix == ".mp4":
            hint = f"; ffmpeg makes a film of one: ffmpeg -i {out.stem}.gif {out.name}"
        raise ConfigError(f"--out must name a .gif or .webp file, got {out}{hint}")
    if not features.check("webp"):
        raise ConfigError(f"this Pillow can't write WebP; name a .gif file instead of {out}")
    return _webp


def _webp(film: Film, file: BinaryIO, durations: list[int]) -> None:
    film.save(file, "WEBP", save_all=True, duration=durations, loop=0, quality=85, method=4)


def _gif(film: Film, file: BinaryIO, durations: list[int]) -> None:
    """All frames share one palette: what doesn't change keeps its colours, and takes no room."""
    palette = _palette(film)

    class Indexed(Image.Image):
        """The film in the palette's colours."""

        n_frames = film.n_frames

        def seek(self, frame: int) -> None:
            film.seek(frame)
            picture = film.quantize(palette=palette, dither=Image.Dither.NONE)
            self.im, self.palette = picture.im, picture.palette
            self._mode, self._size = picture.mode, picture.size

    indexed = Indexed()
    indexed.seek(0)
    indexed.save(file, "GIF", save_all=True, duration=durations, loop=0, optimize=True, disposal=1)


def _palette(film: Film) -> Image.Image:
    """An image in 255 colours that suit the whole film; the last is left for what stays as it was."""
    picked = np.unique(np.linspace(0, film.n_frames - 1, SAMPLED).round().astype(int))
    sheet = Image.new("RGB", (film.width, film.height * len(picked)))
    for i, frame in enumerate(picked.tolist()):
        film.seek(frame)
        sheet.paste(film, (0, i * film.height))
    return sheet.quantize(255, method=Image.Quantize.MEDIANCUT)
