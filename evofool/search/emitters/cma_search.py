"""A search of one CPPN's weights: DEAP's CMA-ES, its graph as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from deap import cma
from numpy.typing import NDArray

from ...encodings.cppn.batch import CPPNBatch
from ...engines.population import Confidence
from ...kernels.constants import EMPTY
from ..states import State, prefixed, whole_numbers
from .batches import CHILDREN_PER_SEARCH, Load, copied_arrays, load_cppns

if TYPE_CHECKING:
    from ...rng import Rng
    from ..archive import Archive

SIGMA = 0.1
"""First step size of a search, in weights; docs/SEARCH.md says what it was measured against."""

PATIENCE = 5
"""Number of generations without a better child after which a search is given up."""

_ARRAYS = ("centroid", "pc", "ps", "C")


class CmaSearch(cma.Strategy):  # type: ignore[misc]
    """DEAP's CMA-ES, with the evolution's random numbers.

    Args:
        elite: A batch of one genome, which has connections.
        niche: The elite's niche.
        class_index: The class whose score is climbed.
        evaluation_id: The elite's evaluation ID.
        best: Its score.
        children: Children per generation.
    """

    sigma: float
    C: NDArray[np.float64]
    BD: NDArray[np.float64]

    def __init__(
        self, elite: CPPNBatch, niche: int, class_index: int, evaluation_id: int, best: float, children: int
    ) -> None:
        self.elite, self.niche, self.class_index = elite, niche, class_index
        self.evaluation_id, self.best = evaluation_id, best
        self.edges = np.flatnonzero(elite.source[0] != EMPTY)
        self.stale = 0
        self._asked: NDArray[np.float64] = np.empty((0, len(self.edges)))
        super().__init__(elite.weight[0, self.edges].astype(np.float64), SIGMA, lambda_=children)

    def ended(self, enough: np.float32) -> bool:
        """Return whether the search has reached this score, or stands still."""
        return self.stale >= PATIENCE or bool(self.best >= enough)

    def ask(self, limit: float, rng: Rng) -> CPPNBatch:
        """Return the next children, with weights in [−limit, limit]."""
        steps = rng.host.standard_normal((self.lambda_, self.dim))
        batch = self.elite.take(np.zeros(self.lambda_, np.int64))
        batch.weight[:, self.edges] = np.clip(self.centroid + self.sigma * steps @ self.BD.T, -limit, limit)
        self._asked = batch.weight[:, self.edges].astype(np.float64)
        return batch

    def tell(self, scores: NDArray[np.float64]) -> None:
        """Take the scores of the children that were asked for last."""
        self.stale = 0 if scores.max() > self.best else self.stale + 1
        self.best = max(self.best, float(scores.max()))
        try:
            with np.errstate(all="ignore"):
                self.update([Weights(*pair) for pair in zip(self._asked, scores.tolist(), strict=True)])
        except np.linalg.LinAlgError:
            self.BD = np.full_like(self.C, np.nan)
        self._asked = self._asked[:0]
        if not self._sound():
            self.stale, self.sigma, self.C = PATIENCE, SIGMA, np.eye(self.dim)
            self.pc = self.ps = np.zeros(self.dim)
            self._decompose()

    def state(self) -> State:
        """Return all that the next children depend on."""
        numbers = [self.niche, self.class_index, self.evaluation_id, self.lambda_, self.stale, self.update_count]
        return {
            "numbers": np.array(numbers, np.int64),
            "best": np.array([self.best, self.sigma]),
            **({"asked": self._asked.copy()} if len(self._asked) else {}),
            **{name: np.array(getattr(self, name)) for name in _ARRAYS},
            **prefixed("genome", copied_arrays(self.elite)),
        }

    @classmethod
    def restored(cls, state: State, load: Load, archive: Archive) -> Self:
        """Return the search whose :meth:`state` this is.

        Raises:
            ValueError: The state doesn't fit itself or the archive.
            KeyError: An array is missing.
        """
        elite = load_cppns("genome", state, load, archive)
        numbers = whole_numbers("a search's numbers", state["numbers"], 6)
        niche, class_index, evaluation_id, children, stale, updates = numbers.tolist()
        if len(elite) != 1 or not elite.sizes()[0]:
            raise ValueError("a search should have one elite, with connections")
        if not 2 <= children <= 10 * CHILDREN_PER_SEARCH:
            raise ValueError(f"a search should have 2 to {10 * CHILDREN_PER_SEARCH} children")
        if niche >= len(archive) or archive.class_of_niche[niche] != class_index:
            raise ValueError("a search's class should be that of its niche")
        search = cls(elite, niche, class_index, evaluation_id, float(state["best"][0]), children)
        for name in _ARRAYS:
            array, current = state[name], getattr(search, name)
            if array.shape != current.shape or array.dtype != np.float64 or not np.isfinite(array).all():
                raise ValueError(f"a search's {name} should be finite float64 {current.shape}")
            setattr(search, name, array.copy())
        if "asked" in state:
            search._asked = state["asked"].copy()
            if search._asked.shape != (children, search.dim) or not np.isfinite(search._asked).all():
                raise ValueError(f"a search's asked should be finite {(children, search.dim)}")
        search.sigma, search.stale, search.update_count = float(state["best"][1]), stale, updates
        search._decompose()
        if not search._sound():
            raise ValueError("a search's C should be a covariance")
        return search

    def _sound(self) -> bool:
        """Return whether children can be drawn. The numbers of CMA-ES may fall apart."""
        steps: NDArray[np.float64] = self.sigma * self.BD
        return bool(np.isfinite(steps).all() and self.sigma >= 0 and self.diagD.min() > 0)

    def _decompose(self) -> None:
        """Compute the axes of the covariance as DEAP does after an update."""
        values, axes = np.linalg.eigh(self.C)
        order = np.argsort(values)
        self.diagD, self.B = np.maximum(values[order], 0.0) ** 0.5, axes[:, order]
        self.BD = self.B * self.diagD


class Weights(np.ndarray):
    """A child's weights, as DEAP's individual."""

    fitness: Confidence

    def __new__(cls, weights: NDArray[np.float64], score: float) -> Any:
        individual = np.asarray(weights).view(cls)
        individual.fitness = Confidence((score,))
        return individual
