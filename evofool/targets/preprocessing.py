"""From 8-bit images, or pixels in [0, 1], to what a torch network takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..config.arguments import plain
from ..errors import TargetError
from ..kernels.images import look_up

LOWEST_MEAN, HIGHEST = -1.0, 2.0
"""Smallest mean, and largest mean and std, that can be meant for pixels in [0, 1] and not in [0, 255]."""


class Normalisation:
    """(pixel − mean) / std of every channel, for pixels in [0, 1].

    Attributes:
        mean, std: A value for each channel.

    Args:
        name: The target's name, for messages.
        mean: Per channel, or one for all.
        std: Per channel, or one for all.
        channels: How many channels there are.
        device: Where the images are normalised.

    Raises:
        TargetError: There are other numbers of values, a mean is not finite, an std is not above 0, or they are for
            pixels in [0, 255].
    """

    def __init__(
        self,
        name: str,
        mean: float | Sequence[float],
        std: float | Sequence[float],
        channels: int,
        device: torch.device,
    ) -> None:
        self.mean, self.std = (
            _per_channel(f"{name}: `{option}`", values, channels) for option, values in (("mean", mean), ("std", std))
        )
        self._mean, self._std = (torch.tensor(values, device=device)[:, None, None] for values in (self.mean, self.std))
        if not bool((self._std > 0).all() & self._mean.isfinite().all()):
            raise TargetError(f"{name}: `std` must be above 0 and `mean` finite, got {std} and {mean}")
        if bool((self._mean < LOWEST_MEAN).any() | (self._mean > HIGHEST).any() | (self._std > HIGHEST).any()):
            raise TargetError(
                f"{name}: `mean` and `std` must be for pixels in [0, 1], got {plain(mean)} and {plain(std)}; "
                "divide both by 255"
            )
        self._scale, self._offset = 1 / (255 * self._std), -self._mean / self._std
        values = torch.arange(256, device=device).expand(channels, 1, 256)
        self._table = values.float().mul(self._scale).add_(self._offset).view(channels, 256)

    def bytes(self, images: Tensor, dtype: torch.dtype, memory_format: torch.memory_format) -> Tensor:
        """Normalise 8-bit images, in float32.

        Args:
            images: (B, C, H, W) uint8 on the device.
            dtype: Type of the result, float32 or bfloat16.
            memory_format: Memory format of the result.
        """
        if images.device.type == "cpu":
            return look_up(images, self._table.to(dtype), memory_format)
        return images.float().mul_(self._scale).add_(self._offset).to(dtype, memory_format=memory_format)

    def pixels(self, pixels: Tensor, memory_format: torch.memory_format) -> Tensor:
        """Normalise (B, C, H, W) float32 pixels in [0, 1] on the device. Gradients flow through."""
        return ((pixels - self._mean) / self._std).contiguous(memory_format=memory_format)


def _per_channel(option: str, values: float | Sequence[float], channels: int) -> tuple[float, ...]:
    """Return a value for each channel."""
    try:
        listed = tuple(torch.tensor(plain(values), dtype=torch.float64).flatten().tolist())
    except (TypeError, ValueError, RuntimeError) as error:
        raise TargetError(f"{option} must be numbers, got {values!r:.60}") from error
    if len(listed) not in (1, channels):
        wanted = "1 value" if channels == 1 else f"1 or {channels} values"
        raise TargetError(f"{option} needs {wanted}, got {len(listed)}")
    return listed if len(listed) == channels else listed * channels
