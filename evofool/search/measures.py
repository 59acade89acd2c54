"""What descriptors measure: functions of images and their genomes, one for each name in ``DESCRIPTORS``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

Measure = Callable[[Tensor, Any], Tensor]
"""A function from (B, C, H, W) float images in [0, 1] and their B genomes to (B,) numbers."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in perceived brightness (ITU-R BT.601)."""


def hue(images: Tensor, genomes: Any) -> Tensor:
    """Return the mean hue in turns, [0, 1): 0 is red, ⅓ green, ⅔ blue. Every pixel counts by how coloured it is."""
    red, green, blue = images.unbind(1)
    x, y = red - (green + blue) / 2, (3**0.5 / 2) * (green - blue)
    return torch.atan2(y.mean((1, 2)), x.mean((1, 2))).div(2 * torch.pi).remainder(1.0)


def colour(images: Tensor, genomes: Any) -> Tensor:
    """Return the colourfulness M³ of Hasler & Süsstrunk 2003 (section 7), for channels in [0, 1]."""
    red, green, blue = images.unbind(1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue]).flatten(2)
    spread, shift = opponents.var(2, correction=0).sum(0).sqrt(), opponents.mean(2).square().sum(0).sqrt()
    return spread + 0.3 * shift


def brightness(images: Tensor, genomes: Any) -> Tensor:
    """Return the mean luma, [0, 1]."""
    return _luma(images).mean((1, 2))


def complexity(images: Tensor, genomes: Any) -> Tensor:
    """Return the total variation: the mean difference of neighbouring pixels, [0, 1]."""
    differences: Tensor = images.diff(dim=2).abs().flatten(1).sum(1) + images.diff(dim=3).abs().flatten(1).sum(1)
    return 0.5 * differences / images.shape[1:].numel()


def slope(images: Tensor, genomes: Any) -> Tensor:
    """Return the spectral slope: how the logarithm of power falls with that of frequency.

    Photographs have about −2, white noise has 0.
    """
    centred = _centred(images)
    height, width = centred.shape[1:]
    radius = min(height, width) // 2
    if radius < 2:
        return images.new_zeros(len(images))
    power = torch.fft.rfft2(centred).abs().square().flatten(1)
    rows, columns = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    ring = (torch.hypot(rows, columns) * min(height, width)).round().long().clamp_(max=radius + 1).flatten()
    ring = ring.to(images.device)
    sums = power.new_zeros(len(power), radius + 2).index_add_(1, ring, power)[:, 1:-1]
    counts = power.new_zeros(radius + 2).index_add_(0, ring, torch.ones_like(power[0]))[1:-1]
    frequency = torch.arange(1, radius + 1, device=images.device).log()
    frequency = frequency - frequency.mean()
    levels: Tensor = (sums / counts + 1e-9).log()
    return (levels * frequency).sum(1) / frequency.square().sum()


def symmetry(images: Tensor, genomes: Any) -> Tensor:
    """Return the correlation of the image with its left-right mirror image, [−1, 1], 1 where nothing varies."""
    centred = _centred(images)
    power = centred.square().sum((1, 2))
    return torch.where(power > 0, (centred * centred.flip(2)).sum((1, 2)) / power.clamp_min(1e-12), 1.0)


def size(images: Tensor, genomes: Any) -> Tensor:
    """Return the number of a CPPN's connections."""
    return torch.from_numpy(genomes.sizes()).to(images.device, torch.float32)


MEASURES: dict[str, Measure] = {
    "brightness": brightness,
    "colour": colour,
    "complexity": complexity,
    "hue": hue,
    "size": size,
    "slope": slope,
    "symmetry": symmetry,
}
"""The measures by the descriptors' names."""


def measured(names: Iterable[str], images: Tensor, genomes: Any) -> Tensor:
    """Return the descriptors (B, D) float32 of (B, C, H, W) uint8 images, with B at least 1."""
    pixels = images.float() / 255
    return torch.stack([MEASURES[name](pixels, genomes) for name in names], 1)


def _luma(images: Tensor) -> Tensor:
    """Return the brightness (B, H, W) of every pixel."""
    if images.shape[1] == 1:
        return images[:, 0]
    return (images * images.new_tensor(LUMA)[:, None, None]).sum(1)


def _centred(images: Tensor) -> Tensor:
    """Return the luma (B, H, W) less its mean."""
    luma = _luma(images)
    return luma - luma.mean((1, 2), keepdim=True)
