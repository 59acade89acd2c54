"""Repeated elements of a picture, found by its autocorrelation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAST = 0.5
"""Smallest correlation of a picture with itself, moved, that counts as a repetition."""

DIP = 0.15
"""How much lower the correlation must be on the way to the repetition: else the picture is only smooth."""

NEAR = 0.9
"""A shorter period is taken before a longer one whose correlation is higher, from this share of it on."""

SHORTEST = 3.0
"""Shortest period, in pixels. A shorter one is a texture that no patch can take out."""


class Lattice(NamedTuple):
    """How a picture repeats itself.

    Attributes:
        periods: One or two shifts (y, x), in pixels.
        correlation: Of the picture with itself, moved by the first.
    """

    periods: tuple[tuple[int, int], ...]
    correlation: float


def autocorrelation(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the correlation of a picture with itself, moved, over the pixels where both are.

    Args:
        image: (C, H, W).

    Returns:
        (2H − 1, 2W − 1) in [−1, 1]: moved by (y, x) pixels at [H − 1 + y, W − 1 + x]. All 0 for a flat picture.
    """
    pixels = image.astype(np.float64)
    pixels -= pixels.mean((1, 2), keepdims=True)
    height, width = pixels.shape[1:]
    size = (2 * height - 1, 2 * width - 1)

    def correlated(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        spectrum = np.conj(np.fft.rfft2(one, size)) * np.fft.rfft2(other, size)
        return np.roll(np.fft.irfft2(spectrum, size), (height - 1, width - 1), (0, 1))

    energy, one = (pixels**2).sum(0), np.ones((height, width))
    product = sum(correlated(channel, channel) for channel in pixels)
    scale = np.sqrt(np.clip(correlated(energy, one), 0, None) * np.clip(correlated(one, energy), 0, None))
    flat = scale <= 1e-6 * max(float(energy.sum()), 1e-9)
    return np.where(flat, 0.0, product / np.where(flat, 1.0, scale)).round(9)  # Equal values compare as equal.


def find_lattice(image: NDArray[np.uint8]) -> Lattice | None:
    """Return how a picture (C, H, W) repeats itself, or None where it doesn't.

    A period is a local maximum of the autocorrelation, at most half the picture away, with a dip on the way to it. The
    second one is no multiple of the first and not along it.
    """
    correlation, (height, width) = autocorrelation(image), image.shape[1:]
    middle = np.array([height - 1, width - 1])
    found = [
        (float(correlation[tuple(middle + shift)]), shift)
        for shift in _peaks(correlation, (height // 2, width // 2))
        if np.hypot(*shift) >= SHORTEST and _dips(correlation, middle, shift)
    ]
    first = _shortest(found)
    if first is None:
        return None
    along = first[1]
    across = [(value, shift) for value, shift in found if abs(shift @ along) <= along @ along / 2 + 1]
    second = _shortest([each for each in across if abs(_cross(each[1], along)) >= SHORTEST * np.hypot(*along)])
    periods = [first[1]] if second is None else [first[1], second[1]]
    return Lattice(tuple((int(y), int(x)) for y, x in periods), first[0])


def cells(shape: tuple[int, int], lattice: Lattice) -> NDArray[np.int64]:
    """Return (H, W): the number of the copy that each pixel belongs to.

    Copy 0 is around the centre. The others are numbered by their distance from it. Copies of which less than half is
    in the picture share the number −1.
    """
    height, width = shape
    grid = np.moveaxis(np.indices(shape), 0, -1) - np.array([(height - 1) / 2, (width - 1) / 2])
    periods = np.array(lattice.periods, np.float64)
    steps = np.floor(grid @ np.linalg.pinv(periods) + 0.5).astype(np.int64).reshape(height * width, -1)
    copies, number, areas = np.unique(steps, axis=0, return_inverse=True, return_counts=True)
    away = np.linalg.norm(copies @ periods, axis=1)
    whole = areas >= areas.max() / 2
    order = np.lexsort((np.arange(len(copies)), away, ~whole))
    rank = np.full(len(copies), -1)
    rank[order[: whole.sum()]] = np.arange(whole.sum())
    return rank[number.reshape(height, width)]


def _peaks(correlation: NDArray[np.float64], reach: tuple[int, int]) -> NDArray[np.int64]:
    """Return (N, 2) shifts to local maxima of at least ``LEAST``, one of each pair of opposite ones."""
    height, width = ((side + 1) // 2 for side in correlation.shape)
    padded = np.pad(correlation, 1, constant_values=-np.inf)
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).max((2, 3))
    shifts = np.argwhere((correlation >= around) & (correlation >= LEAST)) - [height - 1, width - 1]
    y, x = shifts.T
    half: NDArray[np.int64] = shifts[((y > 0) | ((y == 0) & (x > 0))) & (y <= reach[0]) & (np.abs(x) <= reach[1])]
    return half


def _dips(correlation: NDArray[np.float64], middle: NDArray[np.int64], shift: NDArray[np.int64]) -> bool:
    """Return whether the correlation is lower on the way to a shift than there."""
    way = np.linspace(0, 1, 2 * int(np.abs(shift).max()) + 1)[:, None] * shift
    places = (middle + way.round()).astype(np.int64)
    return bool(correlation[places[:, 0], places[:, 1]].min() <= correlation[tuple(middle + shift)] - DIP)


def _shortest(found: list[tuple[float, NDArray[np.int64]]]) -> tuple[float, NDArray[np.int64]] | None:
    """Return the shortest of the shifts whose correlation is near the highest."""
    highest = max((value for value, _ in found), default=0.0)
    near = [each for each in found if each[0] >= NEAR * highest]
    return min(near, key=lambda each: float(np.hypot(*each[1])), default=None)


def _cross(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """Return the area that two shifts span, with its sign."""
    return int(one[0] * other[1] - one[1] * other[0])
