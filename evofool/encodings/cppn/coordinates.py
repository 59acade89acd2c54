"""What CPPNs read at every pixel of a picture."""

from __future__ import annotations

import torch
from torch import Tensor

from .batch import INPUTS


def pixel_coordinates(
    size: tuple[int, int],
    native: tuple[int, int],
    system: str,
    device: torch.device,
    window: tuple[int, int] | None = None,
) -> Tensor:
    """Return x, y, distance and bias at the centre of every pixel.

    Args:
        size: (H, W) to render at.
        native: (H, W) of the images that the genome was evolved for. Another size samples the same pattern.
        system: ``unit``: x and y reach ±1 on the shorter native side. ``pixels``: they count native pixels from 0. The
            distance from the centre is 0 to 1 on the shorter side in both.
        device: Where the result is.
        window: Rows ``start`` to ``stop``, the latter excluded; None for all of them.

    Returns:
        (4, rows · W) float32, line by line.
    """
    width = size[1]
    first, last = window or (0, size[0])
    y = (torch.arange(first, last, dtype=torch.float64) + 0.5) / size[0] * native[0]
    x = (torch.arange(width, dtype=torch.float64) + 0.5) / width * native[1]
    half = min(native) / 2
    unit_y, unit_x = (y - native[0] / 2) / half, (x - native[1] / 2) / half
    distance = torch.hypot(unit_x[None, :], unit_y[:, None])
    if system == "pixels":
        rows, columns = y - 0.5, x - 0.5
    else:
        rows, columns = unit_y, unit_x
    grid = torch.stack(
        [
            columns.expand(distance.shape),
            rows[:, None].expand(distance.shape),
            distance,
            torch.ones_like(distance),
        ]
    )
    return grid.reshape(len(INPUTS), -1).float().to(device)
