"""The frames of a time-lapse, drawn one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...store.history import EliteChanges
from ...store.run import RunFolder
from ...text import counted
from .drawing import columns_for
from .history_pictures import HistoryPictures
from .lettering import DARK, draw_caption, draw_line, missing_letters

MIN_CAPTION_WIDTH = 96
"""Smallest width of a caption, in pixels."""


class Film(Image.Image):
    """The frames of a time-lapse as one image that Pillow seeks through, so that only one frame is in memory.

    Args:
        run: The run.
        changes: The changes of its history.
        elites: Lines of ``elites.jsonl``; those that are shown.
        total: Number of classes that the run has.
        size: Longer side of a picture, in pixels.
        frames: Largest number of frames.

    Raises:
        RunError: The run is damaged.
    """

    def __init__(
        self,
        run: RunFolder,
        changes: EliteChanges,
        elites: Sequence[dict[str, Any]],
        *,
        total: int,
        size: int,
        frames: int,
    ) -> None:
        super().__init__()
        self.elites, self.pictures = elites, HistoryPictures(run, changes, size)
        metrics = {int(line["generation"]): int(line["evaluations"]) for line in run.metrics()}
        self.evaluations = np.array(sorted(metrics.items()), np.int64).reshape(-1, 2)
        first, last = int(changes.generation.min()), max([int(changes.generation.max()), *metrics])
        self.generations = spaced_generations(first, last, frames)
        self.rows = [self.pictures.rows(int(elite["niche"]), self.generations) for elite in elites]
        self.pictures.load(row for _, shown in self.rows for row in shown.tolist())
        self._smooth = run.config.options.encoding == "cppn"
        self._lay_out(run.config.target.name, total)
        self.frame = -1
        self.seek(0)

    @property
    def smooth_boxes(self) -> list[tuple[int, int, int, int]]:
        """Where the pictures are, as left, top, right and bottom, if they are CPPNs and have gradients."""
        if not self._smooth:
            return []
        high, wide = self.pictures.size
        lefts = [(x + (self.cell_width - wide) // 2, y) for x, y in self.corners]
        return [(left, top, left + wide, top + high) for left, top in lefts]

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.generations)

    def tell(self) -> int:
        """Return the number of the frame that the image is."""
        return self.frame

    def seek(self, frame: int) -> None:
        """Make the image a frame.

        Raises:
            EOFError: There is no such frame.
        """
        if not 0 <= frame < self.n_frames:
            raise EOFError
        if frame != self.frame:
            self.frame = frame
            picture = self._draw_frame(frame)
            self.im, self._mode, self._size = picture.im, picture.mode, picture.size

    def _lay_out(self, target: str, total: int) -> None:
        """Choose where things are, and draw what is the same in all frames."""
        (high, wide), count = self.pictures.size, len(self.elites)
        self.cell_width = max(MIN_CAPTION_WIDTH, wide)
        self.font_size = max(11, self.cell_width // 17)
        gap, caption_height = max(10, wide // 10), round(2.3 * self.font_size)
        columns = columns_for(count)
        self.margin = 2 * gap
        title, small = max(15, round(self.cell_width * 0.085)), self.font_size
        header = self.margin + round(1.35 * title) + (round(1.6 * small) if count < total else 0) + gap
        step_x, step_y = self.cell_width + gap, high + caption_height + gap
        width = max(columns * step_x - gap, 2 * MIN_CAPTION_WIDTH) + 2 * self.margin
        self.foot = header + -(-count // columns) * step_y
        height = self.foot + round(2.4 * small) + self.margin
        left = (width - columns * step_x + gap) // 2
        self.corners = [(left + i % columns * step_x, header + i // columns * step_y) for i in range(count)]
        title_text = f"What {target} is sure about"
        texts = [title_text, *(str(elite["class"]) for elite in self.elites)]
        self.style = style = DARK.for_texts(texts)
        self.missing = missing_letters(texts, style)
        self.background = Image.new("RGB", (width, height), style.paper)
        draw, room, top = ImageDraw.Draw(self.background), width - 2 * self.margin, self.margin * 0.8
        draw_line(draw, title_text, (self.margin, top), room, title, style.ink, face=style.face)
        if count < total:
            shown = f"{count} of {counted(total, 'class')}"
            draw_line(draw, shown, (self.margin, top + 1.35 * title), room, small, style.faint, face=style.face)

    def _draw_frame(self, frame: int) -> Image.Image:
        """Return a frame as a picture of its own."""
        picture = self.background.copy()
        draw = ImageDraw.Draw(picture)
        high, wide = self.pictures.size
        for (x, y), elite, (rows, shown) in zip(self.corners, self.elites, self.rows, strict=True):
            left = x + (self.cell_width - wide) // 2
            tile = self.pictures.picture(int(shown[frame]))
            if tile is None:
                draw.rectangle((left, y, left + wide - 1, y + high - 1), fill=self.style.rule)
            else:
                picture.paste(tile, (left, y))
            row = int(rows[frame])
            score = float(self.pictures.changes.score[row]) if row >= 0 else None
            draw_caption(draw, str(elite["class"]), score, (x, y + high), self.cell_width, self.font_size, self.style)
        self._draw_progress(draw, frame, picture.width)
        return picture

    def _draw_progress(self, draw: ImageDraw.ImageDraw, frame: int, width: int) -> None:
        """Draw the bar at the foot of a frame, and what generation it shows."""
        thick, room = max(2, self.cell_width // 90), width - 2 * self.margin
        filled = round(room * (frame + 1) / self.n_frames)
        draw.rectangle((self.margin, self.foot, width - self.margin - 1, self.foot + thick - 1), fill=self.style.rule)
        draw.rectangle((self.margin, self.foot, self.margin + filled - 1, self.foot + thick - 1), fill=self.style.sure)
        corner = (self.margin, self.foot + 2 * thick + self.font_size * 0.5)
        draw_line(
            draw, self._progress_text(frame), corner, room, self.font_size, self.style.faint, face=self.style.face
        )

    def _progress_text(self, frame: int) -> str:
        """Return how far the run had got in a frame: ``generation 12  ·  240 evaluations``."""
        generation = int(self.generations[frame])
        text = f"generation {generation:,}"
        last = int(np.searchsorted(self.evaluations[:, 0], generation, side="right")) - 1
        return text + (f"  ·  {counted(int(self.evaluations[last, 1]), 'evaluation')}" if last >= 0 else "")


def spaced_generations(first: int, last: int, count: int) -> NDArray[np.int64]:
    """Return at most ``count`` generations (T,) from ``first`` to ``last``, each once, geometrically spaced."""
    count = min(count, last - first + 1)
    even = np.arange(count)
    return np.maximum.accumulate(np.geomspace(first, last, count).round().astype(np.int64) - even) + even
