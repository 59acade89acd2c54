"""Refining elites: DEAP's CMA-ES on the weights of one CPPN, its graph as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from deap import cma
from numpy.typing import NDArray
from torch import Tensor

from ...encodings.base import Indices
from ...encodings.cppn.batch import CPPNBatch
from ...engines.population import Confidence
from ...kernels.constants import EMPTY
from ...rng import Rng
from ..archive import Archive
from ..selectors import sure, uniform, weakest
from .batches import CHILDREN, Load, cppns_under, joined, numbered, parts, scores_of, shares, whole_numbers

SIGMA = 0.1
"""first step of a search, in weights: docs/SEARCH.md has what it was measured against"""

PATIENCE = 5
"""generations without a better child after which a search is given up"""

SUREST, THEIRS = 0.1, 1 / 3
"""share of the niches that are not sure which are the surest; and the share of the searches that are for these alone,
and as many for the weakest (``selectors.WEAKEST``): those that are sure next, and a long run's lowest class"""

SCOUTED = 0.5
"""share of the searches that begin with a generation of mutated elites"""

_ARRAYS = ("centroid", "pc", "ps", "C")


class Refine:
    """An emitter (CMA-ME; Fontaine et al. 2020) for classes that are not sure yet: each search climbs the score of one
    class, from its elite, in the elite's weights; what it finds on the way competes in every niche.

    Some begin with a generation of mutated elites and climb from the best of these: a graph that is too small for its
    weights to matter would else be all that a class ever has.

    Args:
        mutate: what makes mutated copies of a batch.
        load: what makes a batch of saved arrays, or raises a GenomeError.
        limit: of a weight, either way.
        rng: the run's.
    """

    def __init__(self, mutate: Callable[[CPPNBatch], CPPNBatch], load: Load, limit: float, rng: Rng) -> None:
        self.mutate, self.load, self.limit, self.rng = mutate, load, limit, rng
        self.searches: list[Search] = []
        self._scouts: dict[int, CPPNBatch] = {}

    def ask(self, archive: Archive, n: int) -> tuple[CPPNBatch, Indices]:
        sizes = shares(n, max(1, n // CHILDREN))
        if [search.lambda_ for search in self.searches] != sizes:
            self.searches = []
        self._scouts = {}
        if not archive.genomes.sizes()[archive.held()].any():  # there are no weights anywhere
            self.searches, niches = [], uniform(archive, n, self.rng)
            return self.mutate(archive.genomes.take(niches)), archive.evaluation_id[niches]
        children, enough = [], sure(archive.confidence[archive.held()])
        for place, size in enumerate(sizes):
            if place < len(self.searches) and not self.searches[place].ended(enough):
                children.append(self.searches[place].children(self.limit, self.rng))
                continue
            search = self._begin(archive, size, enough)
            self.searches[place : place + 1] = [search]
            if self.rng.host.random() < SCOUTED:
                self._scouts[place] = self.mutate(search.elite.take(np.zeros(size, np.int64)))
                children.append(self._scouts[place])
            else:
                children.append(search.children(self.limit, self.rng))
        return joined(children), np.repeat([search.evaluation_id for search in self.searches], sizes)

    def tell(self, archive: Archive, scores: Tensor) -> None:
        searched = scores_of(scores, [(search.index, search.lambda_) for search in self.searches])
        for place, (search, own) in enumerate(zip(self.searches, searched, strict=True)):
            if place not in self._scouts:
                search.learn(own)
                continue
            scouts = self._scouts[place]
            best = int(np.where(scouts.sizes() > 0, own, -1).argmax())
            if scouts.sizes()[best]:
                elite, where = scouts.take(np.array([best])), (search.niche, search.index, search.evaluation_id)
                self.searches[place] = Search(elite, *where, float(own[best]), search.lambda_)

    def state(self) -> dict[str, np.ndarray]:
        return numbered([search.state() for search in self.searches])

    def restore(self, state: dict[str, np.ndarray], archive: Archive) -> None:
        self.searches = [Search.of(part, self.load, archive) for part in parts(state)]

    def _begin(self, archive: Archive, size: int, enough: np.float32) -> Search:
        """A search from an elite that is not sure, one that no other search has if there is any."""
        held, confidence = archive.held(), archive.confidence
        held = held[archive.genomes.sizes()[held] > 0]
        unsure = held[confidence[held] < enough]
        free = np.setdiff1d(unsure, [search.niche for search in self.searches if not search.ended(enough)])
        choice = free if len(free) else held
        choice = choice[np.argsort(confidence[choice], kind="stable")]
        draw = self.rng.host.random()
        if draw < THEIRS:
            choice = choice[weakest(confidence[choice])]
        elif draw < 2 * THEIRS:
            choice = choice[-max(1, round(SUREST * len(choice))) :]
        niche = int(choice[self.rng.host.integers(len(choice))])
        place = niche, int(archive.niches[niche]), int(archive.evaluation_id[niche])
        return Search(archive.genomes.take(np.array([niche])), *place, float(confidence[niche]), size)


class Search(cma.Strategy):  # type: ignore[misc]
    """One search: DEAP's CMA-ES, but for its random numbers, which are the run's.

    Args:
        elite: a batch of one.
        niche: its niche; ``index``: the class that is climbed; ``evaluation_id``: the evaluation it was.
        best: its score.
        children: a generation.
    """

    sigma: float
    C: NDArray[np.float64]
    BD: NDArray[np.float64]

    def __init__(
        self, elite: CPPNBatch, niche: int, index: int, evaluation_id: int, best: float, children: int
    ) -> None:
        self.elite, self.niche, self.index, self.evaluation_id, self.best = elite, niche, index, evaluation_id, best
        self.edges = np.flatnonzero(elite.source[0] != EMPTY)
        self.stale = 0
        self._asked: NDArray[np.float64] = np.empty((0, len(self.edges)))
        super().__init__(elite.weight[0, self.edges].astype(np.float64), SIGMA, lambda_=children)

    def ended(self, enough: np.float32) -> bool:
        """Whether the search has scored its class so high, or it stands still."""
        return self.stale >= PATIENCE or bool(self.best >= enough)

    def children(self, limit: float, rng: Rng) -> CPPNBatch:
        """The next children, their weights in [−limit, limit]."""
        steps = rng.host.standard_normal((self.lambda_, self.dim))
        batch = self.elite.take(np.zeros(self.lambda_, np.int64))
        batch.weight[:, self.edges] = np.clip(self.centroid + self.sigma * steps @ self.BD.T, -limit, limit)
        self._asked = batch.weight[:, self.edges].astype(np.float64)
        return batch

    def learn(self, scores: NDArray[np.float64]) -> None:
        """Take the children's scores."""
        self.stale = 0 if scores.max() > self.best else self.stale + 1
        self.best = max(self.best, float(scores.max()))
        try:
            with np.errstate(all="ignore"):
                self.update([Weights(*pair) for pair in zip(self._asked, scores.tolist(), strict=True)])
        except np.linalg.LinAlgError:
            self.BD = np.full_like(self.C, np.nan)
        if not self._sound():
            self.stale, self.sigma, self.C = PATIENCE, SIGMA, np.eye(self.dim)
            self.pc = self.ps = np.zeros(self.dim)
            self._decompose()

    def state(self) -> dict[str, np.ndarray]:
        """All that the next children depend on."""
        numbers = np.array(
            [self.niche, self.index, self.evaluation_id, self.lambda_, self.stale, self.update_count], np.int64
        )
        return {
            "numbers": numbers,
            "best": np.array([self.best, self.sigma]),
            **{name: np.array(getattr(self, name)) for name in _ARRAYS},
            **{f"genome.{name}": array.copy() for name, array in vars(self.elite).items()},
        }

    @classmethod
    def of(cls, state: dict[str, np.ndarray], load: Load, archive: Archive) -> Search:
        """Take up what :meth:`state` gave.

        Raises:
            ValueError: it doesn't fit itself.
        """
        elite = cppns_under("genome.", state, load, archive)
        niche, index, evaluation_id, children, stale, updates = whole_numbers(state["numbers"], 6).tolist()
        if len(elite) != 1 or not elite.sizes()[0]:
            raise ValueError("a search's elite is not one, or has no connections")
        if not 2 <= children <= 10 * CHILDREN or niche >= len(archive) or archive.niches[niche] != index:
            raise ValueError("a search's numbers can't be")
        search = cls(elite, niche, index, evaluation_id, float(state["best"][0]), children)
        for name in _ARRAYS:
            ours = getattr(search, name)
            if state[name].shape != ours.shape or state[name].dtype != np.float64 or not np.isfinite(state[name]).all():
                raise ValueError(f"a search's {name} should be float64 {ours.shape}")
            setattr(search, name, state[name].copy())
        search.sigma, search.stale, search.update_count = float(state["best"][1]), stale, updates
        search._decompose()
        if not search._sound():
            raise ValueError("a search's covariance is none")
        return search

    def _sound(self) -> bool:
        """Whether children can be drawn: numbers of CMA-ES may fall apart."""
        steps: NDArray[np.float64] = self.sigma * self.BD
        return bool(np.isfinite(steps).all() and self.sigma >= 0 and self.diagD.min() > 0)

    def _decompose(self) -> None:
        """Its covariance's axes, as DEAP has them after an update."""
        values, axes = np.linalg.eigh(self.C)
        order = np.argsort(values)
        self.diagD, self.B = np.maximum(values[order], 0.0) ** 0.5, axes[:, order]
        self.BD = self.B * self.diagD


class Weights(np.ndarray):
    """The weights of a child as DEAP's individual."""

    fitness: Confidence

    def __new__(cls, weights: NDArray[np.float64], score: float) -> Any:
        made = np.asarray(weights).view(cls)
        made.fitness = Confidence((score,))
        return made
