"""JPEG as torch computes it, beside Pillow's encoder and decoder."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from evofool.targets.robust.jpeg import compressed

SHAPES = [(3, 32, 32), (3, 48, 37), (1, 8, 8), (1, 28, 28)]


def picture(shape: tuple[int, int, int]) -> np.ndarray:
    """(C, H, W) uint8: slow waves of colour with an edge and some noise, as pictures have them."""
    channels, height, width = shape
    y, x = np.mgrid[:height, :width] / 10
    waves = np.stack([128 + 90 * np.sin(x * (1 + c) + y / (1 + c)) for c in range(channels)])
    waves[:, : height // 3] = waves[:, : height // 3] / 2 + 100
    noise = np.random.default_rng(0).normal(0, 6, shape)
    return (waves + noise).clip(0, 255).astype(np.uint8)


def by_pillow(pixels: np.ndarray, quality: int) -> np.ndarray:
    """What Pillow reads back from the JPEG file that it wrote."""
    stream = io.BytesIO()
    image = Image.fromarray(pixels[0]) if len(pixels) == 1 else Image.fromarray(pixels.transpose(1, 2, 0))
    image.save(stream, "JPEG", quality=quality)
    read = np.asarray(Image.open(stream))
    return read[None] if read.ndim == 2 else read.transpose(2, 0, 1)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("quality", [30, 60, 90])
def test_it_is_what_pillow_reads_back_but_for_roundings(shape: tuple[int, int, int], quality: int) -> None:
    pixels = picture(shape)
    ours = compressed(torch.from_numpy(pixels[None]).float(), quality)[0].numpy()
    theirs = by_pillow(pixels, quality).astype(float)
    loss = np.abs(pixels - theirs).mean()
    difference = np.abs(ours - theirs)
    assert difference.mean() < loss / 8  # integers round otherwise, and a coefficient at a tie may fall to either side
    assert np.quantile(difference, 0.99) <= 9
