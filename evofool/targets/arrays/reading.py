"""How a foreign network takes its images: layout, order of channels, range of values, type, mean and std."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import ConfigError
from ...kernels.images import look_up

LAYOUTS = ("NCHW", "NHWC", "NHW")
"""Orders of the axes: channels first, channels last, or no channel axis (grey images only)."""

RANGES: dict[str, tuple[float, float]] = {"0-1": (0.0, 1.0), "0-255": (0.0, 255.0), "-1-1": (-1.0, 1.0)}
"""What black and white are, before mean and std."""

CHANNEL_ORDERS = ("rgb", "bgr")
"""Orders of the colours."""

TYPES = ("float32", "float16", "float64", "uint8")
"""Types that values may have."""


@dataclass(frozen=True)
class Reading:
    """How a network takes its images.

    A pixel p from 0 to 255 becomes (p / 255 − mean) / std, stretched to the range where that isn't 0 to 1. With the
    type ``uint8`` it stays as it is.

    Attributes:
        layout: One of ``LAYOUTS``.
        dtype: One of ``TYPES``.
        range: One of ``RANGES``.
        channels: One of ``CHANNEL_ORDERS``.
        mean: Mean of each channel's pixels in [0, 1], in the order red, green, blue; or one for all.
        std: Standard deviation of each channel's pixels in [0, 1]; or one for all.

    Raises:
        ConfigError: One of them can't be, or they don't go together.
    """

    layout: str = "NCHW"
    dtype: str = "float32"
    range: str = "0-1"
    channels: str = "rgb"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        for name, choices in (
            ("layout", LAYOUTS),
            ("range", RANGES),
            ("channels", CHANNEL_ORDERS),
            ("dtype", TYPES),
        ):
            if getattr(self, name) not in choices:
                raise ConfigError(f"`{name}` must be {' or '.join(choices)}, got {getattr(self, name)!r:.60}")
        plain = self.range in ("0-1", "0-255") and set(self.mean) == {0.0} and set(self.std) == {1.0}
        if self.dtype == "uint8" and not plain:
            raise ConfigError("a network that takes uint8 images normalises them itself; leave `mean` and `std` out")

    def arrays(self, images: Tensor) -> NDArray[Any]:
        """Return images as the network takes them.

        Args:
            images: (B, C, H, W) uint8 on the CPU.

        Returns:
            (B, C, H, W), (B, H, W, C) or (B, H, W) of the type, contiguous.
        """
        last = self.layout == "NHWC"
        if self.dtype == "uint8":
            values = images.contiguous()
        else:
            memory_format = torch.channels_last if last and images.shape[1] > 1 else torch.contiguous_format
            values = look_up(images.contiguous(), self.table(images.shape[1]), memory_format)
        if self.channels == "bgr" and images.shape[1] == 3:
            values = values.flip(1)
        if last:
            values = values.permute(0, 2, 3, 1)
        elif self.layout == "NHW":
            values = values[:, 0]
        return np.ascontiguousarray(values.numpy().astype(self.dtype, copy=False))

    def stretched(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return mean and std of pixels in [0, 1] that bring them into the range as well."""
        low, high = RANGES[self.range]
        scale = high - low
        means = self.mean * (len(self.std) if len(self.mean) == 1 else 1)
        stds = self.std * (len(self.mean) if len(self.std) == 1 else 1)
        mean = tuple(one - low / scale * deviation for one, deviation in zip(means, stds, strict=True))
        return mean, tuple(deviation / scale for deviation in stds)

    def table(self, channels: int) -> Tensor:
        """Return (C, 256) float32: what each value of each channel becomes."""
        mean = np.broadcast_to(np.array(self.mean, np.float64), channels)[:, None]
        std = np.broadcast_to(np.array(self.std, np.float64), channels)[:, None]
        low, high = RANGES[self.range]
        values = (np.arange(256) / 255 - mean) / std * (high - low) + low
        return torch.from_numpy(values.astype(np.float32))
