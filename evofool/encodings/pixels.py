"""Pixel edits: a genome is k pixels of an image with their new colours.

Su, Vargas, Sakurai, "One Pixel Attack for Fooling Deep Neural Networks", section III: a candidate is k tuples of a
position and a colour. Here the positions of one genome are distinct, and colours are the 8-bit values that are scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import GenomeError
from .base import Indices

Edits = NDArray[np.int16]
"""(N, k, 2 + C): x, y, then one value from 0 to 255 per channel."""


@dataclass
class EditBatch:
    """N genomes as one array: a :class:`~evofool.encodings.base.Batch`."""

    edits: Edits

    def __len__(self) -> int:
        return len(self.edits)

    def take(self, rows: Indices) -> EditBatch:
        return EditBatch(self.edits[rows])

    def put(self, rows: Indices, genomes: EditBatch) -> None:
        self.edits[rows] = genomes.edits

    def sizes(self) -> NDArray[np.int64]:
        """Return (N,) how many pixels each genome changes."""
        return np.full(len(self), self.edits.shape[1], np.int64)


class Pixels:
    """The space of k-pixel edits of an image.

    A place is the position of a pixel as a single number, counted row by row.

    Args:
        image_shape: (C, H, W).
        k: How many pixels an edit changes.

    Raises:
        GenomeError: k is below 1, or more than the image has pixels.
    """

    name = "pixels"

    def __init__(self, image_shape: tuple[int, int, int], k: int) -> None:
        self.channels, self.height, self.width = image_shape
        self.k = k
        if not 1 <= k <= self.places:
            raise GenomeError(
                f"`pixels` must be 1 to {self.places}: the image has {self.width} × {self.height} pixels; got {k}"
            )

    @property
    def places(self) -> int:
        """The number of places of an image."""
        return self.height * self.width

    @property
    def genes(self) -> int:
        """The number of values of one edited pixel: x, y and its colour."""
        return 2 + self.channels

    def random(self, n: int, rng: np.random.Generator) -> Edits:
        """Draw ``n`` genomes uniformly from distinct places and all colours."""
        places = self.random_places(n, self.k, rng)
        colours = rng.integers(0, 256, (n, self.k, self.channels))
        return self.join(places, colours)

    def random_places(self, n: int, k: int, rng: np.random.Generator) -> Indices:
        """Draw (n, k) places, distinct in every row."""
        if k == 1:
            return rng.integers(0, self.places, (n, 1))
        if k * k > self.places:
            return rng.random((n, self.places)).argpartition(k - 1)[:, :k] if k < self.places else self._orders(n, rng)
        places = rng.integers(0, self.places, (n, k))
        while len(rows := np.flatnonzero(_repeats(places).any(1))):
            places[rows] = rng.integers(0, self.places, (len(rows), k))
        return places

    def join(self, places: NDArray[Any], colours: NDArray[Any]) -> Edits:
        """Return edits of places (N, k) and colours (N, k, C)."""
        edits = np.empty((*places.shape, self.genes), np.int16)
        edits[..., 1], edits[..., 0] = np.divmod(places, self.width)
        edits[..., 2:] = colours
        return edits

    def places_of(self, edits: Edits) -> Indices:
        """Return the places (…) of edits (…, 2 + C)."""
        return np.asarray(edits[..., 1].astype(np.int64) * self.width + edits[..., 0])

    def repaired(self, edits: Edits, rng: np.random.Generator) -> Edits:
        """Move edits whose place is taken by an earlier edit of their genome to a random free place.

        Returns:
            ``edits``, changed in place.
        """
        if self.k == 1:
            return edits
        places = self.places_of(edits)
        for row, slot in zip(*_repeats(places).nonzero(), strict=True):
            places[row, slot] = self.free_place(places[row], rng)
            edits[row, slot, 1], edits[row, slot, 0] = divmod(int(places[row, slot]), self.width)
        return edits

    def free_place(self, taken: NDArray[Any], rng: np.random.Generator) -> int:
        """Draw a place that is none of ``taken``, which must be fewer than there are places."""
        if 2 * len(taken) > self.places:
            return int(rng.choice(np.setdiff1d(np.arange(self.places), taken)))
        place = int(rng.integers(self.places))
        while place in taken:
            place = int(rng.integers(self.places))
        return place

    def corners(self) -> NDArray[np.int16]:
        """Return the (2^C, C) corners of the colour cube: white, black, then each followed by its opposite."""
        codes = [code for pair in range(2 ** (self.channels - 1)) for code in (2**self.channels - 1 - pair, pair)]
        bits = (np.array(codes)[:, None] >> np.arange(self.channels - 1, -1, -1)) & 1
        return (255 * bits).astype(np.int16)

    def _orders(self, n: int, rng: np.random.Generator) -> Indices:
        return rng.permuted(np.tile(np.arange(self.places), (n, 1)), axis=1)


def keys(edits: Edits) -> list[bytes]:
    """Return one key per genome, the same for the same edits in any order."""
    if edits.shape[1] > 1:
        order = np.lexsort((edits[..., 0], edits[..., 1]), axis=1)
        edits = np.take_along_axis(edits, order[..., None], 1)
    flat = np.ascontiguousarray(edits)
    width = flat[0].nbytes if len(flat) else 0
    content = flat.tobytes()
    return [content[start : start + width] for start in range(0, len(content), width)] if width else []


def edited(image: np.ndarray, edits: Edits) -> np.ndarray:
    """Return a copy of a (C, H, W) uint8 image with one genome's (k, 2 + C) edits.

    :func:`~evofool.encodings.apply_edits.apply_edits` does the same to batches with torch.
    tests/encodings/test_pixels.py holds both to a loop.
    """
    changed = image.copy()
    changed[:, edits[:, 1], edits[:, 0]] = edits[:, 2:].T
    return changed


def distances(before: np.ndarray, after: np.ndarray) -> dict[str, float]:
    """Return how far two uint8 images are apart.

    Returns:
        ``l0``, the number of pixels that differ, and the norms ``l2`` and ``linf`` of the difference of values in
        [0, 1].
    """
    difference = (after.astype(np.float64) - before) / 255
    return {
        "l0": int((difference != 0).any(0).sum()),
        "l2": round(float(np.sqrt((difference**2).sum())), 6),
        "linf": round(float(np.abs(difference).max()), 6),
    }


def _repeats(places: NDArray[Any]) -> NDArray[np.bool_]:
    """Return (N, k) whether an earlier column of the same row has the same place."""
    order = places.argsort(1, kind="stable")
    ranked = np.take_along_axis(places, order, 1)
    same = np.zeros(places.shape, bool)
    same[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    repeats = np.zeros(places.shape, bool)
    np.put_along_axis(repeats, order, same, 1)
    return repeats
