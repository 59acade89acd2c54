"""Where and with which colours a local search looks first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...encodings.base import Indices
from ...encodings.pixels import Edits, Pixels

Colour = tuple[int, ...]
Edit = tuple[int, Colour]
"""One edited pixel: its place, counted row by row, and its colour."""

COARSE_PLACES = 64
"""Approximate number of places of the first, coarsest grid."""

NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
"""Offsets (dy, dx) of the eight neighbours of a place."""


def coarse_step(space: Pixels) -> int:
    """Return the distance in pixels of two neighbouring places of the coarsest grid, a power of two."""
    return int(2 ** max(0, round(np.log2(max(1.0, np.sqrt(space.places / COARSE_PLACES))))))


def coarse_to_fine(space: Pixels) -> Indices:
    """Return all H · W places: a coarse grid first, then ever finer ones, each from the centre outwards."""
    y, x = np.divmod(np.arange(space.places), space.width)
    level = np.full(space.places, -1)
    step, grid = coarse_step(space), 0
    while step:
        level[(level < 0) & (y % step == step // 2) & (x % step == step // 2)] = grid
        step, grid = step // 2, grid + 1
    level[level < 0] = grid
    return np.lexsort((distance_from_centre(space), level))


def distance_from_centre(space: Pixels) -> Indices:
    """Return the distance (H · W,) of each place from the centre of the image, squared, in half pixels."""
    y, x = np.divmod(np.arange(space.places), space.width)
    return np.asarray((2 * y + 1 - space.height) ** 2 + (2 * x + 1 - space.width) ** 2)


def scan(space: Pixels, image: NDArray[np.uint8], order: Indices) -> Iterator[Edit]:
    """Yield every place with every corner of the colour cube.

    First comes the corner farthest from the image's colour at all places, then the second farthest, and so on.

    Args:
        image: (C, H, W).
        order: (H · W,) places.
    """
    corners = space.corners()
    pixels = image.reshape(space.channels, -1).T.astype(np.int64)
    distance = np.abs(pixels[:, None] - corners[None]).sum(2)
    ranked = (-distance).argsort(1, kind="stable")
    colours = [tuple(corner) for corner in corners.tolist()]
    for rank in ranked.T:
        for place in order.tolist():
            yield place, colours[rank[place]]


def as_edits(space: Pixels, candidates: Sequence[Sequence[Edit]]) -> Edits:
    """Return candidates of k edited pixels each as one array (N, k, 2 + C)."""
    places = np.array([[place for place, _ in pixels] for pixels in candidates], np.int64)
    colours = np.array([[colour for _, colour in pixels] for pixels in candidates], np.int64)
    return space.join(places.reshape(-1, space.k), colours.reshape(-1, space.k, space.channels))


def neighbour(space: Pixels, place: int, dy: int, dx: int) -> int | None:
    """Return the place ``dy`` pixels further down and ``dx`` further right; None outside the image."""
    y, x = divmod(place, space.width)
    inside = 0 <= y + dy < space.height and 0 <= x + dx < space.width
    return (y + dy) * space.width + x + dx if inside else None


def shifted(colour: Colour, channel: int, by: int) -> Colour:
    """Return a colour with one channel's value moved, within 0 … 255."""
    value = min(255, max(0, colour[channel] + by))
    return (*colour[:channel], value, *colour[channel + 1 :])


def inverted(colour: Colour, channel: int) -> Colour:
    """Return a colour with one channel's value mirrored at the middle of its range."""
    return (*colour[:channel], 255 - colour[channel], *colour[channel + 1 :])
