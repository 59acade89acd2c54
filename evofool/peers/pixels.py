"""Images of other libraries as the 8-bit pixels that are scored, and back."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ConfigError


def to_bytes(images: Tensor, low: float = 0.0, high: float = 1.0) -> NDArray[np.uint8]:
    """Return float images (N, C, H, W) as their nearest 8-bit values.

    Args:
        images: The images.
        low, high: What black and white are.

    Raises:
        ConfigError: They are no such images, or have values outside.
    """
    if images.ndim != 4 or not images.is_floating_point():
        raise ConfigError(
            f"images must be (N, C, H, W) in floating point, got {tuple(images.shape)} in "
            f"{str(images.dtype).removeprefix('torch.')}"
        )
    slack = 1e-4 * (high - low)
    least, most = (float(images.min()), float(images.max())) if images.numel() else (low, high)
    if not (least >= low - slack and most <= high + slack):  # NaN, too
        raise ConfigError(f"images must be from {low:g} to {high:g}, got values from {least:g} to {most:g}")
    scaled = (images.detach().double() - low) * (255 / (high - low))
    return scaled.round().clamp(0, 255).to(torch.uint8).cpu().numpy()


def with_changes(
    images: Tensor, before: NDArray[np.uint8], after: NDArray[np.uint8], low: float | Tensor, high: float | Tensor
) -> Tensor:
    """Return float images with those pixels replaced that changed; all others keep their values.

    Args:
        images: (N, C, H, W).
        before, after: (N, C, H, W) uint8, the images as they were and are scored.
        low, high: What black and white are in ``images``; or (1, C, 1, 1), that of each channel.
    """
    changed = torch.from_numpy((before != after).any(1, keepdims=True)).to(images.device)
    values = torch.from_numpy(after).to(images) * ((high - low) / 255) + low
    return torch.where(changed, values, images)
