"""Where and with which colours a local search looks first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...encodings.pixels import Edits, Pixels

Node = tuple[int, tuple[int, ...]]
"""one edited pixel: its place, counted row by row, and its colour"""

COARSE = 64
"""places of the first, coarsest grid, about"""

AROUND = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def coarse_step(space: Pixels) -> int:
    """Pixels between two places of the coarsest grid: a power of two."""
    return int(2 ** max(0, round(np.log2(max(1.0, np.sqrt(space.places / COARSE))))))


def coarse_to_fine(space: Pixels) -> np.ndarray:
    """(H · W,) all places: a coarse grid first, then ever finer ones, each from the centre outwards."""
    y, x = np.divmod(np.arange(space.places), space.width)
    level = np.full(space.places, -1)
    step, grid = coarse_step(space), 0
    while step:
        level[(level < 0) & (y % step == step // 2) & (x % step == step // 2)] = grid
        step, grid = step // 2, grid + 1
    level[level < 0] = grid
    return np.lexsort((from_centre(space), level))


def from_centre(space: Pixels) -> np.ndarray:
    """(H · W,) how far each place is from the centre of the image: squared, in half pixels."""
    y, x = np.divmod(np.arange(space.places), space.width)
    return np.asarray((2 * y + 1 - space.height) ** 2 + (2 * x + 1 - space.width) ** 2)


def scan(space: Pixels, image: np.ndarray, order: np.ndarray) -> Iterator[Node]:
    """Every place with every corner of the colour cube: at all places the corner farthest from the image's colour
    first, then at all the second farthest …

    Args:
        image: (C, H, W) uint8.
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


def as_edits(space: Pixels, candidates: Sequence[Sequence[Node]]) -> Edits:
    """Candidates of k nodes each as (N, k, 2 + C) edits."""
    places = np.array([[place for place, _ in nodes] for nodes in candidates], np.int64)
    colours = np.array([[colour for _, colour in nodes] for nodes in candidates], np.int64)
    return space.join(places.reshape(-1, space.k), colours.reshape(-1, space.k, space.channels))


def neighbour(space: Pixels, place: int, dy: int, dx: int) -> int | None:
    """The place that far down and to the right; None outside the image."""
    y, x = divmod(place, space.width)
    inside = 0 <= y + dy < space.height and 0 <= x + dx < space.width
    return (y + dy) * space.width + x + dx if inside else None
