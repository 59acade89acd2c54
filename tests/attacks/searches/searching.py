"""Running searches for pixel edits against made-up margins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

import numpy as np

from evofool.attacks.searches.base import Feedback, Problem, Search
from evofool.attacks.searches.registry import STRATEGIES
from evofool.encodings.pixels import Edits, Pixels, keys

Margins = Callable[[Edits], np.ndarray]
Shape = tuple[int, int, int]


def problem(
    name: str = "local",
    shape: Shape = (3, 8, 8),
    k: int = 1,
    seed: int = 0,
    image: np.ndarray | None = None,
    budget: int = 3_000,
    start: Edits | None = None,
) -> Problem:
    """Return what a search is given; the image is noise where there is none."""
    space = Pixels(shape, k)
    return Problem(
        space,
        np.random.default_rng(99).integers(0, 256, shape, np.uint8) if image is None else image,
        budget,
        np.random.default_rng(seed),
        STRATEGIES[name].toolbox(space),
        np.empty((0, 1, space.genes), np.int16) if start is None else start,
    )


def search(name: str, *arguments: Any, **options: Any) -> Search:
    """Return a strategy's search for :func:`problem`."""
    return STRATEGIES[name].search(problem(name, *arguments, **options))


def equal(edits: Edits) -> np.ndarray:
    """Margins that say nothing."""
    return np.ones(len(edits), np.float32)


def rugged(edits: Edits) -> np.ndarray:
    """Margins without any pattern, always the same for the same edits."""
    return np.array([crc32(key) / 2**32 for key in keys(edits)], np.float32)


def planted(shape: Shape, plants: np.ndarray) -> Margins:
    """Margins, about 0 … 10, that are 0 for the edits ``plants`` (k, 2 + C) and rise smoothly with the distance."""

    def margins(edits: Edits) -> np.ndarray:
        away = np.abs(edits[:, :, None, :].astype(float) - plants[None, None])
        from_place = away[..., :2].sum(-1) / (shape[1] + shape[2])
        from_colour = away[..., 2:].mean(-1) / 255
        return (10 * (from_place + from_colour).min(1).mean(1)).astype(np.float32)

    return margins


def run(search: Search, margins: Margins, generations: int = 10**9, queries: int = 10**9) -> Iterator[tuple[Any, Any]]:
    """Yield (edits, margins) of every generation, until the search ends or enough was asked."""
    asked = done = 0
    while done < generations and asked < queries:
        edits = search.ask()
        if not len(edits):
            return
        values = margins(edits)
        yield edits, values
        search.tell(edits, Feedback(values, values))
        asked, done = asked + len(edits), done + 1


def best(search: Search, margins: Margins, queries: int) -> float:
    """Return the lowest margin of a run."""
    return min(float(values.min()) for _, values in run(search, margins, queries=queries))


def as_sets(edits: Edits) -> list[frozenset[tuple[int, ...]]]:
    """Return each genome as the set of its edited pixels."""
    return [frozenset(map(tuple, genome)) for genome in edits.tolist()]


def farthest(image: np.ndarray, x: int, y: int) -> list[int]:
    """Return the corner of the colour cube that is farthest from a pixel's own colour."""
    return [255 if value < 128 else 0 for value in image[:, y, x].tolist()]
