"""Refinement of elites: CMA-ES on the weights of single CPPNs, as in CMA-ME (Fontaine et al. 2020)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import numpy as np
from deap import base

from ...encodings.base import Encoding, Indices
from ...encodings.cppn.batch import CPPNBatch
from ..selectors import sure_level, uniform, weakest
from ..states import State, numbered, parts, prefixed, under
from .base import Emitter
from .batches import CHILDREN_PER_SEARCH, Load, copied_arrays, joined, load_cppns, scores_of_parts, split_evenly
from .cma_search import CmaSearch

if TYPE_CHECKING:
    from torch import Tensor

    from ...rng import Rng
    from ..archive import Archive

SUREST_FRACTION = 0.1
"""Fraction of the niches that are not sure which counts as the surest of them."""

EXTREMES_SHARE = 1 / 3
"""Share of the searches for the weakest niches, and as large a share for the surest that are not sure yet: those that
become sure next, and the class that stays lowest in a long run."""

SCOUTED_SHARE = 0.5
"""Share of the searches that begin with a generation of mutated elites."""


class Refine(Emitter):
    """Searches the weights of elites of classes that are not sure yet.

    Each search climbs the score of one class from the class's elite. All children compete in every niche, and record
    the elite that their search started from as their parent.

    Some searches begin with a generation of mutated elites and climb from the best of these. A graph that is too small
    for its weights to matter would otherwise be all that a class ever has.

    Args:
        mutate: Makes mutated copies of a batch.
        load: Makes a batch of saved arrays.
        limit: Largest absolute weight.
        rng: The evolution's random generators.
        scouted_share: Share of the searches that begin with mutated elites.
        extremes_share: Share of the searches for the weakest niches, and for the surest of the others.
    """

    cppn_use = "works on the weights of"
    min_batch = 8
    operators = ("mutate",)
    learns = True

    def __init__(
        self,
        mutate: Callable[[CPPNBatch], CPPNBatch],
        load: Load,
        limit: float,
        rng: Rng,
        *,
        scouted_share: float = SCOUTED_SHARE,
        extremes_share: float = EXTREMES_SHARE,
    ) -> None:
        self.mutate, self.load, self.limit, self.rng = mutate, load, limit, rng
        self.scouted_share, self.extremes_share = scouted_share, extremes_share
        self.searches: list[CmaSearch] = []
        self._scouts: dict[int, CPPNBatch] = {}

    @classmethod
    def build(cls, toolbox: base.Toolbox, encoding: Encoding, rng: Rng) -> Self:
        return cls(lambda parents: toolbox.mutate(parents), encoding.load, encoding.settings()["limit"], rng)

    def ask(self, archive: Archive, n: int) -> tuple[CPPNBatch, Indices]:
        sizes = split_evenly(n, max(1, n // CHILDREN_PER_SEARCH))
        if [search.lambda_ for search in self.searches] != sizes:
            self.searches = []
        self._scouts = {}
        if not archive.genomes.sizes()[archive.held()].any():  # there are no weights anywhere
            self.searches, niches = [], uniform(archive, n, self.rng)
            return self.mutate(archive.genomes.take(niches)), archive.evaluation_id[niches]
        children, enough = [], sure_level(archive.confidence[archive.held()])
        for index, size in enumerate(sizes):
            if index < len(self.searches) and not self.searches[index].ended(enough):
                children.append(self.searches[index].ask(self.limit, self.rng))
                continue
            search = self._begin(archive, size, enough)
            self.searches[index : index + 1] = [search]
            if self.rng.host.random() < self.scouted_share:
                self._scouts[index] = self.mutate(search.elite.take(np.zeros(size, np.int64)))
                children.append(self._scouts[index])
            else:
                children.append(search.ask(self.limit, self.rng))
        return joined(children), np.repeat([search.evaluation_id for search in self.searches], sizes)

    def tell(self, archive: Archive, scores: Tensor) -> None:
        reached = scores_of_parts(scores, [(search.class_index, search.lambda_) for search in self.searches])
        for index, (search, scores_of_class) in enumerate(zip(self.searches, reached, strict=True)):
            if index not in self._scouts:
                search.tell(scores_of_class)
                continue
            scouts = self._scouts[index]
            best = int(np.where(scouts.sizes() > 0, scores_of_class, -1).argmax())
            if scouts.sizes()[best]:
                self.searches[index] = CmaSearch(
                    scouts.take(np.array([best])),
                    search.niche,
                    search.class_index,
                    search.evaluation_id,
                    float(scores_of_class[best]),
                    search.lambda_,
                )
        self._scouts = {}

    def state(self) -> State:
        scouts = {index: copied_arrays(batch) for index, batch in self._scouts.items()}
        return numbered(
            [
                {**search.state(), **prefixed("scouts", scouts.get(index, {}))}
                for index, search in enumerate(self.searches)
            ]
        )

    def restore(self, state: State, archive: Archive) -> None:
        searches = parts(state)
        self.searches = [CmaSearch.restored(part, self.load, archive) for part in searches]
        self._scouts = {
            index: load_cppns("scouts", part, self.load, archive)
            for index, part in enumerate(searches)
            if under("scouts", part)
        }
        if any(len(batch) != self.searches[index].lambda_ for index, batch in self._scouts.items()):
            raise ValueError("a search should have as many scouts as children")

    def _begin(self, archive: Archive, size: int, enough: np.float32) -> CmaSearch:
        """Begin a search from an elite that is not sure, one that no other search has if there is any."""
        held, confidence = archive.held(), archive.confidence
        held = held[archive.genomes.sizes()[held] > 0]
        unsure = held[confidence[held] < enough]
        free = np.setdiff1d(unsure, [search.niche for search in self.searches if not search.ended(enough)])
        niches = free if len(free) else held
        niches = niches[np.argsort(confidence[niches], kind="stable")]
        draw = self.rng.host.random()
        if draw < self.extremes_share:
            niches = niches[weakest(confidence[niches])]
        elif draw < 2 * self.extremes_share:
            niches = niches[-max(1, round(SUREST_FRACTION * len(niches))) :]
        niche = int(niches[self.rng.host.integers(len(niches))])
        return CmaSearch(
            archive.genomes.take(np.array([niche])),
            niche,
            int(archive.class_of_niche[niche]),
            int(archive.evaluation_id[niche]),
            float(confidence[niche]),
            size,
        )
