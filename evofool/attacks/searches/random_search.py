"""Uniform random edits: the baseline that every search must beat.

Su, Vargas, Sakurai 2019 (section IV, table III) compare with it: distinct uniform positions, uniform colours.
"""

from __future__ import annotations

from ...encodings.pixels import Edits
from .base import Feedback, Problem

GENERATION = 256
"""Candidates per generation."""


class RandomSearch:
    """One attempt's random search."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def ask(self) -> Edits:
        edits: Edits = self.problem.toolbox.random(GENERATION, self.problem.rng)
        return edits

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        pass
