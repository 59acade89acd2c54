"""Animated files: GIF in one palette, and WebP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, features

from ...errors import ConfigError
from .film import Film

PALETTE_FRAMES = 12
"""Number of frames, spread over all, that a GIF's palette is made from."""

Writer = Callable[[Film, BinaryIO, list[int]], None]
"""A function that writes a film, with the durations of its frames in milliseconds, into a file."""


def animation_writer(out: Path) -> Writer:
    """Return what writes a file with such an ending.

    Raises:
        ConfigError: It is neither a GIF nor a WebP file, or this Pillow can't write WebP.
    """
    suffix = out.suffix.lower()
    if suffix == ".gif":
        return _write_gif
    if suffix != ".webp":
        hint = ""
        if suffix == ".mp4":
            hint = f"; ffmpeg makes a film of one: ffmpeg -i {out.stem}.gif {out.name}"
        raise ConfigError(f"`out` must name a .gif or .webp file, got {out}{hint}")
    if not features.check("webp"):
        raise ConfigError(f"this Pillow can't write WebP; name a .gif file instead of {out}")
    return _write_webp


def _write_webp(film: Film, file: BinaryIO, durations: list[int]) -> None:
    film.save(file, "WEBP", save_all=True, duration=durations, loop=0, quality=85, method=4)


def _write_gif(film: Film, file: BinaryIO, durations: list[int]) -> None:
    """Write a GIF whose frames share one palette: what doesn't change keeps its colours, and takes no room.

    CPPNs are dithered, since their gradients have more colours than a palette. Pixels and text are not.
    """
    palette = _palette(film)

    class Indexed(Image.Image):
        """The film in the palette's colours."""

        n_frames = film.n_frames

        def seek(self, frame: int) -> None:
            film.seek(frame)
            picture = film.quantize(palette=palette, dither=Image.Dither.NONE)
            for box in film.smooth_boxes:  # each alone: what doesn't change from frame to frame must not flicker
                dithered = film.crop(box).quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
                picture.paste(dithered, box)
            self.im, self.palette = picture.im, picture.palette
            self._mode, self._size = picture.mode, picture.size

    indexed = Indexed()
    indexed.seek(0)
    indexed.save(file, "GIF", save_all=True, duration=durations, loop=0, optimize=True, disposal=1)


def _palette(film: Film) -> Image.Image:
    """Return an image in 255 colours that suit the whole film; the last colour is left for what stays as it was."""
    picked = np.unique(np.linspace(0, film.n_frames - 1, PALETTE_FRAMES).round().astype(int))
    sheet = Image.new("RGB", (film.width, film.height * len(picked)))
    for position, frame in enumerate(picked.tolist()):
        film.seek(frame)
        sheet.paste(film, (0, position * film.height))
    return sheet.quantize(255, method=Image.Quantize.MEDIANCUT)
