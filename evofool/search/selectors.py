"""Selectors: which elites become parents.

A selector reads the archive and nothing else, so that a resumed run needs no state of it. To add one, write a function
like those below (the archive, a number n and the run's generators in, n niches that have elites out) and name it in
``SELECTORS``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..encodings.base import Indices
from ..errors import ConfigError, suggestion

if TYPE_CHECKING:
    from ..rng import Rng
    from .archive import Archive

Selector: TypeAlias = "Callable[[Archive, int, Rng], Indices]"

UNIFORM_SHARE = 0.2
"""Share of the parents that ``fresh`` and ``weak`` draw from all niches alike, so that no niche is given up."""

UNSURE_UNIFORM_SHARE = 0.05
"""Share of the parents that ``unsure`` draws from all niches alike."""

WEAKEST_SHARE = 0.1
"""Share of the other parents that ``unsure`` draws from the weakest niches alone (docs/SEARCH.md)."""

WEAKEST_FRACTION = 0.02
"""Fraction of some niches that counts as the weakest of them (docs/SEARCH.md)."""

SURE_LEVELS = (0.99, 0.999, 0.9999, 0.99999, 0.999999)
"""Confidences from which a niche can count as sure. The lowest level that some niche has not reached applies."""

SMALLEST_SUM = float(np.finfo(np.float64).tiny)
"""Smallest sum that weights can be divided by."""


def uniform(archive: Archive, n: int, rng: Rng) -> Indices:
    """Draw every niche alike, as the original does (Mouret & Clune 2015)."""
    held = archive.held()
    return held[rng.host.integers(len(held), size=n)]


def fresh(archive: Archive, n: int, rng: Rng) -> Indices:
    """Draw new elites.

    A niche's chance falls by e in as many generations as it takes to make a child for every niche, or in one generation
    where there are fewer niches than children. Age counts from the newest elite: while nothing wins, the newest keeps
    its chance, and all others share ``UNIFORM_SHARE``.

    The children of an elite that has just won win more often than those of one that has stood for long. That is the
    curiosity of Cully & Demiris 2018, without a score to keep.
    """
    held = archive.held()
    return _weighted(_youth(archive, held, n, len(held)), held, archive, n, rng, UNIFORM_SHARE)


def weak(archive: Archive, n: int, rng: Rng) -> Indices:
    """Draw niches below :func:`sure_level`, but for ``UNIFORM_SHARE``."""
    held = archive.held()
    confidence = archive.confidence[held]
    below = confidence < sure_level(confidence)
    return _weighted(below.astype(np.float64), held, archive, n, rng, UNIFORM_SHARE)


def unsure(archive: Archive, n: int, rng: Rng) -> Indices:
    """Draw niches below :func:`sure_level`: half of the parents by age as ``fresh`` does, half alike.

    ``WEAKEST_SHARE`` is for the weakest of them, and ``UNSURE_UNIFORM_SHARE`` for all niches.
    """
    held = archive.held()
    confidence, weights = archive.confidence[held], np.zeros(len(held))
    below = np.flatnonzero(confidence < sure_level(confidence))
    if len(below):
        youth = _youth(archive, held[below], n, len(below))
        young = youth / youth.sum() if youth.sum() > SMALLEST_SUM else 1 / len(below)
        weights[below] = (1 - WEAKEST_SHARE) / 2 * (1 / len(below) + young)
        lowest = below[weakest(confidence[below])]
        weights[lowest] += WEAKEST_SHARE / len(lowest)
    return _weighted(weights, held, archive, n, rng, UNSURE_UNIFORM_SHARE)


SELECTORS: dict[str, Selector] = {"fresh": fresh, "uniform": uniform, "unsure": unsure, "weak": weak}
"""The selectors by name."""


def selector_named(name: str) -> Selector:
    """Return the selector of this name.

    Raises:
        ConfigError: There is none.
    """
    if name not in SELECTORS:
        raise ConfigError(
            f'unknown selector "{name[:40]}"{suggestion(name, SELECTORS)}; choose from {", ".join(SELECTORS)}'
        )
    return SELECTORS[name]


def sure_level(confidence: NDArray[np.float32]) -> np.float32:
    """Return the confidence from which one of these counts as sure: 0.99, or 0.999 where all have that, and so on."""
    lowest = confidence.min()
    return next((level for level in map(np.float32, SURE_LEVELS) if lowest < level), np.float32(SURE_LEVELS[-1]))


def weakest(confidence: NDArray[np.float32]) -> Indices:
    """Return the rows of the lowest ``WEAKEST_FRACTION`` of some confidences, the lowest first, at least one."""
    return np.argsort(confidence, kind="stable")[: max(1, round(WEAKEST_FRACTION * len(confidence)))]


def _youth(archive: Archive, niches: Indices, n: int, count: int) -> NDArray[np.float64]:
    """Return weights of niches that fall by e in the generations of ``n`` children that make ``count`` children."""
    age = archive.generation.max() - archive.generation[niches]
    return np.asarray(np.exp(-age * n / max(n, count)))


def _weighted(
    weights: NDArray[np.float64], held: Indices, archive: Archive, n: int, rng: Rng, uniform_share: float
) -> Indices:
    """Draw from the niches that have elites by their weights, but for a share that is drawn from all alike."""
    niches, total = uniform(archive, n, rng), weights.sum()
    if total > 0:
        by_weight = rng.host.random(n) >= uniform_share
        niches[by_weight] = held[rng.host.choice(len(held), np.count_nonzero(by_weight), p=weights / total)]
    return niches
