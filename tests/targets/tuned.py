"""Networks that say themselves how long they take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from evofool.targets.torch_target import TorchTarget


@contextmanager
def seeded() -> Iterator[None]:
    """The same weights each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


class Slow(nn.Module):
    """A pass takes as long whatever its rows are, so that the largest micro-batch is fastest; counts its passes."""

    clock = norm_seconds = 0.0

    def __init__(self, seconds: float = 0.002, error: float = 0.0) -> None:
        super().__init__()
        with seeded():
            self.layer = nn.Linear(12, 4)
        self.seconds, self.error = seconds, error
        self.rows: list[int] = []

    def forward(self, pixels: Tensor) -> Tensor:
        self.rows.append(len(pixels))
        Slow.clock += self.seconds
        wrong = self.error if not pixels.is_contiguous() else 0.0
        return self.layer(pixels.flatten(1)) + torch.tensor([wrong, 0, 0, 0])


def target_of(module: nn.Module, **options: Any) -> TorchTarget:
    return TorchTarget(module, classes=list("abcd"), image_shape=(3, 2, 2), device="cpu", **options)


def normalised(slow: float = 0.001) -> nn.Sequential:
    """A network with a batch normalisation that takes so long; the fixture ``cache`` clocks it."""
    with seeded():
        convolution, norm = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4).eval()
        nn.init.uniform_(norm.running_mean)  # type: ignore[arg-type]
    Slow.norm_seconds = slow
    return nn.Sequential(convolution, norm, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
