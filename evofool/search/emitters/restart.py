"""New starts for the weakest classes: lines of genomes that begin elsewhere and compete with themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ...encodings.base import Indices
from ...encodings.cppn.batch import CPPNBatch
from ...rng import Rng
from ..archive import Archive
from ..selectors import sure, weakest
from .batches import CHILDREN, Load, cppns_under, joined, numbered, parts, scores_of, shares, whole_numbers

KEPT = 10
"""genomes of a line: the best it has had"""

PATIENCE, LONGEST = 200, 1600
"""children without a better one after which a line is given up, and children after which it is in any case"""


class Restart:
    """An emitter for the weakest classes (``selectors.WEAKEST``), whose elites are often at an end: no change of them
    is any better. Each line climbs the score of one class from the elites of others that score it highest (where there
    is one class, from its own), and the best of a line go on whether they beat the class's elite or not, until the
    class is sure (``selectors.sure``). What is found on the way competes in every niche.

    docs/SEARCH.md has what this was measured against.

    Args:
        mutate: what makes mutated copies of a batch.
        load: what makes a batch of saved arrays, or raises a GenomeError.
        rng: the run's.
    """

    def __init__(self, mutate: Callable[[CPPNBatch], CPPNBatch], load: Load, rng: Rng) -> None:
        self.mutate, self.load, self.rng = mutate, load, rng
        self.lines: list[Line] = []
        self._asked: list[tuple[CPPNBatch, Indices]] = []

    def ask(self, archive: Archive, n: int) -> tuple[CPPNBatch, Indices]:
        sizes = shares(n, max(1, n // CHILDREN))
        confidence = archive.surest_confidence()
        short = confidence < sure(confidence)
        if not short.any():
            short[:] = True
        wanted = archive.wanted[short]
        self.lines = [line for line in self.lines if not line.ended and line.index in wanted][: len(sizes)]
        while len(self.lines) < len(sizes):
            self.lines.append(self._begin(archive, wanted, confidence[short]))
        self._asked = []
        for line, size in zip(self.lines, sizes, strict=True):
            rows = self.rng.host.integers(len(line.genomes), size=size)
            self._asked.append((self.mutate(line.genomes.take(rows)), line.evaluation_id[rows]))
        children, parents = zip(*self._asked, strict=True)
        return joined(children), np.concatenate(parents)

    def tell(self, archive: Archive, scores: Tensor) -> None:
        lines, asked = self.lines[: len(self._asked)], self._asked
        self._asked = []
        reached = scores_of(
            scores, [(line.index, len(evaluation_id)) for line, (_, evaluation_id) in zip(lines, asked, strict=True)]
        )
        for line, (children, evaluation_id), own in zip(lines, asked, reached, strict=True):
            line.learn(children, evaluation_id, own)

    def state(self) -> dict[str, np.ndarray]:
        return numbered([line.state() for line in self.lines])

    def restore(self, state: dict[str, np.ndarray], archive: Archive) -> None:
        self.lines = [Line.of(part, self.load, archive) for part in parts(state)]

    def _begin(self, archive: Archive, wanted: Indices, confidence: NDArray[np.float32]) -> Line:
        """A line for one of the weakest of the ``wanted`` classes, one that no other line has if there is any."""
        free = ~np.isin(wanted, [line.index for line in self.lines])
        if not free.any():
            free[:] = True
        lowest = wanted[free][weakest(confidence[free])]
        index = int(self.rng.host.choice(lowest))
        held = archive.held()
        own = archive.evaluation_id[held[archive.niches[held] == index]]
        others = held[~np.isin(archive.evaluation_id[held], own)]
        elites = others if len(others) else held
        elites = elites[np.unique(archive.evaluation_id[elites], return_index=True)[1]]  # one may have several niches
        scores = archive.scores[elites, index].numpy(force=True).astype(np.float64)
        best = np.argsort(-scores, kind="stable")[:KEPT]
        return Line(index, archive.genomes.take(elites[best]), scores[best], archive.evaluation_id[elites[best]])


class Line:
    """The best genomes so far on a way to one class.

    Attributes:
        index: the class.
        genomes: at most ``KEPT``, the best first; ``scores`` theirs for the class; ``evaluation_id``: the evaluation that each
            one's ancestor in the archive was.
        age: children that it had; ``stale``: those since a better one.
    """

    def __init__(self, index: int, genomes: CPPNBatch, scores: NDArray[np.float64], evaluation_id: Indices) -> None:
        self.index, self.genomes, self.scores, self.evaluation_id = index, genomes, scores, evaluation_id
        self.age = self.stale = 0

    @property
    def ended(self) -> bool:
        """Whether it stands still or took too long."""
        return self.stale >= PATIENCE or self.age >= LONGEST

    def learn(self, children: CPPNBatch, evaluation_id: Indices, scores: NDArray[np.float64]) -> None:
        """Keep the best of these and those before; of equal ones, which are copies for the most part, the first."""
        self.age += len(scores)
        self.stale = 0 if scores.max() > self.scores[0] else self.stale + len(scores)
        every = np.concatenate([self.scores, scores])
        best = np.unique(-every, return_index=True)[1][:KEPT]
        self.genomes = joined([self.genomes, children]).take(best)
        self.scores, self.evaluation_id = every[best], np.concatenate([self.evaluation_id, evaluation_id])[best]

    def state(self) -> dict[str, np.ndarray]:
        """All that the next children depend on."""
        return {
            "numbers": np.array([self.index, self.age, self.stale], np.int64),
            "scores": self.scores.copy(),
            "evaluation_id": self.evaluation_id.copy(),
            **{f"genomes.{name}": array.copy() for name, array in vars(self.genomes).items()},
        }

    @classmethod
    def of(cls, state: dict[str, np.ndarray], load: Load, archive: Archive) -> Line:
        """Take up what :meth:`state` gave.

        Raises:
            ValueError: it doesn't fit itself.
        """
        genomes = cppns_under("genomes.", state, load, archive)
        index, age, stale = whole_numbers(state["numbers"], 3).tolist()
        scores, evaluation_id = state["scores"], whole_numbers(state["evaluation_id"], len(genomes))
        if scores.shape != evaluation_id.shape or scores.dtype != np.float64 or not np.isfinite(scores).all():
            raise ValueError(f"a line's scores should be {len(genomes)} numbers")
        if not 1 <= len(genomes) <= KEPT or index not in archive.wanted:
            raise ValueError("a line's genomes or class can't be")
        line = cls(index, genomes, scores.copy(), evaluation_id.copy())
        line.age, line.stale = age, stale
        return line
