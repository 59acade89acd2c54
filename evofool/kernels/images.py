"""Loops over 8-bit pictures: looking up their values in a table, and making small copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .compiled import compiled
from .threads import in_parts

Bits = NDArray[Any]


def look_up(images: Tensor, table: Tensor, memory_format: torch.memory_format) -> Tensor:
    """Return ``table[channel, value]`` for every value of some pictures.

    One pass does it, so that no intermediate leaves the processor's cache.

    Args:
        images: (B, C, H, W) uint8 with one or three channels, on the CPU.
        table: (C, 256) with 16 or 32 bits per value.
        memory_format: The layout of the result.

    Returns:
        (B, C, H, W) of the table's type.
    """
    n, channels = images.shape[:2]
    values = torch.empty(images.shape, dtype=table.dtype, memory_format=memory_format)
    interleaved = memory_format is torch.channels_last and channels == 3
    flat = _as_bits(values.permute(0, 2, 3, 1) if interleaved else values).reshape(n, -1)
    loop = _look_up_interleaved if interleaved else _look_up
    pictures, bits = images.reshape(n, channels, -1).numpy(), _as_bits(table)
    in_parts(lambda first, last: loop(pictures, bits, flat, first, last), flat.shape[1] * np.arange(n + 1))
    return values


def downscale(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Return small copies, in which each value is the rounded mean of all values that its pixel covers or touches.

    Args:
        images: (B, C, H, W) uint8, on the CPU.
        size: (h, w) of the copies.

    Returns:
        (B, C, h, w) uint8.
    """
    small = torch.empty((*images.shape[:2], *size), dtype=torch.uint8)
    pictures, out = images.numpy(), small.numpy()
    until = int(np.prod(images.shape[1:])) * np.arange(len(images) + 1)
    in_parts(lambda first, last: _average(pictures, out, first, last), until)
    return small


def _as_bits(values: Tensor) -> Bits:
    """View values as a numpy array, bfloat16 as int16: numpy doesn't know it, and copying needs no arithmetic."""
    return np.asarray((values.view(torch.int16) if values.dtype is torch.bfloat16 else values).numpy())


@compiled
def _look_up(pictures: Bits, table: Bits, out: Bits, first: int, last: int) -> None:
    pixels = pictures.shape[2]
    for n in range(first, last):
        for c in range(pictures.shape[1]):
            values, read = table[c], pictures[n, c]
            for p in range(pixels):
                out[n, c * pixels + p] = values[read[p]]


@compiled
def _look_up_interleaved(pictures: Bits, table: Bits, out: Bits, first: int, last: int) -> None:
    """Write a pixel's three values side by side."""
    reds, greens, blues = table
    for n in range(first, last):
        red, green, blue = pictures[n]
        for p in range(pictures.shape[2]):
            out[n, 3 * p], out[n, 3 * p + 1], out[n, 3 * p + 2] = reds[red[p]], greens[green[p]], blues[blue[p]]


@compiled
def _average(pictures: Bits, out: Bits, first: int, last: int) -> None:
    (height, width), (rows, columns) = pictures.shape[2:], out.shape[2:]
    sums, x = np.empty(width, np.int32), np.arange(columns)
    left, right = x * width // columns, -(-(x + 1) * width // columns)
    for n in range(first, last):
        for c in range(pictures.shape[1]):
            for y in range(rows):
                top, bottom = y * height // rows, -(-(y + 1) * height // rows)
                sums[:] = 0
                for row in range(top, bottom):
                    line = pictures[n, c, row]
                    for column in range(width):
                        sums[column] += line[column]
                small = out[n, c, y]
                for k in range(columns):
                    total = 0
                    for column in range(left[k], right[k]):
                        total += sums[column]
                    small[k] = np.rint(total / ((bottom - top) * (right[k] - left[k])))
