"""What JPEG does to an image: ITU-T T.81 (1992) with the tables of its annex K, and JFIF's colours.

As libjpeg with its defaults: chroma has half the resolution, and is interpolated when it is shown.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .resampling import filtered, resized

LUMINANCE = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
"""Quantisation of brightness, row by row (table K.1)."""

CHROMINANCE = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, *(99,) * 32,
)  # fmt: skip
"""Quantisation of colour, row by row (table K.2)."""

BLOCK = 8
"""Edge of a block, in pixels."""

_X, _U = np.meshgrid(np.arange(BLOCK), np.arange(BLOCK))
_COSINES = (np.sqrt(np.where(_U == 0, 1, 2) / BLOCK) * np.cos((2 * _X + 1) * _U * np.pi / (2 * BLOCK))).astype(
    np.float32
)
"""(8, 8): the discrete cosine transform as a matrix."""


def compressed(pixels: Tensor, quality: int) -> Tensor:
    """Return images as they come back from a JPEG file.

    Args:
        pixels: (B, C, H, W) float32 from 0 to 255; C is 1 or 3.
        quality: From 1 to 100, as of libjpeg.
    """
    if pixels.shape[1] == 1:
        return _quantised(pixels.round(), LUMINANCE, quality)
    red, green, blue = (plane[:, None] for plane in pixels.round().unbind(1))
    height, width = pixels.shape[2:]
    light = (0.299 * red + 0.587 * green + 0.114 * blue).round()
    colours = torch.cat(
        [
            (-0.168735892 * red - 0.331264108 * green + 0.5 * blue + 128).round(),
            (0.5 * red - 0.418687589 * green - 0.081312411 * blue + 128).round(),
        ],
        1,
    ).clamp_(0, 255)
    light = _quantised(light, LUMINANCE, quality)
    coarse = _quantised(_halved(colours), CHROMINANCE, quality)
    rows, columns = (resized(edge, 2 * edge).to(pixels.device) for edge in coarse.shape[2:])
    fine = filtered(coarse, rows, columns)[:, :, :height, :width].round() - 128
    blueness, redness = fine[:, :1], fine[:, 1:]
    shown = [light + 1.402 * redness, light - 0.344136286 * blueness - 0.714136286 * redness, light + 1.772 * blueness]
    return torch.cat(shown, 1).round().clamp(0, 255)


def steps(table: tuple[int, ...], quality: int) -> Tensor:
    """Return the quantisation (8, 8) float32 of a quality: the table's at 50, half of it at 75."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    values = [min(255, max(1, (value * scale + 50) // 100)) for value in table]
    return torch.tensor(values, dtype=torch.float32).reshape(BLOCK, BLOCK)


def _quantised(planes: Tensor, table: tuple[int, ...], quality: int) -> Tensor:
    """Return planes (B, C, H, W) whose blocks were transformed, quantised and transformed back."""
    height, width = planes.shape[2:]
    padded = _padded(planes - 128, BLOCK)
    blocks = padded.reshape(*planes.shape[:2], padded.shape[2] // BLOCK, BLOCK, padded.shape[3] // BLOCK, BLOCK)
    cosines = torch.from_numpy(_COSINES).to(planes.device)
    sizes = steps(table, quality).to(planes.device)[:, None]  # (8, 1, 8): rows and columns of a block
    coefficients = (_transformed(blocks, cosines) / sizes).round() * sizes
    back = _transformed(coefficients, cosines.T).reshape(padded.shape)
    return (back[:, :, :height, :width].round() + 128).clamp(0, 255)


def _transformed(blocks: Tensor, matrix: Tensor) -> Tensor:
    """Return blocks (B, C, h, 8, w, 8) whose rows and columns are multiplied by a matrix, in sums of one order."""
    across = sum((blocks[..., k : k + 1] * matrix[:, k] for k in range(1, BLOCK)), blocks[..., :1] * matrix[:, 0])
    columns = matrix[:, None, None]  # (8, 1, 1, 8)
    return sum(
        (across[:, :, :, k : k + 1] * columns[..., k] for k in range(1, BLOCK)),
        across[:, :, :, :1] * columns[..., 0],
    )


def _halved(planes: Tensor) -> Tensor:
    """Return planes of half the resolution: means of two by two pixels, halves rounded down and up in turns."""
    pairs = _padded(planes, 2)
    total = pairs[:, :, ::2, ::2] + pairs[:, :, 1::2, ::2] + pairs[:, :, ::2, 1::2] + pairs[:, :, 1::2, 1::2]
    bias = 1 + torch.arange(total.shape[3], device=planes.device) % 2
    return ((total + bias) / 4).floor()


def _padded(planes: Tensor, multiple: int) -> Tensor:
    """Return planes whose last rows and columns are repeated up to a multiple."""
    height, width = planes.shape[2:]
    extra = (0, -width % multiple, 0, -height % multiple)
    return functional.pad(planes, extra, mode="replicate") if any(extra) else planes
