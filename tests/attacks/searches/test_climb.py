"""Hill climbing: groups of new pixels first, then one changed pixel at a time, nothing twice."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from searching import Shape, as_sets, farthest, rugged, run, search

from evofool.attacks.searches.climb import FIRST_GENERATION
from evofool.attacks.searches.scan import COARSE_PLACES
from evofool.encodings.pixels import Pixels


@pytest.mark.parametrize(("shape", "k"), [((3, 32, 32), 2), ((3, 8, 8), 5), ((1, 9, 7), 3)])
def test_climb_begins_with_groups_of_new_pixels(shape: Shape, k: int) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    edits = search("local", shape, k, image=image).ask()
    assert len(edits) == FIRST_GENERATION
    every = [tuple(pixel) for genome in edits.tolist() for pixel in genome]
    assert len(set(every)) == FIRST_GENERATION * k
    if FIRST_GENERATION * k <= min(COARSE_PLACES, shape[1] * shape[2]):
        assert len({(x, y) for x, y, *_ in every}) == FIRST_GENERATION * k
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
    best, lowest, earlier = frozenset[tuple[int, ...]](), np.inf, set[tuple[int, ...]]()
    for turn, (edits, values) in enumerate(run(search("local", (3, 16, 16), 3), rugged, generations=60)):
        for genome in as_sets(edits):
            if turn and len(genome - best) == 1:
                (new,), (old,) = genome - best, best - genome
                by, colours = np.abs(np.subtract(new, old)[:2]), int((np.subtract(new, old)[2:] != 0).sum())
                if new in earlier:
                    kinds["earlier"] += 1
                elif by.max() == 1 and not colours:
                    kinds["near"] += 1
                elif not by.max() and colours == 1:
                    channel = int(np.flatnonzero(np.subtract(new, old)[2:])[0]) + 2
                    kinds["turned" if new[channel] == 255 - old[channel] else "redrawn"] += 1
                else:
                    kinds["new"] += 1
        for genome, value in zip(as_sets(edits), values.tolist(), strict=True):
            earlier |= genome
            if value < lowest:
                best, lowest = genome, value
    assert kinds.keys() == {"near", "turned", "redrawn", "earlier", "new"}
    assert min(kinds.values()) >= 5


@pytest.mark.parametrize(("k", "begun"), [(2, 1), (3, 1), (5, 3)])
def test_climb_starts_from_the_edits_it_is_given(k: int, begun: int) -> None:
    start = Pixels((3, 12, 12), begun).random(1, np.random.default_rng(5))
    edits = search("local", (3, 12, 12), k, start=start).ask()
    (given_edits,) = as_sets(start)
    assert len(edits) == FIRST_GENERATION
    assert all(given_edits < genome for genome in as_sets(edits))
    added = [pixel for genome in as_sets(edits) for pixel in genome - given_edits]
    assert len(added) == len(set(added)) == FIRST_GENERATION * (k - begun)


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
