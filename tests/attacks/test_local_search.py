"""Best-first search and hill climbing: where they look first, what they look at next, nothing twice."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from searches import Margins, Shape, as_sets, equal, planted, rugged, run, search

from evofool.attacks.searches.best_first import BestFirst, changed
from evofool.attacks.searches.climb import FIRST, Climb
from evofool.attacks.searches.places import AROUND, COARSE, coarse_to_fine, neighbour, scan
from evofool.encodings.pixels import Pixels

shapes = st.tuples(st.sampled_from([1, 3]), st.integers(1, 20), st.integers(1, 20))


def test_one_pixel_is_sought_best_first_and_several_by_climbing() -> None:
    assert isinstance(search("local", k=1), BestFirst)
    assert isinstance(search("local", k=2), Climb)


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
    nodes = list(scan(space, image, order))
    assert len(nodes) == len(set(nodes)) == space.places * 2**space.channels
    assert [place for place, _ in nodes] == order.tolist() * 2**space.channels
    assert all(set(colour) <= {0, 255} for _, colour in nodes)
    away: dict[int, list[int]] = {}
    for place, colour in nodes:
        own = image[:, place // space.width, place % space.width].astype(int)
        away.setdefault(place, []).append(int(np.abs(own - colour).sum()))
    assert all(found == sorted(found, reverse=True) for found in away.values())


@given(shapes, st.data())
def test_a_neighbour_is_inside_or_none(shape: Shape, data: st.DataObject) -> None:
    space = Pixels(shape, 1)
    place = data.draw(st.integers(0, space.places - 1))
    dy, dx = data.draw(st.tuples(st.integers(-5, 5), st.integers(-5, 5)))
    y, x = place // space.width + dy, place % space.width + dx
    inside = y in range(space.height) and x in range(space.width)
    assert neighbour(space, place, dy, dx) == (y * space.width + x if inside else None)


def test_around_are_the_eight_neighbours() -> None:
    assert set(AROUND) == {(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} - {(0, 0)}
    assert len(AROUND) == 8


def test_a_changed_colour_stays_within_bytes() -> None:
    assert changed((10, 20, 30), 1, 5) == (10, 25, 30)
    assert changed((10, 20, 30), 0, -11) == (0, 20, 30)
    assert changed((10, 20, 250), 2, 128) == (10, 20, 255)


def farthest(image: np.ndarray, x: int, y: int) -> list[int]:
    return [255 if value < 128 else 0 for value in image[:, y, x].tolist()]


def test_best_first_begins_with_the_coarse_grid_and_the_farthest_corners() -> None:
    image = np.random.default_rng(0).integers(0, 256, (3, 32, 32), np.uint8)
    edits = search("local", (3, 32, 32), image=image).generate()[:, 0]
    assert len(edits) == COARSE
    assert len({(x, y) for x, y, *_ in edits.tolist()}) == COARSE
    for x, y, *colour in edits.tolist():
        assert (x % 4, y % 4) == (2, 2)
        assert colour == farthest(image, x, y)


def test_best_first_looks_around_the_best_next() -> None:
    used = search("local", (3, 32, 32))
    (_, _), (around, _) = run(used, planted((3, 32, 32), np.array([[14, 18, 255, 255, 255]])), generations=2)
    first = search("local", (3, 32, 32)).generate()
    margins = planted((3, 32, 32), np.array([[14, 18, 255, 255, 255]]))(first)
    x, y, *colour = first[int(margins.argmin()), 0].tolist()
    asked = set(map(tuple, around[:, 0].tolist()))
    assert {(x + dx, y + dy, *colour) for dy, dx in AROUND} <= asked
    assert {(x, y, *changed(tuple(colour), channel, 255 - 2 * colour[channel])) for channel in range(3)} <= asked


def test_best_first_finds_a_lone_spot_while_it_looks_elsewhere() -> None:
    """A trap draws the search; the scan goes on beside it until it meets the one pixel that counts."""
    hidden = (1, 14, 0, 0, 0)

    def margins(edits: np.ndarray) -> np.ndarray:
        trap = np.abs(edits[:, 0, :2] - [12, 3]).sum(1) / 32
        return np.where((edits[:, 0] == hidden).all(1), -1, trap).astype(np.float32)

    image = np.full((3, 16, 16), 255, np.uint8)
    asked = 0
    for _, values in run(search("local", (3, 16, 16), image=image), margins, queries=2_000):
        asked += len(values)
        if values.min() < 0:
            return
    pytest.fail(f"not found in {asked} queries")


@pytest.mark.parametrize("margins", [rugged, equal])
@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 5, 9), (3, 32, 32)])
def test_best_first_asks_nothing_twice(shape: Shape, margins: Margins) -> None:
    asked = np.concatenate([edits for edits, _ in run(search("local", shape), margins, queries=4_000)])
    assert max(Counter(as_sets(asked)).values()) == 1


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 1), (1, 3, 2), (1, 1, 12)])
def test_best_first_ends_and_leaves_no_corner_out(shape: Shape) -> None:
    used = search("local", shape)
    asked = np.concatenate([edits for edits, _ in run(used, rugged)])[:, 0]
    assert len(set(map(tuple, asked.tolist()))) == len(asked)
    corners = np.isin(asked[:, 2:], (0, 255)).all(1)
    assert corners.sum() == shape[1] * shape[2] * 2 ** shape[0]
    assert used.generate().shape == (0, 1, 2 + shape[0])


@pytest.mark.parametrize(("shape", "k"), [((3, 32, 32), 2), ((3, 8, 8), 5), ((1, 9, 7), 3)])
def test_climb_begins_with_groups_of_new_pixels(shape: Shape, k: int) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    edits = search("local", shape, k, image=image).generate()
    assert len(edits) == FIRST
    every = [tuple(pixel) for genome in edits.tolist() for pixel in genome]
    assert len(set(every)) == FIRST * k
    if FIRST * k <= min(COARSE, shape[1] * shape[2]):
        assert len({(x, y) for x, y, *_ in every}) == FIRST * k
        assert all(colour == farthest(image, x, y) for x, y, *colour in every)


@pytest.mark.parametrize("k", [2, 5])
def test_a_step_changes_one_pixel_of_the_best(k: int) -> None:
    best, lowest = frozenset[tuple[int, ...]](), np.inf
    for turn, (edits, values) in enumerate(run(search("local", (3, 10, 10), k), rugged, generations=40)):
        genomes = as_sets(edits)
        if turn:
            assert all(len(best & genome) >= k - 1 for genome in genomes)
        for genome, value in zip(genomes, values.tolist(), strict=True):
            if value < lowest:
                best, lowest = genome, value
    assert lowest < 0.01


def test_climb_takes_steps_of_every_kind() -> None:
    """To a neighbouring place, to another value of one channel, to the pixel of another candidate, to a new one."""
    kinds: Counter[str] = Counter()
    best, lowest, known = frozenset[tuple[int, ...]](), np.inf, set[tuple[int, ...]]()
    for turn, (edits, values) in enumerate(run(search("local", (3, 16, 16), 3), rugged, generations=60)):
        for genome in as_sets(edits):
            if turn and len(genome - best) == 1:
                (new,), (old,) = genome - best, best - genome
                by, colours = np.abs(np.subtract(new, old)[:2]), int((np.subtract(new, old)[2:] != 0).sum())
                if new in known:
                    kinds["known"] += 1
                elif by.max() == 1 and not colours:
                    kinds["near"] += 1
                elif not by.max() and colours == 1:
                    channel = int(np.flatnonzero(np.subtract(new, old)[2:])[0]) + 2
                    kinds["turned" if new[channel] == 255 - old[channel] else "redrawn"] += 1
                else:
                    kinds["new"] += 1
        for genome, value in zip(as_sets(edits), values.tolist(), strict=True):
            known |= genome
            if value < lowest:
                best, lowest = genome, value
    assert kinds.keys() == {"near", "turned", "redrawn", "known", "new"}
    assert min(kinds.values()) >= 5


@pytest.mark.parametrize(("k", "begun"), [(2, 1), (3, 1), (5, 3)])
def test_climb_starts_from_the_edits_it_is_given(k: int, begun: int) -> None:
    start = Pixels((3, 12, 12), begun).random(1, np.random.default_rng(5))
    edits = search("local", (3, 12, 12), k, start=start).generate()
    (given_edits,) = as_sets(start)
    assert len(edits) == FIRST
    assert all(given_edits < genome for genome in as_sets(edits))
    added = [pixel for genome in as_sets(edits) for pixel in genome - given_edits]
    assert len(added) == len(set(added)) == FIRST * (k - begun)


@pytest.mark.parametrize("place", range(4))
def test_climb_avoids_the_places_it_starts_from(place: int) -> None:
    start = np.array([[[place % 2, place // 2, 9, 9, 9]]], np.int16)
    for edits, _ in run(search("local", (3, 2, 2), 3, start=start), rugged, generations=20):
        assert all(len({tuple(pixel[:2]) for pixel in genome}) == 3 for genome in edits.tolist())


def test_climb_asks_nothing_twice_once_it_climbs() -> None:
    asked = [
        genome
        for edits, _ in list(run(search("local", (3, 8, 8), 3), rugged, queries=3_000))[1:]
        for genome in as_sets(edits)
    ]
    assert len(asked) > 2_000
    assert max(Counter(asked).values()) == 1


@pytest.mark.parametrize(("k", "begun"), [(2, 0), (2, 1), (3, 0)])
def test_climb_asks_nothing_of_its_first_generation_again(k: int, begun: int) -> None:
    start = Pixels((3, 8, 8), max(begun, 1)).random(min(begun, 1), np.random.default_rng(5))
    counts: Counter[object] = Counter()
    for seed in range(5):
        for edits, _ in run(search("local", (3, 8, 8), k, seed, start=start), rugged, queries=1_000):
            counts.update((seed, genome) for genome in as_sets(edits))
    assert max(counts.values()) == 1


def test_climb_starts_from_as_many_pixels_as_it_may_edit() -> None:
    start = Pixels((3, 8, 8), 2).random(1, np.random.default_rng(5))
    for _ in run(search("local", (3, 8, 8), 2, start=start), rugged, generations=10):
        pass


def test_climb_ends_or_goes_on_where_everything_was_tried() -> None:
    used = search("local", (1, 1, 2), 2)
    for edits, _ in run(used, rugged, generations=300):
        assert {frozenset(genome) for genome in edits[..., 0].tolist()} == {frozenset((0, 1))}
