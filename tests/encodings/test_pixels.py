"""Pixel edits: how they are drawn, repaired, told apart, applied and measured."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support import global_random_untouched

from evofool.encodings.apply_edits import apply_edits
from evofool.encodings.pixels import EditBatch, Pixels, distances, edited, keys
from evofool.errors import GenomeError

shapes = st.tuples(st.sampled_from([1, 3]), st.integers(1, 7), st.integers(1, 7))
seeds = st.integers(0, 2**32 - 1)


@st.composite
def spaces(draw: st.DrawFn) -> Pixels:
    """Any k that a small image allows: one pixel, few, nearly all, all."""
    shape = draw(shapes)
    return Pixels(shape, draw(st.integers(1, shape[1] * shape[2])))


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def places_of(edits: np.ndarray, width: int) -> np.ndarray:
    return edits[..., 1].astype(int) * width + edits[..., 0]


def assert_valid(space: Pixels, edits: np.ndarray, n: int) -> None:
    """(n, k, 2 + C) int16 in range, with distinct places."""
    assert edits.shape == (n, space.k, 2 + space.channels)
    assert edits.dtype == np.int16
    assert edits.min(initial=0) >= 0
    assert (edits[..., 0] < space.width).all()
    assert (edits[..., 1] < space.height).all()
    assert (edits[..., 2:] < 256).all()
    assert all(len(set(row)) == space.k for row in places_of(edits, space.width).tolist())


@given(spaces(), st.integers(1, 30), seeds)
def test_random_genomes_are_in_range_with_distinct_places(space: Pixels, n: int, seed: int) -> None:
    with global_random_untouched():
        edits = space.random(n, generator(seed))
    assert_valid(space, edits, n)
    np.testing.assert_array_equal(edits, space.random(n, generator(seed)))


@pytest.mark.parametrize(
    "k",
    [
        1,
        2,
        5,
        11,
        12,
    ],
)
def test_no_genomes_are_an_empty_array(k: int) -> None:
    assert Pixels((3, 3, 4), k).random(0, generator()).shape == (0, k, 5)


@pytest.mark.parametrize("k", [1, 2, 5, 12])
def test_every_place_and_every_value_is_drawn_alike(k: int) -> None:
    space = Pixels((3, 3, 4), k)
    edits = space.random(24_000 // k, generator(1))
    for column in range(k):  # No slot has favourite places.
        places = Counter(places_of(edits, 4)[:, column].tolist())
        share = len(edits) / 12
        assert len(places) == 12
        assert max(abs(count - share) for count in places.values()) < 5 * np.sqrt(share)
    for channel in range(3):
        values = np.bincount(edits[..., 2 + channel].ravel(), minlength=256)
        assert values.min() > 40  # 94 each on average: 0 and 255 as often as any other
        assert values.max() < 150


@given(shapes, st.data(), st.integers(1, 20), seeds)
def test_random_places_are_distinct_for_any_k(
    shape: tuple[int, int, int], data: st.DataObject, n: int, seed: int
) -> None:
    space = Pixels(shape, 1)
    k = data.draw(st.integers(1, space.places))
    places = space.random_places(n, k, generator(seed))
    assert places.shape == (n, k)
    assert places.min(initial=0) >= 0
    assert places.max(initial=0) < space.places
    assert all(len(set(row)) == k for row in places.tolist())


@pytest.mark.parametrize(("k", "side"), [(1, 224), (5, 224), (224, 224), (225, 224), (64, 8), (63, 8), (8, 8), (9, 8)])
def test_places_are_drawn_quickly(k: int, side: int) -> None:
    space, begun = Pixels((3, side, side), k), time.perf_counter()
    places = space.random_places(20, k, generator())
    assert time.perf_counter() - begun < 3
    assert all(len(set(row)) == k for row in places.tolist())


def test_orders_of_all_places_are_all_drawn() -> None:
    rows = Pixels((1, 1, 3), 3).random_places(600, 3, generator())
    orders = Counter(map(tuple, rows.tolist()))
    assert len(orders) == 6
    assert min(orders.values()) > 60


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 2, 5)])
@pytest.mark.parametrize("k", [0, -1, 65, 10**9])
def test_a_bad_k_says_what_is_allowed(shape: tuple[int, int, int], k: int) -> None:
    _, height, width = shape
    with pytest.raises(GenomeError, match=f"`pixels` must be 1 to {height * width}: .*{width} × {height}.*got {k}"):
        Pixels(shape, k)


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 2, 5), (3, 1, 1)])
def test_one_pixel_and_all_pixels_are_allowed(shape: tuple[int, int, int]) -> None:
    places = shape[1] * shape[2]
    assert (Pixels(shape, 1).k, Pixels(shape, places).k) == (1, places)
    with pytest.raises(GenomeError):
        Pixels(shape, places + 1)


@st.composite
def clashing(draw: st.DrawFn) -> tuple[Pixels, np.ndarray]:
    """Genomes in range whose places may be named more than once."""
    space = draw(spaces())
    n = draw(st.integers(1, 6))
    places = draw(arrays.arrays(np.int64, (n, space.k), elements=st.integers(0, space.places - 1)))
    colours = draw(arrays.arrays(np.uint8, (n, space.k, space.channels)))
    return space, space.join(places, colours)


@given(clashing(), seeds)
def test_repaired_genomes_have_distinct_places_and_their_colours(genomes: tuple[Pixels, np.ndarray], seed: int) -> None:
    space, edits = genomes
    before = edits.copy()
    after = space.repaired(edits, generator(seed))
    assert after is edits  # In place.
    assert_valid(space, after, len(before))
    np.testing.assert_array_equal(after[..., 2:], before[..., 2:])
    np.testing.assert_array_equal(after[:, 0], before[:, 0])  # The first of equals stays.
    for old, new in zip(before, after, strict=True):
        if len(set(places_of(old, space.width).tolist())) == space.k:
            np.testing.assert_array_equal(old, new)


def moved_at_all(before: np.ndarray, after: np.ndarray, width: int) -> list[bool]:
    """Which pixels of a genome were moved though no earlier one was at their place."""
    old, new = places_of(before, width).tolist(), places_of(after, width).tolist()
    return [a != b and a not in old[:slot] for slot, (a, b) in enumerate(zip(old, new, strict=True))]


def test_a_lone_clash_moves_the_later_of_the_two() -> None:
    space = Pixels((3, 50, 50), 3)
    edits = space.join(np.array([[7, 30, 7]] * 50), np.zeros((50, 3, 3)))
    after = places_of(space.repaired(edits, generator()), 50)
    assert (after[:, :2] == [7, 30]).all()
    assert len(set(after[:, 2].tolist())) > 40  # Anywhere.


def test_a_moved_pixel_takes_a_free_place() -> None:
    space = Pixels((1, 1, 3), 3)
    for seed in range(20):
        before = space.join(np.array([[0, 0, 2]]), np.zeros((1, 3, 1)))
        after = space.repaired(before.copy(), generator(seed))
        assert not any(moved_at_all(before[0], after[0], 3)), after[0].tolist()


def test_edits_of_one_pixel_need_no_repair() -> None:
    space = Pixels((3, 4, 4), 1)
    edits = space.random(9, generator())
    np.testing.assert_array_equal(space.repaired(edits.copy(), generator()), edits)


@given(spaces(), st.integers(0, 8), seeds)
def test_join_counts_places_row_by_row(space: Pixels, n: int, seed: int) -> None:
    rng = generator(seed)
    places = rng.integers(0, space.places, (n, space.k))
    colours = rng.integers(0, 256, (n, space.k, space.channels))
    edits = space.join(places, colours)
    assert edits.dtype == np.int16
    assert edits.shape == (n, space.k, space.genes)
    for row in range(n):
        for slot in range(space.k):
            x, y, *colour = edits[row, slot].tolist()
            assert (x, y) == (places[row, slot] % space.width, places[row, slot] // space.width)
            assert colour == colours[row, slot].tolist()


@pytest.mark.parametrize("channels", [1, 3])
def test_the_corners_are_all_of_the_colour_cube_white_first(channels: int) -> None:
    corners = Pixels((channels, 4, 4), 1).corners()
    assert corners.shape == (2**channels, channels)
    assert corners.dtype == np.int16
    assert set(np.unique(corners).tolist()) == {0, 255}
    assert len(set(map(tuple, corners.tolist()))) == 2**channels
    assert corners[0].tolist() == [255] * channels
    assert corners[1].tolist() == [0] * channels
    assert (corners[::2] + corners[1::2] == 255).all()  # Each next to its opposite.


@given(spaces(), st.integers(1, 6), seeds)
def test_keys_do_not_know_the_order_of_edits(space: Pixels, n: int, seed: int) -> None:
    rng = generator(seed)
    edits = space.random(n, rng)
    before = edits.copy()
    shuffled = np.stack([row[rng.permutation(space.k)] for row in edits])
    assert keys(shuffled) == keys(edits)
    np.testing.assert_array_equal(edits, before)
    sets = [frozenset(map(tuple, row)) for row in edits.tolist()]
    every = keys(edits)
    for first in range(n):
        for second in range(n):
            assert (every[first] == every[second]) == (sets[first] == sets[second])


@given(spaces(), seeds, st.data())
def test_any_other_gene_is_another_key(space: Pixels, seed: int, data: st.DataObject) -> None:
    edits = space.random(1, generator(seed))
    slot = data.draw(st.integers(0, space.k - 1))
    channel = data.draw(st.integers(0, space.channels - 1))
    other = edits.copy()
    other[0, slot, 2 + channel] = (other[0, slot, 2 + channel] + data.draw(st.integers(1, 255))) % 256
    assert keys(other) != keys(edits)
    if space.k > 1:  # The same places and the same colours, but put together differently.
        swapped = edits.copy()
        swapped[0, [0, 1], 2:] = edits[0, [1, 0], 2:]
        assert (keys(swapped) == keys(edits)) == (swapped == edits).all()


def test_x_and_y_are_not_mixed_up_in_keys() -> None:
    space = Pixels((1, 4, 4), 2)
    first = space.join(np.array([[1, 8]]), np.array([[[9], [9]]]))  # (1, 0) and (0, 2)
    second = space.join(np.array([[4, 2]]), np.array([[[9], [9]]]))  # (0, 1) and (2, 0)
    assert keys(first) != keys(second)


@pytest.mark.parametrize("shape", [(0, 1, 5), (0, 5, 3), (0, 0, 0)])
def test_no_genomes_have_no_keys(shape: tuple[int, ...]) -> None:
    assert keys(np.empty(shape, np.int16)) == []


def in_a_loop(image: np.ndarray, edits: np.ndarray) -> np.ndarray:
    changed = image.copy()
    for x, y, *colour in edits.tolist():
        for channel, value in enumerate(colour):
            changed[channel, y, x] = value
    return changed


@given(spaces(), st.integers(1, 5), seeds)
def test_edits_are_applied_pixel_by_pixel(space: Pixels, n: int, seed: int) -> None:
    rng = generator(seed)
    images = rng.integers(0, 256, (n, space.channels, space.height, space.width), np.uint8)
    edits = space.random(n, rng)
    given_images = torch.from_numpy(images.copy())
    applied = apply_edits(given_images, torch.from_numpy(edits))
    assert applied is given_images  # In place.
    assert applied.dtype == torch.uint8
    for image, edit, result in zip(images, edits, applied.numpy(), strict=True):
        np.testing.assert_array_equal(result, in_a_loop(image, edit))
        untouched = image.copy()
        np.testing.assert_array_equal(edited(image, edit), result)
        np.testing.assert_array_equal(image, untouched)  # `edited` gives a copy


def test_the_corners_of_the_image_and_255_are_reached() -> None:
    image = np.full((3, 4, 6), 100, np.uint8)
    result = edited(image, np.array([[0, 0, 255, 0, 1], [5, 3, 0, 255, 2]], np.int16))
    assert result[:, 0, 0].tolist() == [255, 0, 1]
    assert result[:, 3, 5].tolist() == [0, 255, 2]
    assert int((result != 100).any(0).sum()) == 2


@given(spaces(), seeds)
def test_distances_are_those_of_numpy(space: Pixels, seed: int) -> None:
    rng = generator(seed)
    before = rng.integers(0, 256, (space.channels, space.height, space.width), np.uint8)
    after = edited(before, space.random(1, rng)[0])
    measured = distances(before, after)
    difference = after.astype(float) / 255 - before.astype(float) / 255
    assert measured["l0"] == len({(y, x) for _, y, x in np.argwhere(before != after).tolist()})
    assert measured["l2"] == pytest.approx(np.linalg.norm(difference.ravel()), abs=1e-6)
    assert measured["linf"] == pytest.approx(np.linalg.norm(difference.ravel(), np.inf), abs=1e-6)
    assert {name: type(value) for name, value in measured.items()} == {"l0": int, "l2": float, "linf": float}


def test_the_same_image_is_no_distance_away() -> None:
    image = generator().integers(0, 256, (3, 5, 5), np.uint8)
    assert distances(image, image.copy()) == {"l0": 0, "l2": 0.0, "linf": 0.0}


@pytest.mark.parametrize(("before", "after"), [(0, 255), (255, 0)])
def test_from_black_to_white_is_as_far_as_back(before: int, after: int) -> None:
    image, changed = np.full((3, 2, 2), before, np.uint8), np.full((3, 2, 2), before, np.uint8)
    changed[:, 0, 1] = after
    assert distances(image, changed) == {"l0": 1, "l2": pytest.approx(np.sqrt(3), abs=1e-6), "linf": 1.0}


def test_a_batch_takes_copies_puts_rows_and_knows_sizes() -> None:
    space = Pixels((3, 8, 8), 4)
    batch = EditBatch(space.random(6, generator()))
    before = batch.edits.copy()
    rows = np.array([5, 0, 5])
    part = batch.take(rows)
    np.testing.assert_array_equal(part.edits, before[rows])
    part.edits[:] = 0
    np.testing.assert_array_equal(batch.edits, before)
    batch.put(np.array([1, 4, 2]), part)
    assert (batch.edits[[1, 4, 2]] == 0).all()
    np.testing.assert_array_equal(batch.edits[[0, 3, 5]], before[[0, 3, 5]])
    assert (len(batch), batch.sizes().tolist()) == (6, [4] * 6)


def _repeated(edits: Any) -> int:
    return sum(len(row) - len({tuple(edit[:2]) for edit in row.tolist()}) for row in edits)


class Impatient:
    """A generator that counts how often it is asked for integers."""

    def __init__(self, most: int) -> None:
        self.rng, self.left = generator(), most

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rng, name)

    def integers(self, *arguments: Any, **options: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise TimeoutError("drawn again and again")
        return self.rng.integers(*arguments, **options)


@pytest.mark.parametrize(("k", "rows"), [(2, 100), (16, 100), (256, 20)])
def test_a_repair_takes_few_draws(k: int, rows: int) -> None:
    """About one for each place that is named twice, however few are free."""
    space = Pixels((1, 16, 16), k)
    edits = space.join(generator().integers(0, 256, (rows, k)), np.zeros((rows, k, 1)))
    rng: Any = Impatient(3 * int(_repeated(edits)) + 10)
    assert_valid(space, space.repaired(edits, rng), rows)
