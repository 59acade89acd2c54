"""Slight changes to elites, for the later part of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from deap import base

from ...encodings.base import Encoding, Indices
from .base import Emitter

if TYPE_CHECKING:
    from ...rng import Rng
    from ..archive import Archive


class Tweak(Emitter):
    """Changes elites that are not sure yet slightly.

    Late in a run most of what ``vary`` changes in a large genome spoils it. Parents are always those of the selector
    ``unsure``; the run's own selector is for ``vary``.

    Args:
        toolbox: The operators ``select_unsure`` and ``mutate_slightly``.
    """

    cppn_use = "makes small changes to"
    operators = ("select_unsure", "mutate_slightly")

    def __init__(self, toolbox: base.Toolbox) -> None:
        self.toolbox = toolbox

    @classmethod
    def build(cls, toolbox: base.Toolbox, encoding: Encoding, rng: Rng) -> Self:
        return cls(toolbox)

    def ask(self, archive: Archive, n: int) -> tuple[Any, Indices]:
        niches = self.toolbox.select_unsure(archive, n)
        return self.toolbox.mutate_slightly(archive.genomes.take(niches)), archive.evaluation_id[niches]
