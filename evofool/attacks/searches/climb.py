"""Hill climbing for several pixels, from a scan in groups.

    scan:    k places of a coarse grid at once, each with the corner of the colour cube farthest from its own colour,
             so that a few candidates look at all of the grid
    climb:   from the best candidate, change one of its k pixels: to a neighbouring place or another colour, to a
             pixel that did well in another candidate, or to the next of the scan

What a candidate with a pixel scored is the estimate of that pixel's worth, which is what makes the second kind of step
pay. `docs/ATTACKS.md` compares it with Sparse-RS and differential evolution.
"""

from __future__ import annotations

from bisect import insort

import numpy as np

from ...encodings.pixels import Edits
from .base import Feedback, Problem
from .scan import COARSE_PLACES, NEIGHBOURS, Edit, as_edits, coarse_to_fine, inverted, neighbour, scan, shifted

FIRST_GENERATION = 16
"""Candidates of the first generation, each of k new pixels."""

MIN_GENERATION, GROWTH_DIVISOR = 8, 16
"""Candidates of every other generation: all tried so far divided by the second number, and at least the first.

The longer a climb has lasted, the rarer is a step that pays, and the less is lost by not knowing of it at once.
"""

NEARBY_SHARE, KNOWN_SHARE = 0.4, 0.4
"""Shares of the steps to a pixel's own neighbourhood, and to a pixel that did well. The rest goes on with the scan."""

KNOWN_PROBABILITY = 1 / 8
"""Parameter of the geometric distribution by which pixels that did well are picked, best first."""

INVERTED_SHARE, REDRAWN_SHARE = 0.3, 0.1
"""Shares of the nearby steps that invert a channel, and that draw one anew. The rest moves to a neighbour."""

SPARE_TRIES = 200
"""Steps tried for a generation beyond its size, after which it is asked as it is."""


class Climb:
    """One attempt's search for k ≥ 2."""

    def __init__(self, problem: Problem) -> None:
        self.space, self.rng = problem.space, problem.rng
        order = coarse_to_fine(problem.space)
        order[:COARSE_PLACES] = self.rng.permutation(order[:COARSE_PLACES])
        self._scan = scan(problem.space, problem.image, order)
        self._start = self._pixels(problem.start[0]) if len(problem.start) else []
        self._best: list[Edit] = []
        self._margin = np.inf
        self._worth: list[tuple[float, Edit]] = []
        self._tried: set[frozenset[Edit]] = set()
        self._asked: list[tuple[list[Edit], list[Edit]]] = []  # each candidate, and which of its pixels are new

    def ask(self) -> Edits:
        if not self._best:
            groups = FIRST_GENERATION if len(self._start) < self.space.k else 1
            self._asked = [self._group() for _ in range(groups)]
            self._tried.update(frozenset(pixels) for pixels, _ in self._asked)
        else:
            self._asked = []
            wanted = max(MIN_GENERATION, len(self._tried) // GROWTH_DIVISOR)
            for _ in range(SPARE_TRIES + wanted):
                self._try_step()
                if len(self._asked) == wanted:
                    break
        return as_edits(self.space, [pixels for pixels, _ in self._asked])

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        for (pixels, new), margin in zip(self._asked, feedback.margin.tolist(), strict=True):
            for pixel in new:
                insort(self._worth, (margin, pixel))
            if margin < self._margin:
                self._best, self._margin = pixels, margin

    def _group(self) -> tuple[list[Edit], list[Edit]]:
        """Return a first candidate: the pixels that the attempt starts from, and new ones."""
        pixels = list(self._start)
        while len(pixels) < self.space.k:
            pixel = self._next()
            if all(pixel[0] != place for place, _ in pixels):
                pixels.append(pixel)
        return pixels, pixels[len(self._start) :] or pixels

    def _try_step(self) -> None:
        """Change one pixel of the best candidate, and ask for the result where it is new."""
        changed = int(self.rng.integers(self.space.k))
        kind = self.rng.random()
        if kind < NEARBY_SHARE:
            pixel = self._near(self._best[changed])
        elif kind < NEARBY_SHARE + KNOWN_SHARE:
            pixel = self._worth[min(len(self._worth), int(self.rng.geometric(KNOWN_PROBABILITY))) - 1][1]
        else:
            pixel = self._next()
        pixels = [*self._best[:changed], pixel, *self._best[changed + 1 :]]
        distinct = len({place for place, _ in pixels}) == len(pixels)
        if distinct and (key := frozenset(pixels)) not in self._tried:
            self._tried.add(key)
            self._asked.append((pixels, [pixel]))

    def _near(self, pixel: Edit) -> Edit:
        """Return a pixel with another colour, or at a neighbouring place."""
        place, colour = pixel
        kind = self.rng.random()
        channel = int(self.rng.integers(len(colour)))
        if kind < INVERTED_SHARE:
            return place, inverted(colour, channel)
        if kind < INVERTED_SHARE + REDRAWN_SHARE:
            return place, shifted(colour, channel, int(self.rng.integers(256)) - colour[channel])
        dy, dx = NEIGHBOURS[int(self.rng.integers(len(NEIGHBOURS)))]
        other = neighbour(self.space, place, dy, dx)
        return (place if other is None else other), colour

    def _next(self) -> Edit:
        """Return the next pixel of the scan; a random corner at a random place once it is through."""
        pixel = next(self._scan, None)
        if pixel is None:
            corners = self.space.corners()
            colour = tuple(corners[int(self.rng.integers(len(corners)))].tolist())
            pixel = int(self.rng.integers(self.space.places)), colour
        return pixel

    def _pixels(self, edits: Edits) -> list[Edit]:
        """Return one genome's edits (j, 2 + C) as pixels."""
        places = self.space.places_of(edits).tolist()
        return [(place, tuple(row[2:])) for place, row in zip(places, edits.tolist(), strict=True)]
