"""Best-first search: where it looks first, what it looks at next, nothing twice."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from searching import Margins, Shape, as_sets, equal, farthest, planted, rugged, run, search

from evofool.attacks.searches.scan import COARSE_PLACES, NEIGHBOURS, inverted


def test_best_first_begins_with_the_coarse_grid_and_the_farthest_corners() -> None:
    image = np.random.default_rng(0).integers(0, 256, (3, 32, 32), np.uint8)
    edits = search("local", (3, 32, 32), image=image).ask()[:, 0]
    assert len(edits) == COARSE_PLACES
    assert len({(x, y) for x, y, *_ in edits.tolist()}) == COARSE_PLACES
    for x, y, *colour in edits.tolist():
        assert (x % 4, y % 4) == (2, 2)
        assert colour == farthest(image, x, y)


def test_best_first_looks_around_the_best_next() -> None:
    used = search("local", (3, 32, 32))
    (_, _), (around, _) = run(used, planted((3, 32, 32), np.array([[14, 18, 255, 255, 255]])), generations=2)
    first = search("local", (3, 32, 32)).ask()
    margins = planted((3, 32, 32), np.array([[14, 18, 255, 255, 255]]))(first)
    x, y, *colour = first[int(margins.argmin()), 0].tolist()
    asked = set(map(tuple, around[:, 0].tolist()))
    assert {(x + dx, y + dy, *colour) for dy, dx in NEIGHBOURS} <= asked
    assert {(x, y, *inverted(tuple(colour), channel)) for channel in range(3)} <= asked


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
    assert used.ask().shape == (0, 1, 2 + shape[0])
