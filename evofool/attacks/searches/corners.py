"""The exhaustive sweep for one pixel: every place with every corner of the colour cube."""

from __future__ import annotations

import numpy as np

from ...encodings.pixels import Edits
from .base import Feedback, Problem
from .scan import distance_from_centre

GENERATION = 1024
"""Candidates per generation."""


class Corners:
    """All H · W · 2^C candidates for k = 1, from the centre of the image outwards."""

    def __init__(self, problem: Problem) -> None:
        self.space, self.asked = problem.space, 0
        self.order = np.argsort(distance_from_centre(problem.space), kind="stable")
        self.colours = problem.space.corners()

    def ask(self) -> Edits:
        corners = len(self.colours)
        numbers = np.arange(self.asked, min(self.asked + GENERATION, len(self.order) * corners))
        self.asked += len(numbers)
        return self.space.join(self.order[numbers // corners][:, None], self.colours[numbers % corners][:, None])

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        pass
