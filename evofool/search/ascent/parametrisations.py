"""What an ascent changes, and how that becomes images.

To add a parametrisation, write a class with the methods of :class:`Parametrisation`. What the target sees is always the
8-bit image. Its gradient is taken for that of the image before rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.fft import fftfreq, irfft2, rfft2, rfftfreq

from ...encodings.cppn.batch import CPPNBatch
from ...encodings.cppn.encoding import CPPN
from ...encodings.direct.batch import DirectBatch

GREY = 0.5
"""Mid-grey, in [0, 1]: what pixels decay to."""

COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.0, -0.05), (0.27, -0.09, 0.03))
"""Square root of the covariance of red, green and blue in photographs (lucid, ``optvis/param/color.py``): its columns
are brightness, red against blue, and green against both."""

SCALE = 0.25
"""Factor of Fourier images before the sigmoid, as in lucid."""


class Parametrisation(Protocol):
    """Some numbers for each of B images.

    Attributes:
        values: (B, …) float32, what is changed.
    """

    values: Tensor

    def images(self) -> Tensor:
        """Return the images (B, C, H, W) uint8."""
        ...

    def slopes(self, gradient: Tensor) -> Tensor:
        """Return the gradient (B, …) with respect to the values, from that with respect to pixels (B, C, H, W)."""
        ...

    def bound(self) -> None:
        """Put values that may not be as they are back to the nearest that may."""
        ...

    def decay(self, share: float) -> None:
        """Take a share of each value away, towards a grey image or weights of 0."""
        ...

    def keep(self, rows: Tensor) -> None:
        """Keep some rows (B,) only."""
        ...


@dataclass(frozen=True)
class Noise:
    """What images begin as.

    Attributes:
        count: How many images.
        shape: (C, H, W) of each.
        deviation: Standard deviation of the values.
        generator: Draws them, on the CPU.
        device: Where they are then.
    """

    count: int
    shape: tuple[int, int, int]
    deviation: float
    generator: torch.Generator
    device: torch.device

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        """Return normal values of this shape for every image."""
        noise = torch.randn((self.count, *shape), generator=self.generator)
        return noise.mul_(self.deviation).to(self.device)


class Pixels:
    """The pixels themselves.

    Args:
        values: (B, C, H, W) float32 in [0, 1].
    """

    def __init__(self, values: Tensor) -> None:
        self.values = values

    @classmethod
    def noise(cls, start: Noise) -> Pixels:
        """Return images of normal noise around mid-grey."""
        return cls((GREY + start.draw(start.shape)).clamp(0, 1))

    def images(self) -> Tensor:
        return to_bytes(self.values)

    def slopes(self, gradient: Tensor) -> Tensor:
        return gradient

    def bound(self) -> None:
        self.values.clamp_(0, 1)

    def decay(self, share: float) -> None:
        self.values.lerp_(torch.full_like(self.values, GREY), share)

    def blur(self, sigma: float) -> None:
        """Blur the images, whose edges count as neighbours of the opposite ones, by a Gaussian of ``sigma`` pixels."""
        height, width = size = self.values.shape[2:]
        self.values = irfft2(rfft2(self.values) * _gaussian((height, width), sigma, self.values.device), s=size)

    def clip(self, share: float) -> None:
        """Make the share of pixels grey that are nearest to it (Yosinski et al. 2015, §3: small norm)."""
        norm = (self.values - GREY).square().sum(1, keepdim=True)
        lowest = norm.flatten(1).quantile(share, dim=1)
        self.values = torch.where(norm <= lowest[:, None, None, None], GREY, self.values)

    def keep(self, rows: Tensor) -> None:
        self.values = self.values[rows]


class Fourier:
    """The decorrelated Fourier coefficients of lucid (Olah, Mordvintsev, Schubert 2017, "Feature Visualization").

    Coefficients are divided by their frequency, as those of photographs are, and colours are those that photographs
    vary in. So one step changes all frequencies and colours by about as much as photographs have of them.

    Args:
        values: (B, C, H, W/2 + 1, 2) float32, real and imaginary parts.
        size: (H, W).
    """

    def __init__(self, values: Tensor, size: tuple[int, int]) -> None:
        self.values, self.size = values, size
        frequency = _frequencies(size, values.device)
        area = size[0] * size[1]
        self._scale = SCALE * area**0.5 / frequency.clamp_min(1 / max(size))
        colours = torch.tensor(COLOURS, device=values.device)
        self._colours = colours / colours.norm(dim=0).max()

    @classmethod
    def noise(cls, start: Noise) -> Fourier:
        """Return images whose coefficients are normal noise."""
        channels, height, width = start.shape
        return cls(start.draw((channels, height, width // 2 + 1, 2)), (height, width))

    def images(self) -> Tensor:
        return to_bytes(self._pixels(self.values))

    def slopes(self, gradient: Tensor) -> Tensor:
        values = self.values.detach().requires_grad_()
        (slopes,) = torch.autograd.grad(self._pixels(values), values, gradient)
        return slopes

    def bound(self) -> None:
        pass

    def decay(self, share: float) -> None:
        self.values *= 1 - share

    def blur(self, sigma: float) -> None:
        """Blur the images, before the sigmoid, by a Gaussian of ``sigma`` pixels."""
        self.values *= _gaussian(self.size, sigma, self.values.device)[:, :, None]

    def keep(self, rows: Tensor) -> None:
        self.values = self.values[rows]

    def _pixels(self, values: Tensor) -> Tensor:
        """Return images (B, C, H, W) in [0, 1]."""
        images = irfft2(torch.view_as_complex(values) * self._scale, s=self.size)
        if images.shape[1] == len(COLOURS):
            images = torch.einsum("rc,bchw->brhw", self._colours.to(images), images)
        return torch.sigmoid(images)


class Weights:
    """The weights of CPPNs, whose graphs stay as they are.

    Args:
        genomes: At least one genome.
        encoding: How they are rendered.
    """

    def __init__(self, genomes: CPPNBatch, encoding: CPPN) -> None:
        self._graphs, self._encoding = genomes, encoding
        self.values = torch.from_numpy(genomes.weight.copy())
        self._twin = encoding.twin(genomes)
        self._limit: float = encoding.settings()["limit"]

    def images(self) -> Tensor:
        return self._encoding.decode(self.genomes())

    def slopes(self, gradient: Tensor) -> Tensor:
        values = self.values.detach().requires_grad_()
        (slopes,) = torch.autograd.grad(self._twin.pictures(values), values, gradient.flatten(2).cpu())
        return slopes

    def bound(self) -> None:
        self.values.clamp_(-self._limit, self._limit)

    def decay(self, share: float) -> None:
        self.values *= 1 - share

    def keep(self, rows: Tensor) -> None:
        self._graphs = self.genomes().take(np.flatnonzero(rows.cpu().numpy()))
        self.values = torch.from_numpy(self._graphs.weight.copy())
        self._twin = self._encoding.twin(self._graphs)

    def genomes(self) -> CPPNBatch:
        """Return the genomes with their weights as they are now."""
        genomes = self._graphs.take(np.arange(len(self._graphs)))
        genomes.weight[:] = self.values.numpy()
        return genomes


class Genes(Pixels):
    """The pixels of direct genomes.

    Args:
        genomes: At least one genome.
    """

    def __init__(self, genomes: DirectBatch) -> None:
        super().__init__(genomes.genes.float() / 255)

    def genomes(self) -> DirectBatch:
        """Return the genomes as they are now."""
        return DirectBatch(self.images())


def ways_of(genomes: Any, encoding: Any) -> Genes | Weights:
    """Return what an ascent from genomes changes: weights of CPPNs, and pixels of direct genomes."""
    return Genes(genomes) if isinstance(genomes, DirectBatch) else Weights(genomes, encoding)


def to_bytes(pixels: Tensor) -> Tensor:
    """Return pixels in [0, 1] as the nearest 8-bit values."""
    return (pixels * 255).round().to(torch.uint8)


def _frequencies(size: tuple[int, int], device: torch.device) -> Tensor:
    """Return (H, W/2 + 1) how many turns a pixel each coefficient makes."""
    return torch.hypot(fftfreq(size[0], device=device)[:, None], rfftfreq(size[1], device=device)[None, :])


def _gaussian(size: tuple[int, int], sigma: float, device: torch.device) -> Tensor:
    """Return (H, W/2 + 1) what a Gaussian of ``sigma`` pixels multiplies each coefficient by."""
    return torch.exp(-2 * (torch.pi * sigma * _frequencies(size, device)) ** 2)
