"""A generation as DEAP sees it: a sequence of individuals, which is one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from deap import base

from ..encodings.base import Indices
from ..errors import TargetError

if TYPE_CHECKING:
    from torch import Tensor

NO_EVALUATION = -1
"""The evaluation ID of the parent of a genome that has no parent, and of the elite of an empty niche."""


class Confidence(base.Fitness):  # type: ignore[misc]
    """A DEAP fitness to be maximised: the highest probability among the classes that count."""

    weights = (1.0,)


class Individual:
    """One row of a population, with a DEAP fitness.

    Args:
        genomes: A batch of genomes.
        row: Which of them it is.
    """

    def __init__(self, genomes: Any, row: int) -> None:
        self.genomes, self.row, self.fitness = genomes, row, Confidence()

    @property
    def genome(self) -> Any:
        """This genome, as a batch of one."""
        return self.genomes.take(np.array([self.row]))

    def __eq__(self, other: object) -> bool:
        """Return whether the genomes are equal, so that DEAP's hall of fame keeps no genome twice."""
        if not isinstance(other, Individual):
            return NotImplemented
        arrays, others = vars(self.genome), vars(other.genome)
        return all(bool((arrays[name] == others[name]).all()) for name in arrays)

    __hash__ = None  # type: ignore[assignment]

    def __deepcopy__(self, memo: dict[int, Any]) -> Individual:
        """Return a copy that holds on to this genome alone, as DEAP's hall of fame wants it."""
        copied = Individual(self.genome, 0)
        copied.fitness.values = self.fitness.values
        return copied


class Population(Sequence[Individual]):
    """B children of one generation.

    Attributes:
        genomes: A batch of B genomes.
        parents: (B,) evaluation ID of each child's parent, ``NO_EVALUATION`` where there is none.
        class_indices: (M,) classes that count for an individual's fitness; None for all.
        scores: (B, K) probabilities once evaluated, on the target's device.
        proposer: The emitter that proposed them, None where none did.
        exact: Whether they should be evaluated as :meth:`~.Engine.confirm` does, since most would be confirmed anyway.
        confirmed: Whether the scores are such ones.
        images: (B, C, H, W) uint8 once evaluated, if they were kept.
    """

    def __init__(
        self,
        genomes: Any,
        parents: Indices,
        class_indices: Indices | None = None,
        proposer: str | None = None,
        *,
        exact: bool = False,
    ) -> None:
        self.genomes, self.parents, self.class_indices, self.proposer = genomes, parents, class_indices, proposer
        self.exact, self.confirmed = exact, False
        self.scores: Tensor | None = None
        self.images: Tensor | None = None
        self._individuals: list[Individual] = []

    def __len__(self) -> int:
        return len(self.genomes)

    def take(self, rows: Indices) -> Population:
        """Return the children of some rows, not scored, with their images if those were kept."""
        taken = Population(self.genomes.take(rows), self.parents[rows], self.class_indices, self.proposer)
        taken.images = None if self.images is None else self.images[rows]
        return taken

    @overload
    def __getitem__(self, index: int) -> Individual: ...
    @overload
    def __getitem__(self, index: slice) -> list[Individual]: ...
    def __getitem__(self, index: int | slice) -> Individual | list[Individual]:
        if not self._individuals:
            self._individuals = [Individual(self.genomes, row) for row in range(len(self))]
        return self._individuals[index]

    def __iter__(self) -> Iterator[Individual]:
        return (self[row] for row in range(len(self)))


class Fitnesses(Sequence[tuple[float, ...]]):
    """DEAP fitness values of a scored population, made only when they are read.

    Args:
        scores: (B, K) probabilities.
        class_indices: (M,) classes that count; None for all.
    """

    def __init__(self, scores: Tensor, class_indices: Indices | None = None) -> None:
        self._scores, self._class_indices = scores, class_indices
        self._values: list[tuple[float, ...]] | None = None

    def __len__(self) -> int:
        return len(self._scores)

    def __getitem__(self, index: Any) -> Any:
        if self._values is None:
            counting = self._class_indices
            scores = self._scores if counting is None else self._scores[:, counting.tolist()]
            values = scores.amax(1).tolist()
            if not all(map(isfinite, values)):  # NaN beats everything in DEAP's fitnesses
                raise TargetError(
                    "the target returned NaN or infinite scores; check its weights and precision (`precision=float32`)"
                )
            self._values = [(value,) for value in values]
        return self._values[index]


def batched_map(evaluate: Callable[[Population], Tensor], population: Population) -> Fitnesses:
    """Evaluate a whole population in one call; this is DEAP's ``map``.

    Args:
        evaluate: Returns the (B, K) scores of a population. They stay with it, for the search to be told.
        population: B individuals.

    Returns:
        B fitness values for DEAP.
    """
    population.scores = evaluate(population)
    return Fitnesses(population.scores, population.class_indices)
