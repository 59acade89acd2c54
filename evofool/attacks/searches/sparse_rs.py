"""Sparse-RS, a random search for sparse adversarial perturbations.

Croce, Andriushchenko, Singh, Flammarion, Hein, "Sparse-RS: a Versatile Framework for Query-Efficient Sparse Black-Box
Adversarial Attacks" (AAAI 2022), algorithm 1 for L0: k random places with random corners of the colour cube; in
every step some of them, ever fewer, move to free places with new corners, and the step is kept where the margin is
no worse. Where edits are given to start from, they are among the first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...encodings.pixels import Edits
from .base import Feedback, Problem

FIRST_SHARE = 0.3
"""Share of the k pixels that move in the first step: α_init of the paper's L0 attacks."""

_SCHEDULE = ((0, 1), (1, 2), (51, 4), (201, 5), (501, 6), (1001, 8), (2001, 10), (4001, 12), (6001, 15), (8001, 20))
"""Steps of 10,000 from which the share is FIRST_SHARE divided by the second number (section 3.3, as in the authors'
square attack). Other budgets are rescaled to 10,000."""


class SparseRS:
    """One attempt's random search, with one query per step."""

    def __init__(self, problem: Problem) -> None:
        self.space, self.rng, self.budget = problem.space, problem.rng, problem.budget
        self.step, self._start = 0, problem.start
        self.edits: Edits = np.empty((0, self.space.k, self.space.genes), np.int16)
        self.margin = np.inf

    def ask(self) -> Edits:
        if not len(self.edits):
            return self._first()
        child = self.edits.copy()
        count = max(1, int(self._share() * self.space.k))
        moved = self.rng.permutation(self.space.k)[:count]
        for row, colour in zip(moved.tolist(), self._colours(count), strict=True):
            places = self.space.places_of(child[0])
            place = int(places[row])
            if self.space.k < self.space.places:  # else there is none to move to
                place = self.space.free_place(places, self.rng)
            child[0, row] = (place % self.space.width, place // self.space.width, *colour)
        return child

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        self.step += 1
        if feedback.margin[0] <= self.margin:
            self.edits, self.margin = edits, float(feedback.margin[0])

    def _first(self) -> Edits:
        """Return the first candidate (1, k, 2 + C): the pixels that the attempt starts from, and random ones."""
        places = self.space.random_places(1, self.space.k, self.rng)
        edits = self.space.join(places, self._colours(self.space.k)[None])
        if len(self._start):
            free = edits[:, ~np.isin(places[0], self.space.places_of(self._start[0]))]
            edits = np.concatenate((self._start, free), 1)[:, : self.space.k]
        return edits

    def _colours(self, count: int) -> NDArray[np.int64]:
        return 255 * self.rng.integers(0, 2, (count, self.space.channels))

    def _share(self) -> float:
        """Return the share of the pixels that move in this step."""
        step = int(self.step / self.budget * 10_000)
        return FIRST_SHARE / next(divisor for since, divisor in reversed(_SCHEDULE) if step >= since)
