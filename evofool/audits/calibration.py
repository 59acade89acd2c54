"""How far a network's confidence is from its accuracy on real images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..attacks.statistics import Z95
from ..detection.outputs import Outputs
from .measured import Measured, share
from .record import AuditFigure

BINS = 15
"""Bins of equal width of the confidence, as in Guo et al. 2017."""

RESAMPLES = 1000
"""Resamples of the bootstrap."""

Values = NDArray[np.float64]


def calibration(real: Outputs, labels: NDArray[np.integer[Any]], seed: int = 0) -> Measured:
    """Return accuracy and expected calibration error on real images, and the bins of the reliability diagram.

    The interval of the error is ± 1.96 standard deviations of the bootstrap: resamples have a larger error than the
    images, so that their quantiles would lie beside it. Where hardly an image is classified wrongly, resamples know too
    little of such images; the deviation is at least that of an accuracy which is as the confidences say.

    Args:
        real: What the network says of N images.
        labels: (N,) right classes.
        seed: Random seed of the bootstrap.
    """
    probabilities = np.asarray(real.probabilities, np.float64)
    confidence, right = probabilities.max(1), (probabilities.argmax(1) == labels).astype(np.float64)
    n, bins = len(right), _bins(confidence)
    rng = np.random.default_rng(seed)
    value = calibration_error(confidence, right)
    gaps = confidence - right
    resampled = np.empty(RESAMPLES)
    for index in range(RESAMPLES):
        chosen = rng.integers(0, n, n)
        resampled[index] = np.abs(np.bincount(bins[chosen], gaps[chosen], BINS)).sum() / n
    expected = float(np.sqrt((confidence * (1 - confidence)).sum())) / n
    half = Z95 * max(float(resampled.std()), expected)
    error = AuditFigure(value=value, low=max(0.0, value - half), high=min(1.0, value + half), n=n)
    rows = []
    for index in range(BINS):
        inside = bins == index
        if inside.any():
            rows.append(
                {
                    "low": index / BINS,
                    "high": (index + 1) / BINS,
                    "n": int(inside.sum()),
                    "confidence": float(confidence[inside].mean()),
                    "accuracy": float(right[inside].mean()),
                }
            )
    details = {"bins": rows, "mean_confidence": float(confidence.mean())}
    return Measured({"accuracy": share(float(right.sum()), n), "ece": error}, details)


def calibration_error(confidence: Values, right: Values) -> float:
    """Return the expected calibration error (Naeini et al. 2015; Guo et al. 2017, eq. 3).

    It is the mean over bins of confidence of how far mean confidence and accuracy are apart, weighted by their sizes.
    """
    return float(np.abs(np.bincount(_bins(confidence), confidence - right, BINS)).sum() / len(right))


def _bins(confidence: Values) -> NDArray[np.int64]:
    """Return the bin of each confidence; bins include their upper ends."""
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
