"""Changes of elites, who descends from whom, and which genomes to keep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOG_ODDS_STEPS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Differences in log-odds between the genomes of a niche that are kept, in the order they are tried."""


@dataclass(frozen=True)
class EliteChanges:
    """Changes of elites in the order they happened.

    Attributes:
        generation: (C,) The generation of each change.
        niche: (C,) The niche whose elite changed.
        evaluation_id: (C,) The child that became the elite, by its evaluation.
        parent: (C,) The child's parent, by its evaluation; −1 where it has none.
        score: (C,) The child's confidence in the niche.
    """

    generation: NDArray[np.int32]
    niche: NDArray[np.int32]
    evaluation_id: NDArray[np.int64]
    parent: NDArray[np.int64]
    score: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.evaluation_id)

    def by_class(self, niches_per_class: int) -> EliteChanges:
        """Return the same changes with classes in the place of niches."""
        return replace(self, niche=self.niche // niches_per_class)

    def of(self, niche: int) -> NDArray[np.int64]:
        """Return the rows of one niche, in order."""
        return np.flatnonzero(self.niche == niche)

    def elites(self) -> NDArray[np.int64]:
        """Return the last row of every niche."""
        _, last = np.unique(self.niche[::-1], return_index=True)
        return np.asarray(len(self) - 1 - last, np.int64)

    def lineage(self, evaluation_id: int, niche: int) -> list[int]:
        """Return the rows of a child and its ancestors, the first ancestor first.

        A child that was best in several niches has several rows. The row of ``niche`` is taken where there is one, or
        else the row with the highest score.
        """
        lineage: list[int] = []
        while evaluation_id in self._rows and len(lineage) < len(self):
            rows = self._rows[evaluation_id]
            in_niche = [row for row in rows if self.niche[row] == niche]
            lineage.append(in_niche[0] if in_niche else max(rows, key=lambda row: float(self.score[row])))
            evaluation_id = int(self.parent[rows[0]])
        return lineage[::-1]

    @cached_property
    def _rows(self) -> dict[int, list[int]]:
        """The rows of every child."""
        rows: dict[int, list[int]] = {}
        for row, evaluation_id in enumerate(self.evaluation_id.tolist()):
            rows.setdefault(evaluation_id, []).append(row)
        return rows


def select_genomes(changes: EliteChanges, count: int) -> NDArray[np.int64]:
    """Return the evaluation IDs of at most ``count`` children whose genomes show best how the elites came about.

    Present elites and their ancestors come first: all, or every second, fourth … where they are too many. Of what else
    each niche went through, children are added that differ in log-odds by a step, the smallest that leaves few enough.
    """
    odds = log_odds(changes.score)
    lineages = [changes.lineage(int(changes.evaluation_id[row]), int(changes.niche[row])) for row in changes.elites()]
    niches = [changes.of(niche) for niche in np.unique(changes.niche)]

    def children(rows: set[int]) -> NDArray[np.int64]:
        return np.unique(changes.evaluation_id[np.array(sorted(rows), np.int64)])

    stride = 1
    while len(children(ancestors := {row for lineage in lineages for row in lineage[::-stride]})) > count:
        if stride > len(changes):
            return children(ancestors)[:count]
        stride *= 2
    for step in LOG_ODDS_STEPS:
        selected = children(ancestors.union(*(_spaced(niche, odds, step) for niche in niches)))
        if len(selected) <= count:
            return selected
    return children(ancestors)


def log_odds(score: NDArray[Any]) -> NDArray[np.float64]:
    """Return ln(p / (1 − p)) of confidences (C,), on which early and late progress both show.

    p is kept within 1e-6 of 0 and 1.
    """
    p = np.clip(score.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)))


def _spaced(rows: NDArray[np.int64], odds: NDArray[np.float64], step: float) -> list[int]:
    """Return the first row, the last, and between them those that are ``step`` above the one before."""
    spaced: list[int] = []
    for row in rows.tolist():
        if not spaced or odds[row] - odds[spaced[-1]] >= step:
            spaced.append(row)
    return [*spaced, int(rows[-1])] if spaced and spaced[-1] != rows[-1] else spaced
