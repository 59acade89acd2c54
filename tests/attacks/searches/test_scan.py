"""Where a local search looks first: the order of places and colours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from searching import Shape

from evofool.attacks.searches.scan import NEIGHBOURS, coarse_to_fine, inverted, neighbour, scan, shifted
from evofool.encodings.pixels import Pixels

shapes = st.tuples(st.sampled_from([1, 3]), st.integers(1, 20), st.integers(1, 20))


@given(shapes)
def test_coarse_to_fine_is_every_place_once(shape: Shape) -> None:
    order = coarse_to_fine(Pixels(shape, 1))
    assert sorted(order.tolist()) == list(range(shape[1] * shape[2]))


@pytest.mark.parametrize(("side", "step"), [(8, 1), (16, 2), (32, 4), (28, 4), (64, 8), (224, 32)])
def test_the_first_places_are_a_coarse_grid_from_the_centre(side: int, step: int) -> None:
    order = coarse_to_fine(Pixels((3, side, side), 1))
    y, x = np.divmod(order[: len(range(step // 2, side, step)) ** 2], side)
    assert (y % step == step // 2).all()
    assert (x % step == step // 2).all()
    distance = np.hypot(y - (side - 1) / 2, x - (side - 1) / 2)
    assert (np.diff(distance) >= -1e-9).all()


@given(shapes.filter(lambda shape: shape[1] * shape[2] < 120), st.integers(0, 99))
def test_the_scan_is_every_place_with_every_corner_farthest_first(shape: Shape, seed: int) -> None:
    space = Pixels(shape, 1)
    image = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    order = coarse_to_fine(space)
    edits = list(scan(space, image, order))
    assert len(edits) == len(set(edits)) == space.places * 2**space.channels
    assert [place for place, _ in edits] == order.tolist() * 2**space.channels
    assert all(set(colour) <= {0, 255} for _, colour in edits)
    away: dict[int, list[int]] = {}
    for place, colour in edits:
        clean = image[:, place // space.width, place % space.width].astype(int)
        away.setdefault(place, []).append(int(np.abs(clean - colour).sum()))
    assert all(distances == sorted(distances, reverse=True) for distances in away.values())


@given(shapes, st.data())
def test_a_neighbour_is_inside_or_none(shape: Shape, data: st.DataObject) -> None:
    space = Pixels(shape, 1)
    place = data.draw(st.integers(0, space.places - 1))
    dy, dx = data.draw(st.tuples(st.integers(-5, 5), st.integers(-5, 5)))
    y, x = place // space.width + dy, place % space.width + dx
    inside = y in range(space.height) and x in range(space.width)
    assert neighbour(space, place, dy, dx) == (y * space.width + x if inside else None)


def test_there_are_eight_neighbours() -> None:
    assert set(NEIGHBOURS) == {(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} - {(0, 0)}
    assert len(NEIGHBOURS) == 8


def test_a_shifted_colour_stays_within_bytes() -> None:
    assert shifted((10, 20, 30), 1, 5) == (10, 25, 30)
    assert shifted((10, 20, 30), 0, -11) == (0, 20, 30)
    assert shifted((10, 20, 250), 2, 128) == (10, 20, 255)


def test_an_inverted_channel_is_as_far_from_black_as_it_was_from_white() -> None:
    assert inverted((10, 20, 30), 1) == (10, 235, 30)
    assert inverted(inverted((10, 20, 30), 0), 0) == (10, 20, 30)
