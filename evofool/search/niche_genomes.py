"""Genomes of niches, each kept once however many niches it has won."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..encodings.base import Encoding, Indices


class NicheGenomes:
    """The genomes of N niches, in a batch of N slots. A child that wins hundreds of niches is copied once.

    Args:
        genomes: A batch of at most N genomes.
        slot: (N,) The genome that each niche has.
    """

    def __init__(self, genomes: Any, slot: Indices) -> None:
        self.slot = slot.copy()
        self._genomes = genomes.take(np.minimum(np.arange(len(slot)), len(genomes) - 1))

    def __len__(self) -> int:
        return len(self.slot)

    def take(self, niches: Indices) -> Any:
        """Return a batch with copies of the genomes of some niches."""
        return self._genomes.take(self.slot[niches])

    def put(self, niches: Indices, genomes: Any, rows: Indices) -> None:
        """Give ``niches``, each named once, the genomes in ``rows`` of a batch."""
        children, child = np.unique(rows, return_inverse=True)
        others, taken = np.ones(len(self), bool), np.zeros(len(self), bool)
        others[niches] = False
        taken[self.slot[others]] = True
        free = np.flatnonzero(~taken)[: len(children)]
        self._genomes.put(free, genomes.take(children))
        self.slot[niches] = free[child]

    def adopt(self, other: NicheGenomes, niches: Indices) -> None:
        """Take another one's genomes of some niches."""
        self.put(niches, other._genomes, other.slot[niches])

    def sizes(self) -> NDArray[np.int64]:
        """Return the size (N,) of each niche's genome."""
        return np.asarray(self._genomes.sizes()[self.slot])

    def distinct(self) -> tuple[Any, Indices]:
        """Return copies of the genomes that some niche has, and which of them each niche has (N,).

        The genomes come in the order of the first niches that have them, so that the result doesn't depend on the
        slots. ``NicheGenomes(*genomes.distinct())`` makes the same again.
        """
        used, first, slot = np.unique(self.slot, return_index=True, return_inverse=True)
        order = np.argsort(first)
        return self._genomes.take(used[order]), np.argsort(order)[slot]


def restored(encoding: Encoding, arrays: Mapping[str, np.ndarray], slot: np.ndarray) -> NicheGenomes:
    """Return genomes of niches from the arrays that :meth:`NicheGenomes.distinct` was dumped as.

    Raises:
        GenomeError: They are not the encoding's.
        ValueError: They don't fit the niches.
    """
    genomes = encoding.load(dict(arrays))
    if slot.ndim != 1 or slot.dtype != np.int64 or slot.min() < 0 or slot.max() >= len(genomes):
        raise ValueError(f"slot should be whole numbers from 0 to {len(genomes) - 1}")
    if len(genomes) > len(slot):
        raise ValueError(f"{len(genomes)} genomes for {len(slot)} niches")
    return NicheGenomes(genomes, slot)
