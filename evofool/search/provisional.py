"""Provisional elites: those whose scores are a fast approximation until they are confirmed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from deap import base
from numpy.typing import NDArray
from torch import Tensor

from ..encodings.base import Indices
from ..engines.population import Population
from .archive import Archive


def settle(archive: Archive, toolbox: base.Toolbox, batch: int) -> int:
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
    for niches, scores, rows in _confirmed(archive, toolbox, batch):
        archive.correct(niches, scores, rows)
        count += len(scores)
    return count


def confirmed_confidence(archive: Archive, toolbox: base.Toolbox, batch: int) -> NDArray[np.float32]:
    """Return what the elites' confidences (N,) are once they are confirmed, and leave the archive as it is.

    Args:
        archive: The archive.
        toolbox: The operators ``confirm`` and ``check``.
        batch: Images that are scored at once, at most.

    Raises:
        TargetError: The scores are no probabilities.
    """
    confidence = archive.confidence.copy()
    for niches, scores, rows in _confirmed(archive, toolbox, batch):
        confidence[niches] = archive.own(niches, scores, rows)
    return confidence


def _confirmed(archive: Archive, toolbox: base.Toolbox, batch: int) -> Iterator[tuple[Indices, Tensor, Indices]]:
    """Yield niches (n,), confirmed scores (B, K), and which of them each niche's elite has (n,), part by part."""
    niches = np.flatnonzero(archive.provisional)
    children, first, rows = np.unique(archive.evaluation_id[niches], return_index=True, return_inverse=True)
    for start in range(0, len(children), batch):
        part = niches[first[start : start + batch]]
        scores = toolbox.confirm(Population(archive.genomes.take(part), archive.parent[part]))
        toolbox.check(scores)
        theirs = (start <= rows) & (rows < start + len(part))
        yield niches[theirs], scores, rows[theirs] - start
