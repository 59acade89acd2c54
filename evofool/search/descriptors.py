"""Descriptors: numbers that tell images of one class apart, for a grid of niches (Mouret & Clune 2015)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import ConfigError, parse_names, suggestion

Measure = Callable[[Tensor, Any], Tensor]

LUMA = (0.299, 0.587, 0.114)
"""how bright red, green and blue look (ITU-R BT.601)"""


@dataclass(frozen=True)
class Descriptor:
    """One number of an image or its genome.

    Attributes:
        measure: (B, C, H, W) float in [0, 1] and their genomes → (B,).
        low, high: where the first bin begins and the last one ends; what is beyond belongs to those.
        colour: whether grey images have none.
    """

    measure: Measure
    low: float
    high: float
    colour: bool = False


def hue(images: Tensor, genomes: Any) -> Tensor:
    """Mean hue in turns, [0, 1): 0 is red, ⅓ green, ⅔ blue; every pixel counts by how coloured it is."""
    red, green, blue = images.unbind(1)
    x, y = red - (green + blue) / 2, (3**0.5 / 2) * (green - blue)
    return torch.atan2(y.mean((1, 2)), x.mean((1, 2))).div(2 * torch.pi).remainder(1.0)


def colour(images: Tensor, genomes: Any) -> Tensor:
    """Colourfulness M³ of Hasler & Süsstrunk 2003 (section 7), for channels in [0, 1]."""
    red, green, blue = images.unbind(1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue]).flatten(2)
    spread, shift = opponents.var(2, correction=0).sum(0).sqrt(), opponents.mean(2).square().sum(0).sqrt()
    return spread + 0.3 * shift


def brightness(images: Tensor, genomes: Any) -> Tensor:
    """Mean luma, [0, 1]."""
    return _luma(images).mean((1, 2))


def complexity(images: Tensor, genomes: Any) -> Tensor:
    """Total variation: the mean difference of neighbouring pixels, [0, 1]."""
    differences: Tensor = images.diff(dim=2).abs().flatten(1).sum(1) + images.diff(dim=3).abs().flatten(1).sum(1)
    return 0.5 * differences / images.shape[1:].numel()


def slope(images: Tensor, genomes: Any) -> Tensor:
    """Spectral slope: of the logarithm of power over that of frequency; −2 is that of photographs, 0 of white noise."""
    centred = _centred(images)
    height, width = centred.shape[1:]
    most = min(height, width) // 2
    if most < 2:
        return _nothing(images)
    power = torch.fft.rfft2(centred).abs().square().flatten(1)
    rows, columns = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    ring = (torch.hypot(rows, columns) * min(height, width)).round().long().clamp_(max=most + 1).flatten()
    ring = ring.to(images.device)
    sums = power.new_zeros(len(power), most + 2).index_add_(1, ring, power)[:, 1:-1]
    counts = power.new_zeros(most + 2).index_add_(0, ring, torch.ones_like(power[0]))[1:-1]
    frequency = torch.arange(1, most + 1, device=images.device).log()
    frequency = frequency - frequency.mean()
    levels: Tensor = (sums / counts + 1e-9).log()
    return (levels * frequency).sum(1) / frequency.square().sum()


def symmetry(images: Tensor, genomes: Any) -> Tensor:
    """Correlation of the image with its mirror image, left and right exchanged, [−1, 1]; 1 where nothing varies."""
    centred = _centred(images)
    power = centred.square().sum((1, 2))
    return torch.where(power > 0, (centred * centred.flip(2)).sum((1, 2)) / power.clamp_min(1e-12), 1.0)


def size(images: Tensor, genomes: Any) -> Tensor:
    """Connections of a CPPN."""
    return torch.from_numpy(genomes.sizes()).to(images.device, torch.float32)


DESCRIPTORS = {
    "brightness": Descriptor(brightness, 0.0, 1.0),
    "colour": Descriptor(colour, 0.0, 0.5, colour=True),
    "complexity": Descriptor(complexity, 0.0, 0.2),
    "hue": Descriptor(hue, 0.0, 1.0, colour=True),
    "size": Descriptor(size, 0.0, 150.0),
    "slope": Descriptor(slope, -3.0, -1.0),
    "symmetry": Descriptor(symmetry, 0.0, 1.0),
}
"""Ranges without natural ends reach about as far as the elites of 1,000 classes on SqueezeNet, both encodings."""


def known_descriptors(names: str | Iterable[str], channels: int, encoding: str) -> tuple[str, ...]:
    """Names of descriptors, checked.

    Args:
        names: as ``"colour,complexity"``, or several.
        channels: of the images.
        encoding: of the genomes.

    Raises:
        ConfigError: there is no such descriptor, one is named twice, or it tells nothing of such images or genomes.
    """
    listed = parse_names(names, "descriptors", DESCRIPTORS)
    for name in listed:
        if name not in DESCRIPTORS:
            near = suggestion(name, DESCRIPTORS)
            raise ConfigError(f'unknown descriptor "{name[:40]}"{near}; choose from {", ".join(DESCRIPTORS)}')
        if DESCRIPTORS[name].colour and channels == 1:
            grey = ", ".join(one for one, known in DESCRIPTORS.items() if not known.colour)
            raise ConfigError(f"the target sees grey images, which have no {name}; choose from {grey}")
        if name == "size" and encoding != "cppn":
            raise ConfigError(f"all {encoding} genomes have one size; leave size out of --descriptors")
    if twice := [name for at, name in enumerate(listed) if name in listed[:at]]:
        raise ConfigError(f"--descriptors names {twice[0]} twice")
    return listed


def measured(names: Iterable[str], images: Tensor, genomes: Any) -> Tensor:
    """(B, D) float32 descriptors of (B, C, H, W) uint8 images, one at least."""
    pixels = images.float() / 255
    return torch.stack([DESCRIPTORS[name].measure(pixels, genomes) for name in names], 1)


def _luma(images: Tensor) -> Tensor:
    if images.shape[1] == 1:
        return images[:, 0]
    return (images * images.new_tensor(LUMA)[:, None, None]).sum(1)


def _centred(images: Tensor) -> Tensor:
    luma = _luma(images)
    return luma - luma.mean((1, 2), keepdim=True)


def _nothing(images: Tensor) -> Tensor:
    return images.new_zeros(len(images))
