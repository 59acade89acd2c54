"""Variation of elites: the emitter of MAP-Elites (Mouret & Clune 2015)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from deap import base

from ...encodings.base import Encoding, Indices
from .base import Emitter

if TYPE_CHECKING:
    from ...rng import Rng
    from ..archive import Archive


class Vary(Emitter):
    """Selects elites, mates some of them and mutates all.

    Args:
        toolbox: The operators ``select``, ``mate`` and ``mutate``.
        crossover_rate: Share of the children that are crossed before mutation.
        rng: The evolution's random generators.
    """

    operators = ("select", "mate", "mutate")

    def __init__(self, toolbox: base.Toolbox, crossover_rate: float, rng: Rng) -> None:
        self.toolbox, self.crossover_rate, self.rng = toolbox, crossover_rate, rng

    @classmethod
    def build(cls, toolbox: base.Toolbox, encoding: Encoding, rng: Rng) -> Self:
        return cls(toolbox, encoding.crossover_rate, rng)

    def ask(self, archive: Archive, n: int) -> tuple[Any, Indices]:
        niches = self.toolbox.select(archive, n)
        parents = archive.genomes.take(niches)
        crossed = np.flatnonzero(self.rng.host.random(n) < self.crossover_rate)
        if len(crossed):
            partners = self.toolbox.select(archive, len(crossed))
            children = self.toolbox.mate(parents.take(crossed), archive.genomes.take(partners))
            parents.put(crossed, children)
        return self.toolbox.mutate(parents), archive.evaluation_id[niches]
