"""Uniform random edits: the baseline that every search must beat."""

from __future__ import annotations

from ...encodings.pixels import Edits
from .base import Brief, Feedback

AT_ONCE = 256


class RandomSearch:
    """Su et al. (section IV, table III) compare with it: distinct uniform positions, uniform colours."""

    def __init__(self, brief: Brief) -> None:
        self.brief = brief

    def generate(self) -> Edits:
        edits: Edits = self.brief.toolbox.random(AT_ONCE, self.brief.rng)
        return edits

    def update(self, edits: Edits, feedback: Feedback) -> None:
        pass
