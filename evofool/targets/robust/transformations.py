"""The transformations that robust images are scored under, with their strengths drawn by a seed."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .jpeg import compressed
from .resampling import blurred, filtered, resized

Shape = tuple[int, int, int]

View = Callable[[Tensor], Tensor]
"""Turns images (B, C, H, W) uint8 into what is left of them, of the same shape and kind."""

Change = Callable[[Tensor], Tensor]
"""The same for float32 pixels from 0 to 255, which may leave that range."""

CHAIN = (0.7, 60, 0.5)
"""A picture that is photographed again, roughly: resized to 70 % and back, JPEG of quality 60, then the middle blur."""


def views(name: str, shape: Shape, draws: int, seed: int, device: torch.device) -> list[View]:
    """Return a transformation in several strengths.

    The range of each strength is cut into as many equal parts as there are draws, and each draw takes one from its own
    part. All images get the same ones.

    Args:
        name: One of :data:`~evofool.config.scoring.TRANSFORMATIONS`.
        shape: (C, H, W) of the images.
        draws: How many.
        seed: Random seed.
        device: Where the images are.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    parts = (rng.random((4, draws)) + [rng.permutation(draws) for _ in range(4)]) / draws
    return [_view([_CHANGES[name](shape, chance, rng, device)]) for chance in parts.T]


def photographed_again(shape: Shape, device: torch.device) -> View:
    """Return the chain of transformations that a picture goes through that is photographed again."""
    scale, quality, share = CHAIN
    return _view([_scaled(shape, scale, device), lambda x: compressed(x, quality), _soft(shape, share, device)])


def _view(changes: list[Change]) -> View:
    def view(images: Tensor) -> Tensor:
        pixels = images.float()
        for change in changes:
            pixels = change(pixels).round().clamp(0, 255)
        return pixels.byte()

    return view


def _between(low: float, high: float, chance: float) -> float:
    return low + (high - low) * chance


def _resize(shape: Shape, chance: np.ndarray, rng: np.random.Generator, device: torch.device) -> Change:
    """Make images 50–90 % as large, and as large as before again."""
    return _scaled(shape, _between(0.5, 0.9, chance[0]), device)


def _scaled(shape: Shape, scale: float, device: torch.device) -> Change:
    small = [max(1, round(edge * scale)) for edge in shape[1:]]
    down = [resized(edge, less).to(device) for edge, less in zip(shape[1:], small, strict=True)]
    up = [resized(less, edge).to(device) for edge, less in zip(shape[1:], small, strict=True)]
    return lambda pixels: filtered(filtered(pixels, *down).round(), *up)


def _shift(shape: Shape, chance: np.ndarray, rng: np.random.Generator, device: torch.device) -> Change:
    """Move images by up to 10 % of their height and width, parts of pixels included; the edge is repeated."""
    pairs = zip(shape[1:], chance, strict=False)
    rows, columns = (resized(edge, edge, edge * _between(-0.1, 0.1, part)).to(device) for edge, part in pairs)
    return lambda pixels: filtered(pixels, rows, columns)


def _crop(shape: Shape, chance: np.ndarray, rng: np.random.Generator, device: torch.device) -> Change:
    """Cut out a part of 80–95 % of the height and width, and make it as large as the whole."""
    kept = _between(0.8, 0.95, chance[2])
    pairs = zip(shape[1:], chance, strict=False)
    rows, columns = (resized(edge, edge, edge * (1 - kept) * part, edge * kept).to(device) for edge, part in pairs)
    return lambda pixels: filtered(pixels, rows, columns)


def _jpeg(shape: Shape, chance: np.ndarray, rng: np.random.Generator, device: torch.device) -> Change:
    """Write a JPEG file of quality 30–90."""
    quality = round(_between(30, 90, chance[0]))
    return lambda pixels: compressed(pixels, quality)


def _blur(shape: Shape, chance: np.ndarray, rng: np.random.Generator, device: torch.device) -> Change:
    """Blur by a Gaussian."""
    return _soft(shape, chance[0], device)


def _soft(shape: Shape, share: float, device: torch.device) -> Change:
    """Blur by a Gaussian of 0.4 pixels and up to 0.5 % of the shorter edge more."""
    deviation = 0.4 + share * min(shape[1:]) / 200
    rows, columns = (blurred(edge, deviation).to(device) for edge in shape[1:])
    return lambda pixels: filtered(pixels, rows, columns)


def _noise(shape: Shape, chance: np.ndarray, rng: np.random.Generator, device: torch.device) -> Change:
    """Add Gaussian noise with a standard deviation of 2–8 % of the range, its own for each pixel and channel."""
    deviation = 255 * _between(0.02, 0.08, chance[0])
    noise = torch.from_numpy((rng.standard_normal(shape) * deviation).astype(np.float32)).to(device)
    return lambda pixels: pixels + noise


def _brightness(shape: Shape, chance: np.ndarray, rng: np.random.Generator, device: torch.device) -> Change:
    """Make images darker or brighter by up to 30 %."""
    factor = _between(0.7, 1.3, chance[0])
    return lambda pixels: pixels * factor


_CHANGES: dict[str, Callable[[Shape, np.ndarray, np.random.Generator, torch.device], Change]] = {
    "resize": _resize,
    "shift": _shift,
    "crop": _crop,
    "jpeg": _jpeg,
    "blur": _blur,
    "noise": _noise,
    "brightness": _brightness,
}
