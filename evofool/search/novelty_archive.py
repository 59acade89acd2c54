"""Several images per class that are a distance apart from each other.

Local competition within that distance, as in unstructured archives (Cully & Demiris 2018, section III-A): a child that
is too near to elites of the class has to be surer than all of them, and replaces them. Any other takes an empty niche,
or replaces the weakest elite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

from ..encodings.base import Indices
from ..engines.base import Engine
from ..engines.population import NO_EVALUATION
from ..targets.protocols import Target, differentiable
from .archive import Admitted, Archive

COARSE_EDGE = 8
"""Height and width, in pixels, to which images are averaged before their pixels are compared."""


@dataclass(frozen=True)
class Novelty:
    """Every class keeps up to ``count`` images, ``apart`` from each other. See
    :class:`~evofool.search.diversity.Diversity`.

    Attributes:
        space: ``pixels`` compares images averaged to 8 × 8, by their root mean square difference in [0, 1].
            ``features`` compares what the network's last layer is given, averaged over space, by 1 − cosine in [0, 2].
        count: Largest number of images per class.
        apart: Smallest distance between two images of a class.
    """

    space: str
    count: int
    apart: float

    @property
    def niches_per_class(self) -> int:
        """The largest number of images per class."""
        return self.count

    def measure(self, target: Target, images: Tensor, genomes: Any) -> Tensor:
        """Return points (B, D) float32 for (B, C, H, W) uint8 images, to be compared by :attr:`least_distance`.

        Raises:
            TargetError: The target has no features.
        """
        if self.space == "features":
            points: Tensor = normalize(differentiable(target).features(images), dim=1)
            return points
        height, width = images.shape[2:]
        edges = min(COARSE_EDGE, height), min(COARSE_EDGE, width)
        coarse: Tensor = adaptive_avg_pool2d(images.float() / 255, edges).flatten(1)
        return coarse.div(coarse.shape[1] ** 0.5)

    @property
    def least_distance(self) -> float:
        """The smallest Euclidean distance of two points. For unit vectors, |a − b|² = 2 (1 − cosine)."""
        return float((2 * self.apart) ** 0.5 if self.space == "features" else self.apart)

    def archive(self, class_indices: Indices, engine: Engine) -> Archive:
        """Return an empty archive for some classes (M,)."""
        return NoveltyArchive(class_indices, engine, self)

    def places(self, archive: Archive, niches: Indices) -> list[dict[str, Any]]:
        """Return what a record says of niches beside their class: the number among the niches of the class."""
        return [{"cell": [number]} for number in (niches % self.niches_per_class).tolist()]


class NoveltyArchive(Archive):
    """For every class, elites that are a distance apart from each other."""

    def __init__(self, class_indices: Indices, engine: Engine, novelty: Novelty) -> None:
        target = engine.target
        blank = torch.zeros((1, *target.image_shape), dtype=torch.uint8, device=engine.device)
        super().__init__(
            class_indices,
            len(target.classes),
            engine.device,
            niches_per_class=novelty.count,
            measures=novelty.measure(target, blank, None).shape[1],
        )
        self._least_distance = novelty.least_distance

    def _admit(self, reached: Tensor, measures: Tensor | None) -> Admitted:
        """Let the children in one after the other, all classes at once."""
        assert measures is not None
        assert self.measures is not None
        shape = (len(self.class_indices), self.niches_per_class)
        points = torch.cat([measures, self.measures])
        near = (torch.cdist(measures.double(), points.double()) < self._least_distance).cpu().numpy()
        scores, confidence = reached.cpu().numpy(), self._by_class().copy()
        # Who is in each niche: a row of the children, or an elite, by its column in `near`.
        occupant = len(measures) + np.arange(len(self)).reshape(shape)
        for row, score in enumerate(scores):
            close = near[row, occupant] & (confidence >= 0)
            rivals = np.where(close, confidence, -np.inf)
            alone = ~close.any(1)
            slot = np.where(alone, confidence.argmin(1), rivals.argmax(1))
            bar = np.take_along_axis(confidence, slot[:, None], 1)[:, 0]
            won = np.flatnonzero(score > bar)
            confidence[won] = np.where(close[won], -1.0, confidence[won])  # also the others that are too near
            confidence[won, slot[won]] = score[won]
            occupant[won, slot[won]] = row
        held, child = confidence.ravel() >= 0, occupant.ravel()
        self._empty(np.flatnonzero(~held & (self.evaluation_id != NO_EVALUATION)))
        niches = np.flatnonzero(held & (child < len(measures)))
        return niches, child[niches], confidence.ravel()[niches]
