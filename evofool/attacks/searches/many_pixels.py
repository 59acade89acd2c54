"""A search for many pixels: the scan in groups of :mod:`.climb`, then the steps of :mod:`.sparse_rs` from its best.

A first group of corners far from the image's own colours often is enough by itself. Where it is not, one changed pixel
at a time is too slow. `docs/ATTACKS.md` has what was measured.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...encodings.pixels import Edits
from .base import Feedback, Problem
from .climb import Climb
from .sparse_rs import SparseRS


class ManyPixels:
    """One attempt's search for tens of pixels."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._search: Climb | SparseRS = Climb(problem)

    def ask(self) -> Edits:
        return self._search.ask()

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        if isinstance(self._search, SparseRS):
            self._search.tell(edits, feedback)
            return
        best = int(np.argmin(feedback.margin))
        self._search = SparseRS(replace(self._problem, start=edits[best : best + 1]))
