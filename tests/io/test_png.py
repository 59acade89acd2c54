"""PNG files: what Pillow reads from them is what was written."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from evofool.io.png import chunk, filtered, png

pixel_arrays = st.tuples(st.sampled_from([1, 3]), st.integers(1, 20), st.integers(1, 20)).flatmap(
    lambda shape: arrays(np.uint8, shape)
)


def read(content: bytes) -> np.ndarray:
    """(C, H, W), by Pillow, which checks the check sums."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


@given(pixel_arrays)
def test_pillow_reads_what_was_written(pixels: np.ndarray) -> None:
    np.testing.assert_array_equal(read(png(pixels)), pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_is_stored_and_what_is_smooth_is_compressed(channels: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (channels, 224, 224), np.uint8)
    slope = np.broadcast_to((np.arange(224) // 2).astype(np.uint8), (channels, 224, 224))
    np.testing.assert_array_equal(read(png(noise)), noise)
    np.testing.assert_array_equal(read(png(slope)), slope)
    assert noise.size < len(png(noise)) < 1.01 * noise.size
    assert len(png(slope)) < 0.03 * slope.size


def test_smooth_pictures_are_hardly_larger_than_pillow_s() -> None:
    y, x = np.mgrid[-1:1:160j, -1:1:160j]
    waves = [np.sin(9 * x * y), np.cos(7 * (x * x + y * y)), np.sin(5 * x + 3 * y * y)]
    pixels = np.stack([(127 + 127 * wave).astype(np.uint8) for wave in waves])
    by_pillow = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(by_pillow, "PNG", compress_level=3)
    assert len(png(pixels)) < 1.25 * len(by_pillow.getvalue())


def test_each_row_is_filtered_the_way_that_is_smaller() -> None:
    rows = np.array([[9, 9, 9, 9], [1, 2, 3, 4], [1, 2, 3, 9]], np.uint8)
    assert filtered(rows, None, 1).tolist() == [[1, 9, 0, 0, 0], [1, 1, 1, 1, 1], [2, 0, 0, 0, 5]]
    assert filtered(rows[:1], rows[:1].ravel(), 1).tolist() == [[2, 0, 0, 0, 0]]


def test_a_chunk_has_its_length_and_check_sum() -> None:
    assert chunk(b"tEXt", b"ab") == b"\x00\x00\x00\x02tEXtab" + zlib.crc32(b"tEXtab").to_bytes(4, "big")
