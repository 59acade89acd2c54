"""Linear filters along rows and columns, whose sums run in one order, so that no pixel depends on the batch."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Taps(NamedTuple):
    """A filter along one axis: value i is the sum of ``weights[i, t]`` times the input at ``indices[i, t]``."""

    indices: Tensor
    """(N, T) int64."""
    weights: Tensor
    """(N, T) float32; each row sums to 1."""

    def to(self, device: torch.device) -> Taps:
        """Return the same on a device."""
        return Taps(self.indices.to(device), self.weights.to(device))


def resized(count: int, wanted: int, start: float = 0.0, length: float | None = None) -> Taps:
    """Return the filter that resizes an axis, or a part of it, as Pillow's bilinear one does: antialiased.

    Args:
        count: Values of the axis.
        wanted: Values of the result.
        start: Where the part begins. It may leave the axis, whose last values are then repeated.
        length: How long the part is; None for the whole axis.
    """
    scale = (count if length is None else length) / wanted
    reach = max(1.0, scale)
    centres = start + (np.arange(wanted) + 0.5) * scale
    first = np.floor(centres - reach).astype(int)
    indices = first[:, None] + np.arange(math.ceil(2 * reach) + 1)
    weights = np.maximum(0.0, 1 - np.abs(indices + 0.5 - centres[:, None]) / reach)
    return _taps(indices, weights, count)


def blurred(count: int, deviation: float) -> Taps:
    """Return the filter that blurs an axis by a Gaussian.

    Args:
        count: Values of the axis.
        deviation: Standard deviation, in values.
    """
    reach = max(1, math.ceil(3 * deviation))
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / deviation) ** 2)
    return _taps(np.arange(count)[:, None] + offsets, np.broadcast_to(weights, (count, len(offsets))), count)


def filtered(pixels: Tensor, rows: Taps, columns: Taps) -> Tensor:
    """Return images (B, C, H, W) float32 with a filter applied to each column, then one to each row."""
    return _along(_along(pixels, rows, 2), columns, 3)


def _along(pixels: Tensor, taps: Taps, axis: int) -> Tensor:
    weights = taps.weights[:, None] if axis == 2 else taps.weights[None]  # (N, 1, T) or (1, N, T)
    terms = (pixels.index_select(axis, taps.indices[:, t]) * weights[..., t] for t in range(taps.indices.shape[1]))
    total = next(terms)
    for term in terms:
        total += term
    return total


def _taps(indices: np.ndarray, weights: np.ndarray, count: int) -> Taps:
    used = weights.max(0) > 0
    normal = weights[:, used] / weights.sum(1, keepdims=True)
    return Taps(torch.from_numpy(indices[:, used].clip(0, count - 1)), torch.from_numpy(normal.astype(np.float32)))
