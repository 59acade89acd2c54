"""The archive: the best genome found for every niche, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .encodings.base import Rows

NOBODY = -1
"""the parent of a genome that had none"""


@dataclass(frozen=True)
class Update:
    """What one batch changed: ``niches`` (U,) got a new elite, child ``rows`` (U,) of the batch."""

    niches: Rows
    rows: Rows


class Archive:
    """Elites of M niches; niche m asks for class ``niches[m]`` of a target with K classes.

    Attributes:
        niches: (M,) class index of every niche.
        genomes: a batch of M genomes, or None before the first update.
        scores: (M, K) float32, each elite's whole score vector, on the target's device.
        confidence: (M,) float32, each elite's score for its own class; −1 where there is none yet.
        born: (M,) the evaluation, counted from 0, that each elite was; ``parent`` (M,) that of its parent or
            ``NOBODY``; ``generation`` (M,) when it was born, counted from 1.
    """

    def __init__(self, niches: Rows, classes: int, device: torch.device | str = "cpu") -> None:
        self.niches = np.asarray(niches, np.int64)
        count = len(self.niches)
        self.genomes: Any = None
        self.scores = torch.zeros((count, classes), device=device)
        self.confidence = torch.full((count,), -1.0, device=device)
        self.born = np.full(count, NOBODY, np.int64)
        self.parent = np.full(count, NOBODY, np.int64)
        self.generation = np.zeros(count, np.int64)
        self._columns = torch.from_numpy(self.niches).to(device)

    def __len__(self) -> int:
        return len(self.niches)

    def contenders(self, scores: Tensor) -> Rows:
        """Rows of ``scores`` (B, K) that beat the elite of at least one niche."""
        beats = (scores[:, self._columns] > self.confidence).any(1)
        return beats.nonzero()[:, 0].cpu().numpy()

    def update(self, genomes: Any, scores: Tensor, born: Rows, parents: Rows, generation: int) -> Update:
        """Let every child compete in every niche, with strict >; the first of equal children wins.

        Args:
            genomes: a batch of B genomes.
            scores: (B, K) float32 probabilities, confirmed.
            born: (B,) each child's evaluation number; ``parents`` (B,) its parent's.
            generation: the batch's number.
        """
        if not len(genomes):
            return Update(np.empty(0, np.int64), np.empty(0, np.int64))
        reached = scores[:, self._columns]
        best = reached.amax(0)
        order = torch.arange(len(reached), device=reached.device)[:, None]
        first = torch.where(reached == best, order, len(reached)).amin(0)
        won = (best > self.confidence).nonzero()[:, 0]
        winners = first[won]
        self.confidence[won] = best[won]
        self.scores[won] = scores[winners]
        niches, rows = won.cpu().numpy(), winners.cpu().numpy()
        if self.genomes is None:  # the first batch fills every niche
            self.genomes = genomes.take(rows)
        else:
            self.genomes.put(niches, genomes.take(rows))
        self.born[niches], self.parent[niches] = born[rows], parents[rows]
        self.generation[niches] = generation
        return Update(niches, rows)

    def top(self, k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The k classes each elite scores highest: class indices (M, k) and scores (M, k)."""
        values, columns = self.scores.topk(min(k, self.scores.shape[1]), dim=1)
        return columns.cpu().numpy(), values.cpu().numpy()

    def state(self) -> dict[str, np.ndarray]:
        """Everything but the genomes, as arrays of their own."""
        return {
            "niches": self.niches.copy(),
            "scores": self.scores.numpy(force=True).copy(),
            "confidence": self.confidence.numpy(force=True).copy(),
            "born": self.born.copy(),
            "parent": self.parent.copy(),
            "generation": self.generation.copy(),
        }

    def restore(self, state: dict[str, np.ndarray], genomes: Any) -> None:
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
        self.confidence = torch.from_numpy(state["confidence"].copy()).to(self.scores.device)
        self.born, self.parent = state["born"].copy(), state["parent"].copy()
        self.generation = state["generation"].copy()
