"""GIFs: gradients are dithered, and what stays as it was doesn't flicker."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from evofool.gallery.prints.animation import animation_writer

SIZE = 64


class Gradients(Image.Image):
    """A film of two frames: a colour wheel that stays, beside one that turns."""

    n_frames, smooth_boxes = 2, [(0, 0, SIZE, SIZE), (SIZE, 0, 2 * SIZE, SIZE)]

    def __init__(self, *, smooth: bool = True) -> None:
        super().__init__()
        if not smooth:
            self.smooth_boxes = []
        self.seek(0)

    def seek(self, frame: int) -> None:
        if frame >= self.n_frames:
            raise EOFError
        y, x = np.mgrid[:SIZE, :SIZE] * 255 // SIZE
        wheels = [np.stack([x, y, np.full_like(x, blue)], 2) for blue in (60, 60 + 120 * frame)]
        picture = Image.fromarray(np.concatenate(wheels, axis=1).astype(np.uint8))
        self.im, self._mode, self._size = picture.im, picture.mode, picture.size


def frames_of(film: Any) -> list[np.ndarray]:
    file = io.BytesIO()
    animation_writer(Path("a.gif"))(film, file, [100, 100])
    with Image.open(file) as image:
        frames = []
        for frame in range(2):
            image.seek(frame)
            frames.append(np.asarray(image.convert("RGB")).astype(float))
    return frames


def blur(picture: np.ndarray) -> np.ndarray:
    """Return what an eye sees from afar: means of 8 × 8 pixels."""
    return picture.reshape(SIZE // 8, 8, -1, 8, 3).mean((1, 3))


def error(film: Any) -> float:
    """Return by how much the last frame of a film's GIF is off, as an eye sees it from afar."""
    last = frames_of(film)[1]
    film.seek(1)
    return float(np.abs(blur(last) - blur(np.asarray(film).astype(float))).mean())


def test_gradients_have_their_colours_where_a_palette_lacks_them() -> None:
    assert error(Gradients()) < 0.5 * error(Gradients(smooth=False))


def test_a_picture_that_stays_is_the_same_in_all_frames() -> None:
    first, second = frames_of(Gradients())
    np.testing.assert_array_equal(first[:, :SIZE], second[:, :SIZE])
    assert (first[:, SIZE:] != second[:, SIZE:]).any()
