"""Which elites become parents. A selector reads the archive and nothing else, so that a run needs no more to go on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..encodings.base import Indices
from ..errors import ConfigError, suggestion
from ..rng import Rng
from .archive import Archive

Selector = Callable[[Archive, int, Rng], Indices]

ANY = 0.2
"""share of the parents that ``fresh`` and ``weak`` draw from all niches alike, so that none is given up"""

NINES = (0.99, 0.999, 0.9999, 0.99999, 0.999999)
"""confidences from which a niche counts as done: the first that not all have reached"""

RARELY = 0.05
"""share of the parents that ``unsure`` draws from all niches alike"""

FOR_WEAKEST, WEAKEST = 0.1, 0.02
"""share of its other parents that it draws from the weakest alone; and what share of the niches that are not sure these
are (docs/SEARCH.md)"""

TINY = float(np.finfo(np.float64).tiny)


def uniform(archive: Archive, n: int, rng: Rng) -> Indices:
    """Every niche alike, as in the original (Mouret & Clune 2015)."""
    held = archive.held()
    return held[rng.host.integers(len(held), size=n)]


def fresh(archive: Archive, n: int, rng: Rng) -> Indices:
    """Elites that are new: a niche's chance falls by e in as many generations as it takes to make a child for every
    niche (in one, where there are fewer niches than children).

    Age counts from the newest elite: while nothing wins, the newest keeps its chance, and all others share ``ANY``.

    A child that has just won is on its way, and its children win more often than those of an elite that has stood for
    long; the curiosity of Cully & Demiris 2018, without a score to keep.
    """
    held = archive.held()
    return _mostly(_youth(archive, held, n, len(held)), held, archive, n, rng)


def weak(archive: Archive, n: int, rng: Rng) -> Indices:
    """Niches that are not :func:`sure`, but for the share of ``ANY``."""
    held = archive.held()
    confidence = archive.confidence[held]
    below = confidence < sure(confidence)
    return _mostly(below.astype(np.float64), held, archive, n, rng)


def unsure(archive: Archive, n: int, rng: Rng) -> Indices:
    """Niches that are not :func:`sure`: half of the parents the new ones among them, half any, but for the shares of
    the weakest (``FOR_WEAKEST``) and of all (``RARELY``)."""
    held = archive.held()
    confidence, weights = archive.confidence[held], np.zeros(len(held))
    below = np.flatnonzero(confidence < sure(confidence))
    if len(below):
        youth = _youth(archive, held[below], n, len(below))
        young = youth / youth.sum() if youth.sum() > TINY else 1 / len(below)
        weights[below] = (1 - FOR_WEAKEST) / 2 * (1 / len(below) + young)
        lowest = below[weakest(confidence[below])]
        weights[lowest] += FOR_WEAKEST / len(lowest)
    return _mostly(weights, held, archive, n, rng, RARELY)


SELECTORS: dict[str, Selector] = {"fresh": fresh, "uniform": uniform, "unsure": unsure, "weak": weak}


def selector(name: str) -> Selector:
    """The selector of this name.

    Raises:
        ConfigError: none has it.
    """
    if not isinstance(name, str) or name not in SELECTORS:
        near = suggestion(str(name), SELECTORS)
        raise ConfigError(f'unknown selector "{str(name)[:40]}"{near}; choose {", ".join(SELECTORS)}')
    return SELECTORS[name]


def sure(confidence: np.ndarray) -> np.float32:
    """What one of these confidences has to be to count as done: 99 %; where all are that 99.9 %, and so on."""
    lowest = confidence.min()
    return next((level for level in map(np.float32, NINES) if lowest < level), np.float32(NINES[-1]))


def weakest(confidence: np.ndarray) -> Indices:
    """The rows of the ``WEAKEST`` of some confidences, the lowest first; at least one."""
    return np.argsort(confidence, kind="stable")[: max(1, round(WEAKEST * len(confidence)))]


def _youth(archive: Archive, held: Indices, n: int, among: float) -> np.ndarray:
    """A niche's chance by age: it falls by e in the generations of ``n`` that make a child for each of so many."""
    age = archive.generation.max() - archive.generation[held]
    return np.asarray(np.exp(-age * n / max(n, among)))


def _mostly(weights: np.ndarray, held: Indices, archive: Archive, n: int, rng: Rng, anyone: float = ANY) -> Indices:
    """Niches by the weights of those held, but for a share that is drawn from all alike."""
    niches, total = uniform(archive, n, rng), weights.sum()
    if total > 0:
        weighed = rng.host.random(n) >= anyone
        niches[weighed] = held[rng.host.choice(len(held), np.count_nonzero(weighed), p=weights / total)]
    return niches
