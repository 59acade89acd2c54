"""Changes of elites, who descends from whom, and which of them tell the story."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEPS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""of log-odds, between genomes that are kept"""


@dataclass(frozen=True)
class Changes:
    """Changes of elites in the order they happened: (C,) arrays."""

    generation: NDArray[np.int32]
    niche: NDArray[np.int32]
    evaluation_id: NDArray[np.int64]
    parent: NDArray[np.int64]
    score: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.evaluation_id)

    def by_class(self, cells: int) -> Changes:
        """The same, with classes for niches, of which each class has so many."""
        return replace(self, niche=self.niche // cells)

    def of(self, niche: int) -> NDArray[np.int64]:
        """Rows of one niche."""
        return np.flatnonzero(self.niche == niche)

    def lineage(self, evaluation_id: int, niche: int) -> list[int]:
        """Rows of a child and its ancestors, the first ancestor first.

        A child that was best for several classes has several rows: that of ``niche`` is taken where there is one,
        else the surest.
        """
        line: list[int] = []
        while evaluation_id in self._rows and len(line) < len(self):
            rows = self._rows[evaluation_id]
            same = [row for row in rows if self.niche[row] == niche]
            line.append(same[0] if same else max(rows, key=lambda row: float(self.score[row])))
            evaluation_id = int(self.parent[rows[0]])
        return line[::-1]

    def elites(self) -> NDArray[np.int64]:
        """The last row of every niche."""
        _, last = np.unique(self.niche[::-1], return_index=True)
        return np.asarray(len(self) - 1 - last, np.int64)

    @cached_property
    def _rows(self) -> dict[int, list[int]]:
        rows: dict[int, list[int]] = {}
        for row, evaluation_id in enumerate(self.evaluation_id.tolist()):
            rows.setdefault(evaluation_id, []).append(row)
        return rows


def worth_keeping(changes: Changes, most: int) -> NDArray[np.int64]:
    """At most ``most`` children (``evaluation_id``) whose genomes tell the story best.

    First the present elites and their ancestors: all, or every second, fourth … where they are too many. Then, of what
    else each niche went through, those that differ in log-odds by a step, the smallest that leaves few enough.
    """
    odds = log_odds(changes.score)
    lineages = [changes.lineage(int(changes.evaluation_id[row]), int(changes.niche[row])) for row in changes.elites()]
    niches = [changes.of(niche) for niche in np.unique(changes.niche)]

    def children(rows: set[int]) -> NDArray[np.int64]:
        return np.unique(changes.evaluation_id[np.array(sorted(rows), np.int64)])

    stride = 1
    while len(children(ancestors := {row for line in lineages for row in line[::-stride]})) > most:
        if stride > len(changes):
            return children(ancestors)[:most]
        stride *= 2
    for step in STEPS:
        keep = children(ancestors.union(*(spaced(niche, odds, step) for niche in niches)))
        if len(keep) <= most:
            return keep
    return children(ancestors)


def spaced(rows: NDArray[np.int64], odds: NDArray[np.float64], step: float) -> list[int]:
    """Of ``rows`` the first, the last, and between them those that are ``step`` above the one before."""
    picked: list[int] = []
    for row in rows.tolist():
        if not picked or odds[row] - odds[picked[-1]] >= step:
            picked.append(row)
    return [*picked, int(rows[-1])] if picked and picked[-1] != rows[-1] else picked


def log_odds(score: NDArray[Any]) -> NDArray[np.float64]:
    """ln(p / (1 − p)), with p kept within 1e-6 of 0 and 1: a scale on which early and late progress both show."""
    p = np.clip(score.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)))
