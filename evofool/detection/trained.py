"""Detectors that learn from examples what fooling images look like."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .outputs import Scores

SIDE = 32
"""Longest side of images whose pixels a detector is given; larger ones are averaged over squares."""

ITERATIONS = 1000
"""Most iterations of a fit."""


class Detector:
    """A logistic regression of standardised inputs, both kinds of images weighing the same.

    Args:
        real, fooling: (N, F) and (M, F): what it is given for images of both kinds, to learn from.
    """

    def __init__(self, real: NDArray[Any], fooling: NDArray[Any]) -> None:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        logistic = LogisticRegression(class_weight="balanced", max_iter=ITERATIONS)
        examples = np.concatenate([real, fooling]).astype(np.float64)
        are_real = np.repeat([1, 0], [len(real), len(fooling)])
        self._model = make_pipeline(StandardScaler(), logistic).fit(examples, are_real)

    def scores(self, inputs: NDArray[Any]) -> Scores:
        """Return the log-odds (N,) that images are real, for inputs (N, F)."""
        odds: Scores = self._model.decision_function(inputs.astype(np.float64))
        return odds


def shrunk(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the pixels (N, F) in [0, 1] of images (N, C, H, W), of at most ``SIDE`` a side.

    Larger ones are averaged over squares of whole pixels; what is left over at the right and at the bottom is cut off.
    """
    n, channels, height, width = images.shape
    edge = -(-max(height, width) // SIDE)
    rows, columns = height // edge, width // edge
    cut = images[:, :, : rows * edge, : columns * edge].astype(np.float32) / 255
    means: NDArray[np.float32] = cut.reshape(n, channels, rows, edge, columns, edge).mean((3, 5)).reshape(n, -1)
    return means
