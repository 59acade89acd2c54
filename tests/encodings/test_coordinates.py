"""What a CPPN reads at a pixel, in both systems, at native and other sizes."""

from __future__ import annotations

import numpy as np
import pytest
import reference
import torch
from graphs import BIAS, DISTANCE, Graph, X, Y, to_batch
from support import build

from evofool.encodings.cppn.coordinates import pixel_coordinates
from evofool.rng import Rng

CPU = torch.device("cpu")


def grid(size: tuple[int, int], system: str, native: tuple[int, int] | None = None) -> np.ndarray:
    """Return (4, H, W) float64 coordinates."""
    return pixel_coordinates(size, native or size, system, CPU).double().numpy().reshape(4, *size)


def test_unit_coordinates_reach_one_on_the_shorter_side() -> None:
    x, y, distance, bias = grid((4, 8), "unit")
    np.testing.assert_allclose(y[:, 0], [-0.75, -0.25, 0.25, 0.75])
    np.testing.assert_allclose(x[0], [-1.75, -1.25, -0.75, -0.25, 0.25, 0.75, 1.25, 1.75])
    np.testing.assert_allclose(distance, np.hypot(x, y), rtol=1e-6)
    assert (bias == 1).all()


def test_pixel_coordinates_count_from_zero_beside_the_same_distance() -> None:
    x, y, distance, bias = grid((3, 5), "pixels")
    assert x[2].tolist() == [0, 1, 2, 3, 4]
    assert y[:, 4].tolist() == [0, 1, 2]
    assert (bias == 1).all()
    np.testing.assert_array_equal(distance, grid((3, 5), "unit")[2])
    assert distance[1, 2] == 0


@pytest.mark.parametrize("system", ["unit", "pixels"])
@pytest.mark.parametrize("size", [(8, 8), (3, 7), (7, 3), (1, 1)])
@pytest.mark.parametrize("native", [(8, 8), (5, 9)])
def test_they_are_the_slow_renderer_s(system: str, size: tuple[int, int], native: tuple[int, int]) -> None:
    expected = np.array(reference.inputs(size, native, system)).reshape(4, *size)
    np.testing.assert_allclose(grid(size, system, native), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("system", ["unit", "pixels"])
def test_another_size_samples_the_same_pattern(system: str) -> None:
    """The middle pixel of every 3×3 block lies where the native pixel does."""
    native, large = grid((6, 4), system), grid((18, 12), system, (6, 4))
    np.testing.assert_allclose(large[:, 1::3, 1::3], native, atol=1e-6)


def test_decode_at_draws_the_same_pattern_larger() -> None:
    encoding = build("cppn", "default", (3, 6, 8))
    edges = ((X, 7, 2.0), (Y, 7, 1.0), (7, 4, 2.0), (DISTANCE, 5, 1.0), (BIAS, 5, 1.0), (7, 6, 0.5), (X, 6, 0.3))
    genomes = to_batch([Graph(("sin", "cos", "gauss"), ("sin",), edges)])
    native = encoding.decode(genomes).int()
    large = encoding.decode_at(genomes, (18, 24))
    assert large.shape == (1, 3, 18, 24)
    assert large.dtype == torch.uint8
    assert (large[:, :, 1::3, 1::3].int() - native).abs().max() <= 1
    assert torch.equal(encoding.decode_at(genomes, (6, 8)), encoding.decode(genomes))
    picture = reference.picture(genomes, 0, "hsl", (18, 24), (6, 8), "unit")
    off = np.abs(large[0].double().numpy() - picture.value)
    assert (off <= 0.5 + picture.bound).all()
    assert picture.bound.max() < 0.05


@pytest.mark.parametrize("system", ["unit", "pixels"])
@pytest.mark.parametrize("size", [(37, 41), (16, 16), (5, 203)])
def test_a_window_of_rows_has_the_whole_picture_s_bytes(system: str, size: tuple[int, int]) -> None:
    whole = pixel_coordinates(size, (12, 10), system, CPU).reshape(4, *size)
    for start, stop in ((0, 1), (1, 4), (2, size[0]), (size[0] - 1, size[0])):
        window = pixel_coordinates(size, (12, 10), system, CPU, (start, stop)).reshape(4, stop - start, size[1])
        assert torch.equal(window, whole[:, start:stop])


@pytest.mark.parametrize("preset", ["default", "nguyen2015"])
@pytest.mark.parametrize("channels", [1, 3])
def test_rows_of_a_picture_are_those_of_the_whole(preset: str, channels: int) -> None:
    encoding, rng = build("cppn", preset, (channels, 12, 10)), Rng(3)
    genomes = encoding.random(6, rng)
    for _ in range(20):
        genomes = encoding.mutate(genomes, rng)
    size = (61, 83)
    whole, rows = encoding.decode_at(genomes, size), encoding.decode_rows(genomes, size)
    for start, stop in ((0, 61), (0, 1), (17, 30), (60, 61)):
        assert torch.equal(rows(start, stop), whole[:, :, start:stop])
