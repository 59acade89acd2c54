"""Scores of what a network returns for images, each higher for what looks real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, xlogy

Scores = NDArray[np.float64]
"""(N,): a score for each image."""


@dataclass(frozen=True)
class Outputs:
    """What a network says of N images.

    Attributes:
        probabilities: (N, K) probabilities.
        logits: (N, K) logits; None where only probabilities are known.
    """

    probabilities: NDArray[np.floating[Any]]
    logits: NDArray[np.floating[Any]] | None = None

    def __len__(self) -> int:
        return len(self.probabilities)


def confidence_scores(outputs: Outputs) -> dict[str, Scores | None]:
    """Return the scores of images, each higher for what looks real; None for those that need unknown logits.

    Maximum softmax probability (Hendrycks & Gimpel 2017), maximum logit (Hendrycks et al. 2022), the negative energy
    at temperature 1 (Liu et al. 2020, eq. 4), and the negative entropy of the probabilities in nats.
    """
    probabilities = np.asarray(outputs.probabilities, np.float64)
    logits = None if outputs.logits is None else np.asarray(outputs.logits, np.float64)
    return {
        "msp": probabilities.max(1),
        "maxlogit": None if logits is None else logits.max(1),
        "energy": None if logits is None else np.asarray(logsumexp(logits, axis=1)),
        "entropy": xlogy(probabilities, probabilities).sum(1),
    }
