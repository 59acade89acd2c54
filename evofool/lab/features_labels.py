"""What the data sets of ``features`` call their images, and what these begin as: drawn by the seed alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..config.features import D_DET, D_RAND, FeaturesOptions

Labels = NDArray[np.int64]


def labels_of(name: str, labels: Labels, classes: int, drawn: Labels) -> Labels:
    """Return what a data set calls its images.

    Args:
        name: The data set: those with matched features keep the labels, ``D_rand`` has random ones, and ``D_det`` the
            class after the true one.
        labels: (N,) the true classes.
        classes: Number of classes.
        drawn: (N,) random classes, the true one among them, so that labels of ``D_rand`` tell nothing of the image.
    """
    if name == D_RAND:
        return drawn
    return (labels + 1) % classes if name == D_DET else labels


def random_labels(options: FeaturesOptions, classes: int) -> Labels:
    """Return (N,) random classes for all images, as the seed draws them."""
    return np.random.default_rng((options.seed, 1)).integers(0, classes, options.size or 0)


def starts(options: FeaturesOptions) -> Labels:
    """Return (N,) which image each one of D_R and D_NR begins as: any but itself, whatever its class."""
    size = options.size or 0
    steps = np.random.default_rng((options.seed, 2)).integers(1, max(2, size), size)
    return (np.arange(size) + steps) % max(1, size)
