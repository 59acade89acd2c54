"""Applying pixel edits to batches of images with torch."""

from __future__ import annotations

import torch
from torch import Tensor


def apply_edits(images: Tensor, edits: Tensor) -> Tensor:
    """Set the edited pixels; ``pixels.edited`` does the same to one image without torch.

    Args:
        images: (N, C, H, W) uint8, changed in place.
        edits: (N, k, 2 + C) on the same device; see ``pixels.Edits``.

    Returns:
        ``images``.
    """
    x, y = edits[..., 0].long(), edits[..., 1].long()
    rows = torch.arange(len(images), device=images.device)[:, None].expand_as(x)
    images[rows, :, y, x] = edits[..., 2:].to(torch.uint8)
    return images
