"""Direct genomes as a batch."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..base import Indices


class DirectBatch:
    """N direct genomes.

    Args:
        genes: (N, C, H, W) uint8, on any device.
    """

    def __init__(self, genes: Tensor) -> None:
        self.genes = genes

    def __len__(self) -> int:
        return self.genes.shape[0]

    def take(self, rows: Indices) -> DirectBatch:
        return DirectBatch(self.genes.index_select(0, self._index(rows)))

    def put(self, rows: Indices, genomes: DirectBatch) -> None:
        self.genes.index_copy_(0, self._index(rows), genomes.genes)

    def sizes(self) -> NDArray[np.int64]:
        return np.full(len(self), math.prod(self.genes.shape[1:]), np.int64)

    def numbers(self, row: int) -> list[float]:
        """Return a genome's genes as numbers in [0, 1]."""
        numbers: list[float] = (self.genes[row].flatten().float() / 255).tolist()
        return numbers

    def set_numbers(self, row: int, numbers: NDArray[np.float64]) -> None:
        """Set a genome's genes to numbers, which are put into [0, 1] and rounded to 8 bits."""
        genes = np.clip(np.round(numbers * 255), 0, 255).astype(np.uint8)
        self.genes[row] = torch.from_numpy(genes).view_as(self.genes[row]).to(self.genes.device)

    def _index(self, rows: Indices) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(rows)).to(self.genes.device)
