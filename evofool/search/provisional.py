"""Provisional elites: those whose scores are a fast approximation until they are confirmed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from deap import base
from numpy.typing import NDArray
from torch import Tensor

from ..encodings.base import Indices
from ..engines.population import NO_EVALUATION, Population
from .archive import Archive


def confirm_elites(archive: Archive, toolbox: base.Toolbox, batch: int) -> int:
    """Confirm the provisional elites of an archive: their scores become those that ``toolbox.confirm`` returns.

    Args:
        archive: The archive.
        toolbox: The operators ``confirm`` and ``check``.
        batch: Images that are scored at once, at most.

    Returns:
        How many images were scored.

    Raises:
        TargetError: The scores are no probabilities.
    """
    count = 0
    for niches, scores, rows in _confirmed(archive, np.flatnonzero(archive.provisional), toolbox, batch):
        archive.correct(niches, scores, rows)
        count += len(scores)
    return count


class Preview:
    """What the confidences of an archive's elites are once they are confirmed; the archive stays as it is.

    An elite is scored once, however often somebody looks.

    Args:
        archive: The archive.
        toolbox: The operators ``confirm`` and ``check``.
        batch: Images that are scored at once, at most.
    """

    def __init__(self, archive: Archive, toolbox: base.Toolbox, batch: int) -> None:
        self._archive, self._toolbox, self._batch = archive, toolbox, batch
        self._known_ids = np.full(len(archive), NO_EVALUATION, np.int64)
        self._known = np.zeros(len(archive), np.float32)

    def confidence(self) -> NDArray[np.float32]:
        """Return the confidences (N,).

        Raises:
            TargetError: The scores are no probabilities.
        """
        archive = self._archive
        unknown = np.flatnonzero(archive.provisional & (self._known_ids != archive.evaluation_id))
        for niches, scores, rows in _confirmed(archive, unknown, self._toolbox, self._batch):
            self._known[niches] = archive.own(niches, scores, rows)
            self._known_ids[niches] = archive.evaluation_id[niches]
        confidence: NDArray[np.float32] = np.where(archive.provisional, self._known, archive.confidence)
        return confidence


def _confirmed(
    archive: Archive, niches: Indices, toolbox: base.Toolbox, batch: int
) -> Iterator[tuple[Indices, Tensor, Indices]]:
    """Score elites of niches again, part by part.

    Yields:
        Some of the niches (n,), confirmed scores (B, K), and which of them each niche's elite has (n,).
    """
    children, first, rows = np.unique(archive.evaluation_id[niches], return_index=True, return_inverse=True)
    for start in range(0, len(children), batch):
        part = niches[first[start : start + batch]]
        scores = toolbox.confirm(Population(archive.genomes.take(part), archive.parent[part]))
        toolbox.check(scores)
        theirs = (start <= rows) & (rows < start + len(part))
        yield niches[theirs], scores, rows[theirs] - start
