"""Repeated elements, found by autocorrelation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from evofool.lab.repeats import Lattice, autocorrelation, cells, find_lattice


def tiled(element: NDArray[np.uint8], shape: tuple[int, int], shift: int = 0) -> NDArray[np.uint8]:
    """An element (h, w) beside and above itself, each row of copies moved by ``shift`` pixels, as (1, H, W)."""
    height, width = element.shape
    y, x = np.mgrid[: shape[0], : shape[1]]
    moved = (x + shift * (y // height)) % width
    return element[y % height, moved][None]


def element(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A bright blot on dark ground, with noise, so that it repeats itself nowhere."""
    y, x = np.mgrid[:height, :width]
    blot = 220 * np.exp(-(((y - height / 2) / 2.5) ** 2) - ((x - width / 2) / 3) ** 2)
    return (blot + np.random.default_rng(seed).uniform(0, 30, (height, width))).astype(np.uint8)


def test_the_autocorrelation_is_that_of_the_overlapping_pixels() -> None:
    image = np.random.default_rng(1).integers(0, 256, (3, 7, 9)).astype(np.uint8)
    pixels = image - image.mean((1, 2), keepdims=True)
    correlation = autocorrelation(image)
    assert correlation.shape == (13, 17)
    for y, x in [(0, 0), (2, 3), (-2, 3), (5, -8), (-6, 0)]:
        one = pixels[:, max(0, -y) : 7 - max(0, y), max(0, -x) : 9 - max(0, x)].ravel()
        other = pixels[:, max(0, y) : 7 + min(0, y), max(0, x) : 9 + min(0, x)].ravel()
        expected = one @ other / np.sqrt((one @ one) * (other @ other))
        assert correlation[6 + y, 8 + x] == pytest.approx(expected, abs=1e-9)


def test_copies_in_two_directions_are_found() -> None:
    lattice = find_lattice(tiled(element(9, 12), (36, 48)))
    assert lattice is not None
    assert set(lattice.periods) == {(9, 0), (0, 12)}
    assert lattice.correlation == pytest.approx(1)
    number = cells((36, 48), lattice)
    whole = [number == copy for copy in range(number.max() + 1)]
    assert max(area.sum() for area in whole) == 9 * 12
    assert number[18, 24] == 0  # the centre
    rows, columns = np.nonzero(whole[0])
    assert (np.ptp(rows), np.ptp(columns)) == (8, 11)


def test_copies_whose_rows_are_moved_are_found() -> None:
    lattice = find_lattice(tiled(element(8, 12), (40, 48), shift=6))
    assert lattice is not None
    (one, along), (other, across) = lattice.periods
    assert abs(one * across - along * other) == 8 * 12
    areas = np.bincount(cells((40, 48), lattice).ravel() + 1)[1:]
    assert areas.max() == 8 * 12


def test_stripes_repeat_in_one_direction_only() -> None:
    x = np.mgrid[:32, :40][1]
    stripes = (127 + 100 * np.sin(2 * np.pi * (x + 0.3) / 10)).astype(np.uint8)[None]
    lattice = find_lattice(stripes)
    assert lattice is not None
    assert lattice.periods == ((0, 10),)
    number = cells((32, 40), lattice)
    assert (number == number[0]).all()  # whole columns
    assert number.max() == 4  # three whole ones, and a half at either edge


@pytest.mark.parametrize(
    "image",
    [
        np.full((3, 16, 16), 7, np.uint8),
        np.broadcast_to(np.arange(0, 256, 8, dtype=np.uint8), (1, 32, 32)),
        np.random.default_rng(0).integers(0, 256, (3, 32, 32)).astype(np.uint8),
        element(32, 32)[None],
    ],
    ids=["flat", "a ramp", "noise", "one element"],
)
def test_what_repeats_nothing_has_no_lattice(image: NDArray[np.uint8]) -> None:
    assert find_lattice(image) is None


def test_copies_of_which_less_than_half_is_seen_share_a_number() -> None:
    number = cells((10, 26), Lattice(((0, 8),), 1.0))
    assert set(number[:, 9:17].ravel().tolist()) == {0}
    assert sorted(np.unique(number, return_counts=True)[1].tolist()) == [20, 80, 80, 80]
    assert set(number[:, [0, 25]].ravel().tolist()) == {-1}
