"""Gradient ascent from elites: evolution proposes graphs and strokes, the gradient tunes weights and pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from deap import base

from ...encodings.base import Encoding, Indices
from ...errors import ConfigError
from ...targets.protocols import GRADIENT_PASSES
from .base import Emitter
from .batches import joined, split_evenly

if TYPE_CHECKING:
    from ...rng import Rng
    from ..archive import Archive

STEPS = 10
"""Children of one way: where it begins, and then one after each step of Adam."""

STEP_SIZES = {"cppn": 0.1, "direct": 0.05}
"""Sizes of Adam's steps, in weights and in pixels of [0, 1]; docs/SEARCH.md says what they were measured against."""


class Gradient(Emitter):
    """Climbs the log-odds of classes that are not sure yet, along the target's gradient.

    A way begins with a mutated elite, and each of its steps is a child. All children compete in every niche, and record
    the elite that their way began from as their parent. The target has to give gradients.

    Args:
        toolbox: The operators ``select_unsure`` and ``look``, and one that mutates.
        encoding: The encoding: CPPNs or direct genomes.
    """

    min_batch = 2
    needs_gradients = True

    def __init__(self, toolbox: base.Toolbox, encoding: Any) -> None:
        self.toolbox, self.encoding = toolbox, encoding
        self.operators = ("select_unsure", "mutate_slightly" if encoding.name == "cppn" else "mutate")

    @classmethod
    def build(cls, toolbox: base.Toolbox, encoding: Encoding, rng: Rng) -> Self:
        if encoding.name not in STEP_SIZES:
            raise ConfigError(f"emitter gradient climbs {' and '.join(STEP_SIZES)} genomes, not {encoding.name}")
        return cls(toolbox, encoding)

    def ask(self, archive: Archive, n: int) -> tuple[Any, Indices]:
        import torch  # Checking an emitter's name needs none.

        from ..ascent.climb import Adam
        from ..ascent.parametrisations import ways_of

        ways = len(split_evenly(n, max(1, n // STEPS)))
        niches = self.toolbox.select_unsure(archive, ways)
        mutate = getattr(self.toolbox, self.operators[1])
        way = ways_of(mutate(archive.genomes.take(niches)), self.encoding)
        classes = torch.from_numpy(archive.class_of_niche[niches])
        steps, adam, children = -(-n // ways), Adam(STEP_SIZES[self.encoding.name]), [way.genomes()]
        for _ in range(steps - 1):
            here = self.toolbox.look(way.images(), classes)
            way.values = way.values + adam.step(way.slopes(here.gradient).to(way.values))
            way.bound()
            children.append(way.genomes())
        self.passes = GRADIENT_PASSES * ways * (steps - 1)
        return joined(children).take(np.arange(n)), np.tile(archive.evaluation_id[niches], steps)[:n]
