"""Loops over pictures: against torch's own operations."""

from __future__ import annotations

import pytest
import torch
from support import random_images
from torch.nn.functional import interpolate

from evofool.kernels.images import downscale, look_up

FORMATS = [torch.contiguous_format, torch.channels_last]


def table(channels: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(channels, 256, generator=torch.Generator().manual_seed(1)).to(dtype)


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 1, 7, 5), (5, 3, 6, 9), (9, 3, 224, 224)])
def test_every_value_is_looked_up(
    shape: tuple[int, int, int, int], dtype: torch.dtype, memory_format: torch.memory_format
) -> None:
    images, values = random_images(shape[0], shape[1:]), table(shape[1], dtype)
    looked_up = look_up(images, values, memory_format)
    expected = torch.stack([values[c][images[:, c].long()] for c in range(shape[1])], 1)
    assert looked_up.dtype is dtype
    assert looked_up.is_contiguous(memory_format=memory_format)
    assert torch.equal(looked_up, expected)


@pytest.mark.parametrize("memory_format", FORMATS)
def test_pictures_that_lie_otherwise_in_memory(memory_format: torch.memory_format) -> None:
    images, values = random_images(4, (3, 8, 6)), table(3, torch.float32)
    expected = look_up(images, values, memory_format)
    for others in (images.contiguous(memory_format=torch.channels_last), images.repeat(2, 1, 1, 1)[::2][[0, 1]]):
        again = look_up(others, values, memory_format)
        assert torch.equal(again, expected if len(others) == 4 else expected[[0, 2]])
    assert torch.equal(look_up(images[1:3], values, memory_format), expected[1:3])
    assert torch.equal(look_up(images[:1].expand(3, 3, 8, 6), values, memory_format), expected[[0, 0, 0]])


@pytest.mark.parametrize(
    ("size", "small"), [((224, 224), (96, 96)), ((7, 9), (3, 4)), ((5, 8), (5, 8)), ((300, 100), (96, 32))]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_small_copies_are_means(channels: int, size: tuple[int, int], small: tuple[int, int]) -> None:
    images = random_images(4, (channels, *size))
    exact = interpolate(images.double(), small, mode="area")
    assert torch.equal(downscale(images, small), exact.round().byte())
