"""The archive: the best genome found for every niche, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..encodings.base import Indices
from ..engines.population import NO_EVALUATION
from .niche_genomes import NicheGenomes

Admitted = tuple[Indices, Indices, NDArray[np.float32]]
"""niches (U,), each once, the rows (U,) of the children that take them, and their confidences (U,)"""


@dataclass(frozen=True)
class Update:
    """What one batch changed: ``niches`` (U,) got a new elite, child ``rows`` (U,) of the batch."""

    niches: Indices
    rows: Indices


class Archive:
    """Elites of M classes out of a target's K, each with a number of niches: one, or several for images that differ.

    Attributes:
        wanted: (M,) the classes, as indices of the target's.
        cells: niches a class; N = M · cells niches in all, those of a class one after the other.
        niches: (N,) class index of every niche.
        genomes: a :class:`NicheGenomes` of the N niches, or None before the first update; those of empty niches mean nothing.
        scores: (N, K) float32, each elite's whole score vector, on the target's device.
        confidence: (N,) float32, each elite's score for its own class, on the host; −1 where there is none yet.
        measures: (N, D) float32, what tells elites of one class apart; None where a class has one niche.
        evaluation_id: (N,) the evaluation, counted from 0, that each elite was, ``NO_EVALUATION`` in empty niches; ``parent`` (N,)
            that of its parent or ``NO_EVALUATION``; ``generation`` (N,) when it was evaluation_id, counted from 1.
    """

    def __init__(
        self, wanted: Indices, classes: int, device: torch.device | str = "cpu", *, cells: int = 1, measures: int = 0
    ) -> None:
        self.wanted, self.cells = np.asarray(wanted, np.int64), cells
        self.niches = np.repeat(self.wanted, cells)
        count = len(self.niches)
        self.genomes: Any = None
        self.scores = torch.zeros((count, classes), device=device)
        self.confidence = np.full(count, -1.0, np.float32)
        self.measures = torch.zeros((count, measures), device=device) if measures else None
        self.evaluation_id = np.full(count, NO_EVALUATION, np.int64)
        self.parent = np.full(count, NO_EVALUATION, np.int64)
        self.generation = np.zeros(count, np.int64)
        self._columns = torch.from_numpy(self.wanted).to(device)

    def __len__(self) -> int:
        return len(self.niches)

    def held(self) -> Indices:
        """The niches that have an elite, in order."""
        return np.flatnonzero(self.evaluation_id != NO_EVALUATION)

    def surest(self) -> Indices:
        """(M,) the niche of each class whose elite is the surest."""
        first = np.arange(len(self.wanted)) * self.cells
        return np.asarray(first + self._by_class().argmax(1))

    def surest_confidence(self) -> NDArray[np.float32]:
        """(M,) the confidence of each class's surest elite; −1 where it has none."""
        surest: NDArray[np.float32] = self._by_class().max(1)
        return surest

    def contenders(self, scores: Tensor) -> Indices:
        """Rows of ``scores`` (B, K) that could enter a niche: they beat a class's weakest elite, or it has room."""
        weakest = torch.from_numpy(self._by_class().min(1)).to(scores.device)
        return np.flatnonzero((scores[:, self._columns] > weakest).any(1).cpu().numpy())

    def update(
        self,
        genomes: Any,
        scores: Tensor,
        evaluation_id: Indices,
        parents: Indices,
        generation: int,
        measures: Tensor | None = None,
    ) -> Update:
        """Let every child compete in every niche it reaches, with strict >; the first of equal children wins.

        Args:
            genomes: a batch of B genomes.
            scores: (B, K) float32 probabilities, confirmed.
            evaluation_id: (B,) each child's evaluation number; ``parents`` (B,) its parent's.
            generation: the batch's number.
            measures: (B, D), where a class has several niches.
        """
        if not len(genomes):
            return Update(np.empty(0, np.int64), np.empty(0, np.int64))
        niches, rows, confidence = self._admit(scores[:, self._columns], measures)
        if not len(niches):
            return Update(niches, rows)
        won, winners = (torch.from_numpy(places).to(self.scores.device) for places in (niches, rows))
        self.confidence[niches] = confidence
        self.scores[won] = scores[winners]
        if self.measures is not None and measures is not None:
            self.measures[won] = measures[winners]
        if self.genomes is None:
            self.genomes = NicheGenomes(genomes.take(rows[:1]), np.zeros(len(self), np.int64))
        self.genomes.put(niches, genomes, rows)
        self.evaluation_id[niches], self.parent[niches] = evaluation_id[rows], parents[rows]
        self.generation[niches] = generation
        return Update(niches, rows)

    def top(self, k: int, niches: Indices) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The k classes that the elites of some niches score highest: class indices (n, k) and scores (n, k)."""
        rows = self.scores[torch.from_numpy(niches).to(self.scores.device)]
        values, columns = rows.topk(min(k, rows.shape[1]), dim=1)
        return columns.cpu().numpy(), values.cpu().numpy()

    def state(self) -> dict[str, np.ndarray]:
        """Everything but the genomes, as arrays of their own."""
        state = {
            "niches": self.niches.copy(),
            "scores": self.scores.numpy(force=True).copy(),
            "confidence": self.confidence.copy(),
            "evaluation_id": self.evaluation_id.copy(),
            "parent": self.parent.copy(),
            "generation": self.generation.copy(),
        }
        return state if self.measures is None else state | {"measures": self.measures.numpy(force=True).copy()}

    def restore(self, state: dict[str, np.ndarray], genomes: NicheGenomes | None) -> None:
        """Take up what :meth:`state` gave.

        Raises:
            ValueError: it is the state of an archive of other niches or classes, or doesn't fit itself.
        """
        for name, ours in self.state().items():
            if state[name].shape != ours.shape or state[name].dtype != ours.dtype:
                raise ValueError(f"{name} should be {ours.dtype} {ours.shape}")
        if not np.array_equal(state["niches"], self.niches):
            raise ValueError("the niches are not those of the run")
        if genomes is not None and len(genomes) != len(self):
            raise ValueError(f"{len(genomes)} genomes for {len(self)} niches")
        self.genomes = genomes
        self.scores = torch.from_numpy(state["scores"].copy()).to(self.scores.device)
        self.confidence = state["confidence"].copy()
        if self.measures is not None:
            self.measures = torch.from_numpy(state["measures"].copy()).to(self.scores.device)
        self.evaluation_id, self.parent = state["evaluation_id"].copy(), state["parent"].copy()
        self.generation = state["generation"].copy()

    def _admit(self, reached: Tensor, measures: Tensor | None) -> Admitted:
        """Who enters where.

        Args:
            reached: (B, M) the children's scores for the wanted classes.
            measures: (B, D), or None.
        """
        return best_rows(reached, self.confidence)

    def _forget(self, niches: Indices) -> None:
        """Empty niches that had an elite."""
        places = torch.from_numpy(niches).to(self.scores.device)
        self.scores[places], self.confidence[niches] = 0.0, -1.0
        self.evaluation_id[niches] = self.parent[niches] = NO_EVALUATION
        self.generation[niches] = 0

    def _by_class(self) -> NDArray[np.float32]:
        """(M, cells) confidence."""
        return self.confidence.reshape(len(self.wanted), self.cells)


def best_rows(reached: Tensor, confidence: NDArray[np.float32]) -> Admitted:
    """The columns (U,) of ``reached`` (B, M) float32 in which a row beats ``confidence`` (M,), each with its first best
    row and that one's score. Waits for a GPU once."""
    best, first = reached.max(0)  # of equal ones the first, as torch promises
    bits, rows = torch.stack([best.view(torch.int32), first.to(torch.int32)]).cpu().numpy()
    scores = bits.view(np.float32)
    won = np.flatnonzero(scores > confidence)
    return won, rows[won].astype(np.int64), scores[won]
