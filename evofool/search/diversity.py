"""Several images a class: what tells them apart, and the archives that keep them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

from ..config.checks import MAX_BINS
from ..encodings.base import Encoding, Indices
from ..engines.population import NO_EVALUATION
from ..errors import ConfigError, suggestion
from ..rng import Rng
from ..targets.features import penultimate
from ..targets.torch_target import Target
from .archive import Admitted, Archive, best_rows
from .descriptors import DESCRIPTORS, known_descriptors, measured

BINS = 5
"""along each descriptor, and images a class with novelty, where nothing else is said"""
MAX_NICHES, MAX_BYTES = 200_000, 2_000_000_000
"""of an archive with several niches a class; a checkpoint takes as much again"""

APART = {"pixels": 0.3, "features": 0.3}
"""least distance of two images of a class, where nothing else is said: see :class:`Novelty`"""

COARSE = 8
"""pixels a side of what novelty compares images as"""


@dataclass(frozen=True)
class Grid:
    """Niches are class × bins of descriptors (Mouret & Clune 2015): one elite in each cell of a class's grid."""

    names: tuple[str, ...]
    """of D descriptors"""
    bins: int
    """along each of them"""

    @property
    def cells(self) -> int:
        return int(self.bins ** len(self.names))

    def measure(self, target: Target, images: Tensor, genomes: Any) -> Tensor:
        """(B, D) float32 descriptors."""
        return measured(self.names, images, genomes)

    def archive(self, wanted: Indices, target: Target) -> Archive:
        return GridArchive(wanted, target, self)

    def cell(self, measures: Tensor) -> Tensor:
        """(B,) the cell that each row of descriptors (B, D) lies in; the first descriptor's bin counts most."""
        low = measures.new_tensor([DESCRIPTORS[name].low for name in self.names])
        high = measures.new_tensor([DESCRIPTORS[name].high for name in self.names])
        bins = ((measures - low) / (high - low) * self.bins).floor().clamp(0, self.bins - 1).long()
        places = torch.tensor([self.bins**place for place in reversed(range(len(self.names)))], device=measures.device)
        return (bins * places).sum(1)

    def told(self, archive: Archive, niches: Indices) -> list[dict[str, Any]]:
        """What a record says of niches besides their class: the bins of the cell, and the elite's descriptors."""
        assert archive.measures is not None
        steps = self.bins ** np.arange(len(self.names))[::-1]
        bins = (niches % self.cells)[:, None] // steps % self.bins
        measures = archive.measures.numpy(force=True)[niches].tolist()
        return [
            {"cell": cell, "descriptors": dict(zip(self.names, values, strict=True))}
            for cell, values in zip(bins.tolist(), measures, strict=True)
        ]


@dataclass(frozen=True)
class Novelty:
    """Each class keeps up to so many images that are a distance apart from each other.

    Local competition within that distance, as in unstructured archives (Cully & Demiris 2018, section III-A): a child
    that is too near to elites of the class must be surer than all of them, and takes their place; any other takes an
    empty place, or that of the weakest.
    """

    space: str
    """``pixels``: root mean square difference of the images, averaged to 8 × 8, in [0, 1]. ``features``: 1 − cosine of
    what the network's last layer is given, averaged over space, in [0, 2]"""
    count: int
    """images a class, at most"""
    apart: float
    """their least distance"""

    @property
    def cells(self) -> int:
        return self.count

    def measure(self, target: Target, images: Tensor, genomes: Any) -> Tensor:
        """(B, D) float32 points whose Euclidean distances are compared: see :meth:`least`."""
        if self.space == "features":
            features: Tensor = normalize(penultimate(target, images), dim=1)
            return features
        height, width = images.shape[2:]
        coarse: Tensor = adaptive_avg_pool2d(images.float() / 255, (min(COARSE, height), min(COARSE, width))).flatten(1)
        return coarse.div(coarse.shape[1] ** 0.5)

    @property
    def least(self) -> float:
        """The least Euclidean distance of two points; of unit vectors, |a − b|² = 2 (1 − cosine)."""
        return float((2 * self.apart) ** 0.5 if self.space == "features" else self.apart)

    def archive(self, wanted: Indices, target: Target) -> Archive:
        return NovelArchive(wanted, target, self)

    def told(self, archive: Archive, niches: Indices) -> list[dict[str, Any]]:
        """What a record says of niches besides their class: the place among the class's images."""
        return [{"cell": [place]} for place in (niches % self.cells).tolist()]


Diversity = Grid | Novelty


def diversity(
    descriptors: str | Iterable[str] | None,
    novelty: str | None,
    bins: int | None,
    apart: float | None,
    *,
    channels: int,
    encoding: str,
) -> Diversity | None:
    """What was asked for, checked; None is one image a class.

    Args:
        descriptors: as ``"colour,complexity"``, or several.
        novelty: ``pixels`` or ``features``.
        bins: along each descriptor, or images a class with novelty.
        apart: least distance of two images of a class, with novelty.
        channels: of the images.
        encoding: of the genomes.

    Raises:
        ConfigError: these options can't be, or don't go together.
    """
    if descriptors is not None and novelty is not None:
        raise ConfigError("--descriptors and --novelty are two ways to several images a class; choose one")
    if apart is not None and novelty is None:
        raise ConfigError("--apart is the least distance of images with --novelty pixels or features; add that")
    if bins is not None and descriptors is None and novelty is None:
        raise ConfigError("--bins needs --descriptors, say colour,complexity, or --novelty pixels")
    if descriptors is None and novelty is None:
        return None
    number = BINS if bins is None else bins
    if type(number) is not int or not 2 <= number <= MAX_BINS:
        raise ConfigError(f"--bins is a whole number from 2 to {MAX_BINS}, got {str(number)[:40]}")
    if descriptors is not None:
        return Grid(known_descriptors(descriptors, channels, encoding), number)
    if not isinstance(novelty, str) or novelty not in APART:
        raise ConfigError(
            f'--novelty is pixels or features, got "{str(novelty)[:40]}"{suggestion(str(novelty), APART)}'
        )
    least = APART[novelty] if apart is None else apart
    if not isinstance(least, int | float) or not 0 < least <= 1:
        raise ConfigError(f"--apart is a distance above 0 and at most 1, got {least}")
    return Novelty(novelty, number, float(least))


def options_of(kinds: Diversity | None) -> dict[str, Any]:
    """The options that :func:`diversity` makes the same of, as plain JSON values."""
    grid, novelty = (kinds, None) if isinstance(kinds, Grid) else (None, kinds)
    return {
        "descriptors": list(grid.names) if grid else None,
        "novelty": novelty.space if novelty else None,
        "bins": grid.bins if grid else novelty.count if novelty else None,
        "apart": novelty.apart if novelty else None,
    }


def check_size(encoding: Encoding, wanted: int, classes: int, kinds: Diversity | None) -> None:
    """Refuse an archive that memory would not take.

    Args:
        encoding: of the genomes.
        wanted: classes that are evolved for, out of ``classes``.
        kinds: of images of a class.

    Raises:
        ConfigError: it would take more than ``MAX_BYTES``.
    """
    if kinds is None:
        return
    genome = sum(array.nbytes for array in vars(encoding.random(1, Rng(0, "cpu"))).values())
    niches = wanted * kinds.cells
    size = niches * (genome + 4 * classes)
    if niches > MAX_NICHES or size > MAX_BYTES:
        raise ConfigError(
            f"{wanted:,} classes × {kinds.cells:,} are {niches:,} niches, which would take {size / 1e9:,.1f} GB; "
            f"at most {MAX_NICHES:,} and {MAX_BYTES / 1e9:.0f} GB: take fewer --classes, --bins or descriptors"
        )


class GridArchive(Archive):
    """An elite for every class and cell of a grid."""

    def __init__(self, wanted: Indices, target: Target, grid: Grid) -> None:
        super().__init__(wanted, len(target.classes), target.device, cells=grid.cells, measures=len(grid.names))
        self._grid = grid

    def _admit(self, reached: Tensor, measures: Tensor | None) -> Admitted:
        assert measures is not None
        cell, confidence, reached = self._grid.cell(measures).cpu().numpy(), self._by_class(), reached.cpu()
        niches, rows, scores = [], [], []
        for one in np.unique(cell):
            here = np.flatnonzero(cell == one)
            won, winners, theirs = best_rows(reached[torch.from_numpy(here)], confidence[:, one])
            niches.append(won * self.cells + one)
            rows.append(here[winners])
            scores.append(theirs)
        order = np.concatenate(niches).argsort()
        return np.concatenate(niches)[order], np.concatenate(rows)[order], np.concatenate(scores)[order]


class NovelArchive(Archive):
    """For every class, elites that are a distance apart from each other."""

    def __init__(self, wanted: Indices, target: Target, novelty: Novelty) -> None:
        shape = target.image_shape
        probe = novelty.measure(target, torch.zeros((1, *shape), dtype=torch.uint8, device=target.device), None)
        super().__init__(wanted, len(target.classes), target.device, cells=novelty.count, measures=probe.shape[1])
        self._least = novelty.least

    def _admit(self, reached: Tensor, measures: Tensor | None) -> Admitted:
        """One child after the other, all classes at once."""
        assert measures is not None
        assert self.measures is not None
        shape = (len(self.wanted), self.cells)
        points = torch.cat([measures, self.measures])
        near = (torch.cdist(measures.double(), points.double()) < self._least).cpu().numpy()
        scores, confidence = reached.cpu().numpy(), self._by_class().copy()
        # Who is where: a child's row, or an elite, by its column in ``near``.
        who = len(measures) + np.arange(len(self)).reshape(shape)
        for row, score in enumerate(scores):
            close = near[row, who] & (confidence >= 0)
            rivals = np.where(close, confidence, -np.inf)
            alone = ~close.any(1)
            slot = np.where(alone, confidence.argmin(1), rivals.argmax(1))
            bar = np.take_along_axis(confidence, slot[:, None], 1)[:, 0]
            won = np.flatnonzero(score > bar)
            confidence[won] = np.where(close[won], -1.0, confidence[won])  # the others that it is too near to
            confidence[won, slot[won]] = score[won]
            who[won, slot[won]] = row
        held, child = confidence.ravel() >= 0, who.ravel()
        self._forget(np.flatnonzero(~held & (self.evaluation_id != NO_EVALUATION)))
        niches = np.flatnonzero(held & (child < len(measures)))
        return niches, child[niches], confidence.ravel()[niches]
