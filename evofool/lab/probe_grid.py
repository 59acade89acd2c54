"""The places and colours that an edit of one pixel is tried at instead."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MAX_EDGE = 32
"""Most places of a map along an edge; in larger images places are further apart."""

LEVELS = {1: 256, 3: 6}
"""Values of a channel that colours are made of, by the number of channels: all greys, or 6³ colours."""


def places(width: int, height: int, x: int, y: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the columns and the rows of a map. The edit's own place (x, y) is among them."""
    step = math.ceil(max(width, height) / MAX_EDGE)
    return np.arange(x % step, width, step), np.arange(y % step, height, step)


def colours(channels: int) -> NDArray[np.int64]:
    """Return the colours (M, C) that are tried, in order, each from 0 to 255."""
    values = np.linspace(0, 255, LEVELS[channels]).round().astype(np.int64)
    return np.stack(np.meshgrid(*[values] * channels, indexing="ij"), -1).reshape(-1, channels)
