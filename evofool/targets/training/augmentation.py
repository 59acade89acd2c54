"""Random crops and mirror images, for a whole batch at once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def cropped(images: Tensor, size: int, pad: int, mirror: bool, generator: torch.Generator) -> Tensor:
    """Return a random crop of each padded image, half of them mirrored if asked.

    Args:
        images: (B, C, H, W) uint8, on the CPU.
        size: Edge of the crops.
        pad: Pixels of zero padding on every side.
        mirror: Whether half of them are mirrored.
        generator: Draws places and mirrors.

    Returns:
        (B, C, size, size) uint8.
    """
    padded = F.pad(images, (pad, pad, pad, pad))
    offsets = torch.randint(0, padded.shape[-1] - size + 1, (2, len(images), 1), generator=generator)
    span = torch.arange(size)
    rows, columns = offsets[0] + span, offsets[1] + span
    if mirror:
        mirrored = torch.rand(len(images), 1, generator=generator) < 0.5
        columns = torch.where(mirrored, columns.flip(1), columns)
    batch = torch.arange(len(images))[:, None, None]
    return padded[batch, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
