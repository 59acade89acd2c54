"""Scores of what a network's last layer is given for images, each higher for what looks real."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .outputs import Scores

Features = NDArray[np.floating[Any]]
"""(N, F)."""

FEWEST_OF_A_CLASS = 5
"""Fewest real images of a class for which its mean is taken; with a class of fewer, one mean stands for all."""


class Mahalanobis:
    """Minus the squared Mahalanobis distance to the nearest class mean (Lee et al. 2018, eq. 2).

    All classes share a covariance. It is shrunk (Ledoit & Wolf 2004), since a few hundred images are far from the
    training set that the paper has. Where a class has fewer than ``FEWEST_OF_A_CLASS``, all images have one mean
    (Kamoi & Kobayashi 2020).

    Args:
        features: (N, F) of real images.
        labels: (N,) their classes.
    """

    def __init__(self, features: Features, labels: NDArray[np.int64]) -> None:
        from sklearn.covariance import LedoitWolf

        known = np.asarray(features, np.float64)
        classes, counts = np.unique(labels, return_counts=True)
        self.by_class = bool(counts.min() >= FEWEST_OF_A_CLASS)
        groups = [known[labels == index] for index in classes] if self.by_class else [known]
        self._means = [group.mean(0) for group in groups]
        centred = [group - mean for group, mean in zip(groups, self._means, strict=True)]
        self._precision = LedoitWolf(assume_centered=True).fit(np.concatenate(centred)).precision_

    def scores(self, features: Features) -> Scores:
        """Return the scores (N,) of features (N, F)."""
        distances = [self._squares(np.asarray(features, np.float64) - mean) for mean in self._means]
        nearest: Scores = -np.min(distances, axis=0)
        return nearest

    def _squares(self, differences: Scores) -> Scores:
        squares: Scores = ((differences @ self._precision) * differences).sum(1)
        return squares


class Neighbours:
    """Minus the Euclidean distance to the k-th nearest of real images (Sun et al. 2022). Features have length 1.

    Args:
        features: (N, F) of real images.
        k: Which neighbour counts; of fewer images, the farthest.
    """

    def __init__(self, features: Features, k: int) -> None:
        from sklearn.neighbors import NearestNeighbors

        self._k = min(k, len(features))
        self._near = NearestNeighbors(n_neighbors=self._k, algorithm="brute").fit(_of_length_one(features))

    def scores(self, features: Features) -> Scores:
        """Return the scores (N,) of features (N, F)."""
        distances, _ = self._near.kneighbors(_of_length_one(features))
        farthest: Scores = -distances[:, -1]
        return farthest


def _of_length_one(features: Features) -> Scores:
    values = np.asarray(features, np.float64)
    scaled: Scores = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-10)
    return scaled
