"""New starts for the weakest classes: lineages that begin elsewhere and compete among themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import numpy as np
from deap import base
from numpy.typing import NDArray

from ...encodings.base import Encoding, Indices
from ...encodings.cppn.batch import CPPNBatch
from ..selectors import sure_level, weakest
from ..states import State, numbered, parts, prefixed, under, whole_numbers
from .base import Emitter
from .batches import CHILDREN_PER_SEARCH, Load, copied_arrays, joined, load_cppns, scores_of_parts, split_evenly

if TYPE_CHECKING:
    from torch import Tensor

    from ...rng import Rng
    from ..archive import Archive

LINEAGE_SIZE = 10
"""Number of genomes that a lineage keeps: the best it has had."""

PATIENCE = 200
"""Number of children without a better one after which a lineage is given up."""

MAX_AGE = 1600
"""Number of children after which a lineage is given up in any case."""


class Restart(Emitter):
    """Starts lineages for the weakest classes, whose elites are often at a dead end.

    Each lineage climbs the score of one class. It begins from the elites of other classes that score this class
    highest, as far as the archive keeps their scores, or from the class's own elite where there is one class. Its best
    genomes go on whether they beat the class's elite or not, until the elite is sure. All children compete in every
    niche.

    Children record as parent the elite, among those that the lineage began from, that they descend from.
    docs/SEARCH.md says what this was measured against.

    Args:
        mutate: Makes mutated copies of a batch.
        load: Makes a batch of saved arrays.
        rng: The evolution's random generators.
    """

    cppn_use = "makes small changes to"
    operators = ("mutate_slightly",)
    learns = True

    def __init__(self, mutate: Callable[[CPPNBatch], CPPNBatch], load: Load, rng: Rng) -> None:
        self.mutate, self.load, self.rng = mutate, load, rng
        self.lineages: list[Lineage] = []
        self._asked: list[tuple[CPPNBatch, Indices]] = []

    @classmethod
    def build(cls, toolbox: base.Toolbox, encoding: Encoding, rng: Rng) -> Self:
        return cls(lambda parents: toolbox.mutate_slightly(parents), encoding.load, rng)

    def ask(self, archive: Archive, n: int) -> tuple[CPPNBatch, Indices]:
        sizes = split_evenly(n, max(1, n // CHILDREN_PER_SEARCH))
        confidence = archive.surest_confidence()
        unsure = confidence < sure_level(confidence)
        if not unsure.any():
            unsure[:] = True
        class_indices = archive.class_indices[unsure]
        going_on = [lineage for lineage in self.lineages if not lineage.ended and lineage.class_index in class_indices]
        self.lineages = going_on[: len(sizes)]
        while len(self.lineages) < len(sizes):
            self.lineages.append(self._begin(archive, class_indices, confidence[unsure]))
        self._asked = []
        for lineage, size in zip(self.lineages, sizes, strict=True):
            rows = self.rng.host.integers(len(lineage.genomes), size=size)
            self._asked.append((self.mutate(lineage.genomes.take(rows)), lineage.evaluation_id[rows]))
        children, parents = zip(*self._asked, strict=True)
        return joined(children), np.concatenate(parents)

    def tell(self, archive: Archive, scores: Tensor) -> None:
        lineages, asked = self.lineages[: len(self._asked)], self._asked
        self._asked = []
        counts = [(lineage.class_index, len(rows)) for lineage, (_, rows) in zip(lineages, asked, strict=True)]
        reached = scores_of_parts(scores, counts)
        for lineage, (children, parents), scores_of_class in zip(lineages, asked, reached, strict=True):
            lineage.tell(children, parents, scores_of_class)

    def state(self) -> State:
        asked = [
            {"parents": parents.copy(), **prefixed("genomes", copied_arrays(children))}
            for children, parents in self._asked
        ]
        asked += [{}] * (len(self.lineages) - len(asked))
        return numbered(
            [
                {**lineage.state(), **prefixed("asked", waiting)}
                for lineage, waiting in zip(self.lineages, asked, strict=True)
            ]
        )

    def restore(self, state: State, archive: Archive) -> None:
        lineages = parts(state)
        self.lineages = [Lineage.restored(part, self.load, archive) for part in lineages]
        self._asked = []
        for asked in filter(None, (under("asked", part) for part in lineages)):
            children = load_cppns("genomes", asked, self.load, archive)
            self._asked.append((children, whole_numbers("parents", asked["parents"], len(children))))

    def _begin(self, archive: Archive, class_indices: Indices, confidence: NDArray[np.float32]) -> Lineage:
        """Begin a lineage for one of the weakest of these classes, one without a lineage if there is any."""
        free = ~np.isin(class_indices, [lineage.class_index for lineage in self.lineages])
        if not free.any():
            free[:] = True
        lowest = class_indices[free][weakest(confidence[free])]
        class_index = int(self.rng.host.choice(lowest))
        held = archive.held()
        of_class = archive.evaluation_id[held[archive.class_of_niche[held] == class_index]]
        others = held[~np.isin(archive.evaluation_id[held], of_class)]
        elites = others if len(others) else held
        elites = elites[np.unique(archive.evaluation_id[elites], return_index=True)[1]]  # one may have several niches
        scores = archive.scores_of_class(class_index, elites)
        best = np.argsort(-scores, kind="stable")[:LINEAGE_SIZE]
        genomes = archive.genomes.take(elites[best])
        return Lineage(class_index, genomes, scores[best], archive.evaluation_id[elites[best]])


class Lineage:
    """The best genomes so far on the way to one class.

    Attributes:
        class_index: The class.
        genomes: At most ``LINEAGE_SIZE`` genomes, the best first.
        scores: Their scores for the class.
        evaluation_id: The evaluation ID of the elite that each of them descends from.
        age: How many children the lineage has had.
        stale: How many children it has had since one was better than all before.
    """

    def __init__(
        self, class_index: int, genomes: CPPNBatch, scores: NDArray[np.float64], evaluation_id: Indices
    ) -> None:
        self.class_index, self.genomes, self.scores, self.evaluation_id = class_index, genomes, scores, evaluation_id
        self.age = self.stale = 0

    @property
    def ended(self) -> bool:
        """Whether it stands still or has taken too long."""
        return self.stale >= PATIENCE or self.age >= MAX_AGE

    def tell(self, children: CPPNBatch, parents: Indices, scores: NDArray[np.float64]) -> None:
        """Keep the best of these children and the genomes before. Equal scores, mostly of copies, count once."""
        self.age += len(scores)
        self.stale = 0 if scores.max() > self.scores[0] else self.stale + len(scores)
        every = np.concatenate([self.scores, scores])
        best = np.unique(-every, return_index=True)[1][:LINEAGE_SIZE]
        self.genomes = joined([self.genomes, children]).take(best)
        self.scores, self.evaluation_id = every[best], np.concatenate([self.evaluation_id, parents])[best]

    def state(self) -> State:
        """Return all that the next children depend on."""
        return {
            "numbers": np.array([self.class_index, self.age, self.stale], np.int64),
            "scores": self.scores.copy(),
            "evaluation_id": self.evaluation_id.copy(),
            **prefixed("genomes", copied_arrays(self.genomes)),
        }

    @classmethod
    def restored(cls, state: State, load: Load, archive: Archive) -> Self:
        """Return the lineage whose :meth:`state` this is.

        Raises:
            ValueError: The state doesn't fit itself or the archive.
            KeyError: An array is missing.
        """
        genomes = load_cppns("genomes", state, load, archive)
        class_index, age, stale = whole_numbers("a lineage's numbers", state["numbers"], 3).tolist()
        scores = state["scores"]
        evaluation_id = whole_numbers("a lineage's evaluation_id", state["evaluation_id"], len(genomes))
        if scores.shape != evaluation_id.shape or scores.dtype != np.float64 or not np.isfinite(scores).all():
            raise ValueError(f"a lineage's scores should be {len(genomes)} numbers")
        if not 1 <= len(genomes) <= LINEAGE_SIZE or class_index not in archive.class_indices:
            raise ValueError(f"a lineage should have 1 to {LINEAGE_SIZE} genomes and a class of the run")
        lineage = cls(class_index, genomes, scores.copy(), evaluation_id.copy())
        lineage.age, lineage.stale = age, stale
        return lineage
