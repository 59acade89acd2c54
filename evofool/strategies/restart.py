"""New starts for classes that stand still: lines of genomes that begin elsewhere and compete with themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..archive import Archive
from ..encodings.base import Rows
from ..encodings.cppn_batch import CPPNBatch
from ..rng import Rng
from .selectors import SURE, weakest
from .sharing import CHILDREN, cppns_under, joined, shares, under

KEPT = 10
"""genomes of a line: the best it has had"""

PATIENCE = 10
"""generations without a better child after which a line is given up"""


class Restart:
    """An emitter for classes whose elites are at an end, where no change of them is any better: each line climbs the
    score of one class from the elites of others that score it highest, and the best of a line go on whether they beat
    the class's elite or not. What is found on the way competes in every niche.

    Lines are for the weakest classes (``selectors.WEAKEST``). docs/SEARCH.md has what this was measured against.

    Args:
        mutate: what makes mutated copies of a batch.
        rng: the run's.
    """

    def __init__(self, mutate: Callable[[CPPNBatch], CPPNBatch], rng: Rng) -> None:
        self.mutate, self.rng = mutate, rng
        self.lines: list[Line] = []
        self._asked: list[tuple[CPPNBatch, Rows]] = []

    def emit(self, archive: Archive, n: int) -> tuple[CPPNBatch, Rows]:
        sizes = shares(n, max(1, n // CHILDREN))
        self.lines = [line for line in self.lines if not line.ended][: len(sizes)]
        while len(self.lines) < len(sizes):
            self.lines.append(self._begin(archive))
        self._asked = []
        for line, size in zip(self.lines, sizes, strict=True):
            rows = self.rng.host.integers(len(line.genomes), size=size)
            self._asked.append((self.mutate(line.genomes.take(rows)), line.born[rows]))
        children, parents = zip(*self._asked, strict=True)
        return joined(children), np.concatenate(parents)

    def heed(self, archive: Archive, scores: Tensor) -> None:
        first = 0
        for line, (children, born) in zip(self.lines, self._asked, strict=True):
            own = scores[first : first + len(children), line.index]
            line.learn(children, born, own.numpy(force=True).astype(np.float64))
            first += len(children)

    def state(self) -> dict[str, np.ndarray]:
        return {f"{at}.{name}": array for at, line in enumerate(self.lines) for name, array in line.state().items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        count = len({name.partition(".")[0] for name in state})
        self.lines = [Line.of(under(f"{at}.", state)) for at in range(count)]

    def _begin(self, archive: Archive) -> Line:
        """A line for one of the weakest classes that no other line has."""
        confidence = archive.surest_confidence()
        unsure = np.flatnonzero(confidence < np.float32(SURE))
        free = unsure[~np.isin(archive.wanted[unsure], [line.index for line in self.lines])]
        choice = next((some for some in (free, unsure) if len(some)), np.arange(len(confidence)))
        lowest = choice[weakest(confidence[choice])]
        index = int(archive.wanted[self.rng.host.choice(lowest)])
        held = archive.held()
        own = archive.born[held[archive.niches[held] == index]]
        others = held[~np.isin(archive.born[held], own)]
        elites = others if len(others) else held
        elites = elites[np.unique(archive.born[elites], return_index=True)[1]]  # one may have several niches
        scores = archive.scores[elites, index].numpy(force=True).astype(np.float64)
        best = np.argsort(-scores, kind="stable")[:KEPT]
        return Line(index, archive.genomes.take(elites[best]), scores[best], archive.born[elites[best]])


class Line:
    """The best genomes so far on a way to one class.

    Attributes:
        index: the class.
        genomes: at most ``KEPT``, the best first; ``scores`` theirs for the class; ``born``: the evaluation that each
            one's ancestor in the archive was.
        stale: generations without a better child.
    """

    def __init__(self, index: int, genomes: CPPNBatch, scores: NDArray[np.float64], born: Rows, stale: int = 0) -> None:
        self.index, self.genomes, self.scores, self.born, self.stale = index, genomes, scores, born, stale

    @property
    def ended(self) -> bool:
        """Whether its class is sure now, or it stands still."""
        return self.stale >= PATIENCE or bool(self.scores[0] >= SURE)

    def learn(self, children: CPPNBatch, born: Rows, scores: NDArray[np.float64]) -> None:
        """Keep the best of these and those before; of equal ones those before."""
        self.stale = 0 if scores.max() > self.scores[0] else self.stale + 1
        every = np.concatenate([self.scores, scores])
        best = np.argsort(-every, kind="stable")[:KEPT]
        self.genomes = joined([self.genomes, children]).take(best)
        self.scores, self.born = every[best], np.concatenate([self.born, born])[best]

    def state(self) -> dict[str, np.ndarray]:
        """All that the next children depend on."""
        return {
            "numbers": np.array([self.index, self.stale], np.int64),
            "scores": self.scores.copy(),
            "born": self.born.copy(),
            **{f"genomes.{name}": array.copy() for name, array in vars(self.genomes).items()},
        }

    @classmethod
    def of(cls, state: dict[str, np.ndarray]) -> Line:
        """Take up what :meth:`state` gave.

        Raises:
            ValueError: it doesn't fit itself.
        """
        genomes = cppns_under("genomes.", state)
        index, stale = (int(number) for number in state["numbers"])
        scores, born = state["scores"], state["born"]
        shape = (len(genomes),)
        if scores.shape != shape or scores.dtype != np.float64 or born.shape != shape or born.dtype != np.int64:
            raise ValueError(f"a line's scores and ancestors should be {shape}")
        if not 1 <= len(genomes) <= KEPT or min(index, stale, *born.tolist()) < 0 or not np.isfinite(scores).all():
            raise ValueError("a line's numbers can't be")
        return cls(index, genomes, scores.copy(), born.copy(), stale)
