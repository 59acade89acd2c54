"""The archive of MAP-Elites (Mouret & Clune 2015): the best genome found for every niche, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..encodings.base import Indices
from ..engines.population import NO_EVALUATION
from .kept_scores import KeptScores, own_scores
from .niche_genomes import NicheGenomes

Admitted = tuple[Indices, Indices, NDArray[np.float32]]
"""Niches (U,) that change, each named once; the rows (U,) of the children they get; the children's confidences (U,)."""


@dataclass(frozen=True)
class Update:
    """What one batch changed.

    Attributes:
        niches: (U,) niches that got a new elite.
        rows: (U,) rows of the batch, the child that each of them got.
    """

    niches: Indices
    rows: Indices


class Archive:
    """The elites of M classes out of a target's K, with one niche per class.

    Subclasses keep several niches per class, for images that differ. The niches of a class are neighbours: there are
    N = M · niches_per_class of them.

    Args:
        class_indices: (M,) The classes that have niches.
        class_count: The number K of the target's classes.
        device: Where scores and measures are kept.
        niches_per_class: How many elites a class can have.
        measures: The number D of measures that tell a class's elites apart, 0 where a class has one niche.

    Attributes:
        class_indices: (M,) The classes that have niches.
        niches_per_class: How many elites a class can have.
        class_of_niche: (N,) The class of every niche.
        genomes: The :class:`NicheGenomes` of the N niches, None before the first update. Empty niches have a genome
            without meaning.
        kept: The elites' probabilities of other classes; see :class:`KeptScores`.
        confidence: (N,) float32. Each elite's probability of its own class, on the host. Empty niches have −1.
        measures: (N, D) float32. Each elite's measures, None where a class has one niche.
        evaluation_id: (N,) The evaluation, counted from 0, that scored each elite. Empty niches have ``NO_EVALUATION``.
        parent: (N,) The evaluation ID of each elite's parent, or ``NO_EVALUATION``.
        generation: (N,) The generation, counted from 1, that each elite comes from. Empty niches have 0.
        provisional: (N,) bool. Whether an elite's probabilities are a fast approximation, not confirmed yet.
    """

    def __init__(
        self,
        class_indices: Indices,
        class_count: int,
        device: torch.device | str = "cpu",
        *,
        niches_per_class: int = 1,
        measures: int = 0,
    ) -> None:
        self.class_indices, self.niches_per_class = np.asarray(class_indices, np.int64), niches_per_class
        self.class_of_niche = np.repeat(self.class_indices, niches_per_class)
        count = len(self.class_of_niche)
        self.genomes: Any = None
        self.kept = KeptScores(count, class_count, device)
        self.confidence = np.full(count, -1.0, np.float32)
        self.measures = torch.zeros((count, measures), device=device) if measures else None
        self.evaluation_id = np.full(count, NO_EVALUATION, np.int64)
        self.parent = np.full(count, NO_EVALUATION, np.int64)
        self.generation = np.zeros(count, np.int64)
        self.provisional = np.zeros(count, bool)
        self._columns = torch.from_numpy(self.class_indices).to(device)

    def __len__(self) -> int:
        return len(self.class_of_niche)

    def held(self) -> Indices:
        """Return the niches that have an elite, in order."""
        return np.flatnonzero(self.evaluation_id != NO_EVALUATION)

    def waiting(self) -> int:
        """Return how many children are provisional elites; one may have several niches."""
        return len(np.unique(self.evaluation_id[self.provisional]))

    def surest(self) -> Indices:
        """Return the niche (M,) of every class's surest elite."""
        first = np.arange(len(self.class_indices)) * self.niches_per_class
        return np.asarray(first + self._by_class().argmax(1))

    def surest_confidence(self) -> NDArray[np.float32]:
        """Return the confidence (M,) of every class's surest elite, −1 where a class has none."""
        surest: NDArray[np.float32] = self._by_class().max(1)
        return surest

    def contenders(self, scores: Tensor) -> Indices:
        """Return the rows of ``scores`` (B, K) that could enter a niche, sorted.

        Where a class has one niche, these are the best rows of the classes whose elites they beat. Where it has
        several, all rows count that score a class higher than its weakest elite, or whose class has an empty niche.

        Args:
            scores: (B, K) float32 probabilities.
        """
        if self.measures is not None:
            weakest = torch.from_numpy(self._by_class().min(1)).to(scores.device)
            return np.flatnonzero((scores[:, self._columns] > weakest).any(1).cpu().numpy())
        return np.unique(best_rows(scores[:, self._columns], self.confidence)[1])

    def promises(self, scores: Tensor) -> tuple[Indices, NDArray[np.float64]]:
        """Return the contenders (C,) where a class has one niche, and how much they would raise all log-odds (C,)."""
        niches, rows, reached = best_rows(scores[:, self._columns], self.confidence)
        children, of_child = np.unique(rows, return_inverse=True)
        gains = _log_odds(reached) - _log_odds(self.confidence[niches])
        return children, np.asarray(np.bincount(of_child, gains, len(children)), np.float64)

    def update(
        self,
        genomes: Any,
        scores: Tensor,
        evaluation_ids: Indices,
        parents: Indices,
        generation: int,
        measures: Tensor | None = None,
        provisional: NDArray[np.bool_] | None = None,
    ) -> Update:
        """Let every child compete in every niche that it reaches.

        A child has to score higher than the elite. Of children that score the same the first one wins.

        Args:
            genomes: A batch of B genomes.
            scores: (B, K) float32 probabilities.
            evaluation_ids: (B,) The children's evaluations.
            parents: (B,) The evaluation IDs of their parents.
            generation: The number of their generation.
            measures: (B, D) Their measures, where a class has several niches.
            provisional: (B,) Whose scores are an approximation; None where all are confirmed.
        """
        if not len(genomes):
            return Update(np.empty(0, np.int64), np.empty(0, np.int64))
        niches, rows, confidence = self._admit(scores[:, self._columns], measures)
        if not len(niches):
            return Update(niches, rows)
        self.confidence[niches] = confidence
        self.kept.put(niches, scores, rows)
        if self.measures is not None and measures is not None:
            won, winners = (torch.from_numpy(indices).to(measures.device) for indices in (niches, rows))
            self.measures[won] = measures[winners]
        if self.genomes is None:
            self.genomes = NicheGenomes(genomes.take(rows[:1]), np.zeros(len(self), np.int64))
        self.genomes.put(niches, genomes, rows)
        self.evaluation_id[niches], self.parent[niches] = evaluation_ids[rows], parents[rows]
        self.generation[niches] = generation
        self.provisional[niches] = False if provisional is None else provisional[rows]
        return Update(niches, rows)

    def correct(self, niches: Indices, scores: Tensor, rows: Indices) -> None:
        """Give provisional elites the scores that are confirmed for them.

        Args:
            niches: (n,) Their niches.
            scores: (B, K) float32 probabilities, confirmed.
            rows: (n,) Which of them each niche's elite has.
        """
        self.confidence[niches] = self.own(niches, scores, rows)
        self.kept.put(niches, scores, rows)
        self.provisional[niches] = False

    def own(self, niches: Indices, scores: Tensor, rows: Indices) -> NDArray[np.float32]:
        """Return the probabilities (n,) of niches' own classes in rows (n,) of ``scores`` (B, K)."""
        at, classes = (torch.from_numpy(each).to(scores.device) for each in (rows, self.class_of_niche[niches]))
        own: NDArray[np.float32] = scores[at, classes].numpy(force=True)
        return own

    def adopt(self, other: Archive, niches: Indices) -> Indices:
        """Take another archive's elites of some of its niches, where they are surer; return those niches, sorted."""
        surer = np.sort(niches[other.confidence[niches] > self.confidence[niches]])
        if not len(surer):
            return surer
        if self.genomes is None:
            self.genomes = NicheGenomes(other.genomes.take(surer[:1]), np.zeros(len(self), np.int64))
        self.genomes.adopt(other.genomes, surer)
        self.kept.adopt(other.kept, surer)
        if self.measures is not None and other.measures is not None:
            at = torch.from_numpy(surer).to(self.measures.device)
            self.measures[at] = other.measures[at]
        for name in ("confidence", "evaluation_id", "parent", "generation"):
            getattr(self, name)[surer] = getattr(other, name)[surer]
        return surer

    def scores_of_class(self, class_index: int, niches: Indices) -> NDArray[np.float64]:
        """Return the probability (n,) of a class that elites of niches have, 0 where it is not kept."""
        own = self.class_of_niche[niches] == class_index
        return np.where(own, self.confidence[niches].astype(np.float64), self.kept.of_class(class_index, niches))

    def beside(self, niches: Indices, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is known of the scores of elites of niches (n,), and other scores (n, K) in the same order."""
        known, others = self.kept.beside(niches, scores)
        own = torch.from_numpy(self.class_of_niche[niches]).to(scores.device)[:, None]
        confidence = torch.from_numpy(self.confidence[niches]).to(scores.device)[:, None]
        return torch.cat([known, confidence], 1), torch.cat([others, scores.gather(1, own)], 1)

    def state(self) -> dict[str, np.ndarray]:
        """Return copies of all arrays but the genomes, and ``provisional`` only where an elite is."""
        state = {
            "class_of_niche": self.class_of_niche.copy(),
            **self.kept.state(),
            "confidence": self.confidence.copy(),
            "evaluation_id": self.evaluation_id.copy(),
            "parent": self.parent.copy(),
            "generation": self.generation.copy(),
        }
        if self.provisional.any():
            state["provisional"] = self.provisional.copy()
        return state if self.measures is None else state | {"measures": self.measures.numpy(force=True).copy()}

    def restore(self, state: dict[str, np.ndarray], genomes: NicheGenomes | None) -> None:
        """Take up what :meth:`state` returned.

        Raises:
            ValueError: The state belongs to an archive of other niches, or doesn't fit itself.
        """
        state = {"provisional": np.zeros(len(self), bool)} | state
        for name, current in {"provisional": self.provisional, **self.state()}.items():
            if state[name].shape != current.shape or state[name].dtype != current.dtype:
                raise ValueError(f"{name} should be {current.dtype} {current.shape}")
        if not np.array_equal(state["class_of_niche"], self.class_of_niche):
            raise ValueError("class_of_niche should be that of the run")
        if genomes is not None and len(genomes) != len(self):
            raise ValueError(f"{len(genomes)} genomes for {len(self)} niches")
        self._check_values(state, genomes)
        self.genomes = genomes
        self.kept.restore(state)
        self.confidence = state["confidence"].copy()
        if self.measures is not None:
            self.measures = torch.from_numpy(state["measures"].copy()).to(self.measures.device)
        self.evaluation_id, self.parent = state["evaluation_id"].copy(), state["parent"].copy()
        self.generation, self.provisional = state["generation"].copy(), state["provisional"].copy()

    def _check_values(self, state: dict[str, np.ndarray], genomes: NicheGenomes | None) -> None:
        """Check that elites can be as a state says, and that empty niches are empty."""
        evaluation_id, parent, confidence = state["evaluation_id"], state["parent"], state["confidence"]
        held, own = evaluation_id != NO_EVALUATION, own_scores(state, self.class_of_niche, confidence)
        measured = np.isfinite(state["measures"]).all(1) if "measures" in state else True
        values = {
            "evaluation_id": evaluation_id >= NO_EVALUATION,
            "parent": (parent >= NO_EVALUATION) & (parent < np.where(held, evaluation_id, 0)),
            "generation": np.where(held, state["generation"] > 0, state["generation"] == 0),
            "confidence": np.where(held, (confidence == own) & (confidence >= 0), confidence == -1.0),
            "measures": ~held | measured,
            "provisional": held | ~state["provisional"],
        }
        for name, sound in values.items():
            if not np.all(sound):
                raise ValueError(f"{name} has a value that no elite can have")
        if genomes is None and held.any():
            raise ValueError("the genomes of its elites are missing")

    def _admit(self, reached: Tensor, measures: Tensor | None) -> Admitted:
        """Decide which children enter which niches.

        Args:
            reached: (B, M) The children's scores for the archive's classes.
            measures: (B, D), or None.
        """
        return best_rows(reached, self.confidence)

    def _empty(self, niches: Indices) -> None:
        """Empty niches that have an elite."""
        self.kept.clear(niches)
        self.confidence[niches] = -1.0
        self.evaluation_id[niches] = self.parent[niches] = NO_EVALUATION
        self.generation[niches] = 0

    def _by_class(self) -> NDArray[np.float32]:
        """Return the confidences as (M, niches_per_class)."""
        return self.confidence.reshape(len(self.class_indices), self.niches_per_class)


def best_rows(reached: Tensor, confidence: NDArray[np.float32]) -> Admitted:
    """Return the columns (U,) of ``reached`` (B, M) float32 in which a row beats ``confidence`` (M,).

    Each comes with its best row, the first of several, and that row's score. Waits for a GPU once.
    """
    best, first = reached.max(0)  # torch promises the first of equal rows
    bits, rows = torch.stack([best.view(torch.int32), first.to(torch.int32)]).cpu().numpy()
    scores = bits.view(np.float32)
    won = np.flatnonzero(scores > confidence)
    return won, rows[won].astype(np.int64), scores[won]


def _log_odds(confidence: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the log-odds of confidences, where those below a millionth, or as near to one, are all the same."""
    bounded = np.clip(confidence.astype(np.float64), 1e-6, 1 - 1e-6)
    odds: NDArray[np.float64] = np.log(bounded) - np.log1p(-bounded)
    return odds
