"""Strokes: operators that change a direct genome's whole picture by a pattern, instead of single pixels.

Convolutional networks respond to textures, that is to bands of frequencies, to colours and to repetition. Noise on
single pixels has hardly any of these. docs/SEARCH.md compares the operators.

All take (N, C, H, W) float pictures from 0 to 255 and return as many, whose values may leave that range. Each row
depends on that row alone. ``kernels/strokes.py`` has the same as compiled loops; tests/encodings/test_strokes.py holds
both to the same properties.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ...kernels.constants import BOLD, FAINT
from ...rng import Rng


def grating(pictures: Tensor, rng: Rng) -> Tensor:
    """Add a coloured sine wave of random direction, with one cycle per picture to one per four pixels (log-uniform)."""
    n, channels, height, width = pictures.shape
    cycles = max(max(height, width) / 4, 1.0) ** _uniform(rng, n, 1, 1)
    angle, phase = (2 * math.pi * _uniform(rng, n, 1, 1) for _ in range(2))
    y = torch.arange(height, device=rng.device)[:, None] * (2 * math.pi / height)
    x = torch.arange(width, device=rng.device) * (2 * math.pi / width)
    wave = torch.sin(cycles * (angle.cos() * x + angle.sin() * y) + phase)
    colour = _normal(rng, n, channels)
    colour = _amplitude(rng, n, 1) * colour / colour.abs().amax(1, keepdim=True).clamp_(min=1e-6)
    return torch.addcmul(pictures, wave[:, None], colour[:, :, None, None])


def colour(pictures: Tensor, rng: Rng) -> Tensor:
    """Change each channel's contrast and brightness."""
    n, channels = pictures.shape[:2]
    contrast = 1 + 0.3 * _normal(rng, n, channels, 1, 1)
    return torch.addcmul(128 + _amplitude(rng, n, 1, 1, 1) * _normal(rng, n, channels, 1, 1), pictures - 128, contrast)


def mix(pictures: Tensor, rng: Rng) -> Tensor:
    """Mix the channels."""
    n, channels = pictures.shape[:2]
    matrix = torch.eye(channels, device=rng.device) + 0.25 * _normal(rng, n, channels, channels)
    return torch.matmul(matrix, pictures.flatten(2) - 128).add_(128).view(pictures.shape)


def tile(pictures: Tensor, rng: Rng) -> Tensor:
    """Fill the picture with copies of a part of it, whose sides are a fifth to a half of the picture's."""

    def places(size: int) -> Tensor:
        period = (size * (0.2 + 0.3 * _uniform(rng, len(pictures), 1))).ceil()
        start = ((size - period + 1) * _uniform(rng, len(pictures), 1)).floor()
        return start + torch.arange(size, device=rng.device) % period

    return _sampled(pictures, places(pictures.shape[2]), places(pictures.shape[3]))


def shrink(pictures: Tensor, rng: Rng) -> Tensor:
    """Shrink the picture, to a half at the least, and mirror it into the space that becomes free."""
    spare = max(0.5 - 2 / min(pictures.shape[2:]), 0.0)  # It shrinks by at least one pixel if it can.
    scale = 1 / (0.5 + spare * _uniform(rng, len(pictures), 1))

    def places(size: int) -> Tensor:
        along = (torch.arange(size, device=rng.device) * scale).floor()
        return torch.where(along < size, along, 2 * size - 1 - along)

    return _sampled(pictures, places(pictures.shape[2]), places(pictures.shape[3]))


def paste(pictures: Tensor, partners: Tensor, rng: Rng) -> Tensor:
    """Paste a rectangle of each partner's picture, which is first shifted cyclically, into each picture."""
    n, _, height, width = pictures.shape

    def span(size: int) -> Tensor:
        length = 0.1 * 9 ** _uniform(rng, n, 1) * size
        start = (size - length) * _uniform(rng, n, 1)
        along = torch.arange(size, device=rng.device)
        return (along >= start) & (along < start + length)

    def places(size: int) -> Tensor:
        return (torch.arange(size, device=rng.device) + (size * _uniform(rng, n, 1)).floor()) % size

    inside = (span(height)[:, :, None] & span(width)[:, None, :])[:, None]
    return torch.where(inside, _sampled(partners, places(height), places(width)), pictures)


STROKES: dict[str, Callable[[Tensor, Rng], Tensor]] = {
    "grating": grating, "colour": colour, "mix": mix, "tile": tile, "shrink": shrink,
}  # fmt: skip
"""The strokes by name."""


def _sampled(pictures: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return the pictures' pixels at ``rows`` (N, H) and ``columns`` (N, W)."""
    down = rows.long()[:, None, :, None].expand(pictures.shape)
    along = columns.long()[:, None, None, :].expand(pictures.shape)
    return pictures.gather(2, down).gather(3, along)


def _amplitude(rng: Rng, *shape: int) -> Tensor:
    return FAINT * (BOLD / FAINT) ** _uniform(rng, *shape)


def _uniform(rng: Rng, *shape: int) -> Tensor:
    return torch.rand(shape, device=rng.device, generator=rng.tensors)


def _normal(rng: Rng, *shape: int) -> Tensor:
    return torch.randn(shape, device=rng.device, generator=rng.tensors)
