"""Many pixels: a scan in groups, then steps that change several pixels of the best at once."""

from __future__ import annotations

import numpy as np
import pytest
from searching import as_sets, farthest, rugged, run, search

from evofool.attacks.searches.climb import FIRST_GENERATION
from evofool.attacks.searches.registry import MANY_PIXELS
from evofool.encodings.pixels import Pixels


@pytest.mark.parametrize("k", [MANY_PIXELS, 50])
def test_many_pixels_begin_with_groups_of_far_colours_and_go_on_from_the_best(k: int) -> None:
    image = np.random.default_rng(1).integers(0, 256, (3, 32, 32), np.uint8)
    turns = list(run(search("local", (3, 32, 32), k, image=image), rugged, generations=60))
    (first, values), (again, _), *later = turns
    assert len(first) == FIRST_GENERATION
    assert all(colour == farthest(image, x, y) for x, y, *colour in first[0].tolist())
    best, lowest = as_sets(first)[int(values.argmin())], values.min()
    assert as_sets(again) == [best]  # an attempt scores nothing twice
    changed = set()
    for edits, margins in later:
        assert len(edits) == 1
        changed.add(len(best - as_sets(edits)[0]))
        if margins[0] <= lowest:
            best, lowest = as_sets(edits)[0], margins[0]
    assert max(changed) > 1


def test_fewer_pixels_change_one_at_a_time() -> None:
    turns = list(run(search("local", (3, 16, 16), MANY_PIXELS - 1), rugged, generations=2))
    best = as_sets(turns[0][0])[int(turns[0][1].argmin())]
    assert len(turns[1][0]) > 1
    assert all(len(best - genome) == 1 for genome in as_sets(turns[1][0]))


def test_many_pixels_start_from_the_edits_they_are_given() -> None:
    start = Pixels((3, 16, 16), 19).random(1, np.random.default_rng(5))
    assert all(as_sets(start)[0] < genome for genome in as_sets(search("local", (3, 16, 16), 20, start=start).ask()))
