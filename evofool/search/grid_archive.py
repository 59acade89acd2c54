"""A grid of descriptors for every class (Mouret & Clune 2015): one elite in each cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..encodings.base import Indices
from ..engines.base import Engine
from ..targets.protocols import Target
from .archive import Admitted, Archive, best_rows
from .descriptors import DESCRIPTORS
from .measures import measured


@dataclass(frozen=True)
class Grid:
    """Niches are class × bins of descriptors. See :class:`~evofool.search.diversity.Diversity`.

    Attributes:
        names: The D descriptors.
        bins: The number of bins along each of them.
    """

    names: tuple[str, ...]
    bins: int

    @property
    def niches_per_class(self) -> int:
        """The number of cells."""
        return int(self.bins ** len(self.names))

    def measure(self, target: Target, images: Tensor, genomes: Any) -> Tensor:
        """Return the descriptors (B, D) float32 of (B, C, H, W) uint8 images and their genomes."""
        return measured(self.names, images, genomes)

    def archive(self, class_indices: Indices, engine: Engine) -> Archive:
        """Return an empty archive for some classes (M,)."""
        return GridArchive(class_indices, engine, self)

    def cell(self, measures: Tensor) -> Tensor:
        """Return the cell (B,) of each row of descriptors (B, D). The bin of the first descriptor counts most."""
        low = measures.new_tensor([DESCRIPTORS[name].low for name in self.names])
        high = measures.new_tensor([DESCRIPTORS[name].high for name in self.names])
        bins = ((measures - low) / (high - low) * self.bins).floor().clamp(0, self.bins - 1).long()
        return (bins * torch.tensor(self._steps(), device=measures.device)).sum(1)

    def places(self, archive: Archive, niches: Indices) -> list[dict[str, Any]]:
        """Return what a record says of niches beside their class: the bins of the cell, and the elite's descriptors."""
        assert archive.measures is not None
        bins = (niches % self.niches_per_class)[:, None] // np.array(self._steps()) % self.bins
        measures = archive.measures.numpy(force=True)[niches].tolist()
        return [
            {"cell": cell, "descriptors": dict(zip(self.names, values, strict=True))}
            for cell, values in zip(bins.tolist(), measures, strict=True)
        ]

    def _steps(self) -> list[int]:
        """Return how many cells a bin of each descriptor spans."""
        return [self.bins**power for power in reversed(range(len(self.names)))]


class GridArchive(Archive):
    """An elite for every class and cell of a grid."""

    def __init__(self, class_indices: Indices, engine: Engine, grid: Grid) -> None:
        super().__init__(
            class_indices,
            len(engine.target.classes),
            engine.device,
            niches_per_class=grid.niches_per_class,
            measures=len(grid.names),
        )
        self._grid = grid

    def _admit(self, reached: Tensor, measures: Tensor | None) -> Admitted:
        assert measures is not None
        cell_of_row, confidence, reached = self._grid.cell(measures).cpu().numpy(), self._by_class(), reached.cpu()
        niches, rows, scores = [], [], []
        for cell in np.unique(cell_of_row):
            here = np.flatnonzero(cell_of_row == cell)
            won, winners, best = best_rows(reached[torch.from_numpy(here)], confidence[:, cell])
            niches.append(won * self.niches_per_class + cell)
            rows.append(here[winners])
            scores.append(best)
        order = np.concatenate(niches).argsort()
        return np.concatenate(niches)[order], np.concatenate(rows)[order], np.concatenate(scores)[order]
