"""By how much scores miss a criterion."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SMALLEST_PROBABILITY = torch.finfo(torch.float32).tiny
"""Probabilities below this count as this, so that their logarithms are finite."""


def margins(scores: Tensor, watched: Tensor, targeted: Tensor) -> tuple[Tensor, Tensor]:
    """Return by how much each row misses its criterion, and the probability that the papers minimise.

    Args:
        scores: (N, K) probabilities.
        watched: (N,) the true class of each row, or the class to reach where ``targeted``.
        targeted: (N,) whether the row's criterion is a class to reach.

    Returns:
        The margin (N,) in log-odds, below 0 where the criterion is reached, and the fitness (N,): the true class's
        probability, or 1 minus that of the class to reach.
    """
    probability = scores.gather(1, watched[:, None])[:, 0]
    best_other = scores.scatter(1, watched[:, None], -1.0).amax(1)
    lead = probability.clamp_min(SMALLEST_PROBABILITY).log() - best_other.clamp_min(SMALLEST_PROBABILITY).log()
    return torch.where(targeted, -lead, lead), torch.where(targeted, 1 - probability, probability)


def margins_to_all(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the margins (N, K) of (N, K) probabilities, with every class in turn as the class to reach."""
    logs = np.log(scores.clip(SMALLEST_PROBABILITY))
    best_two = np.sort(logs, axis=1)[:, -2:]
    best_other = np.where(logs == best_two[:, 1:], best_two[:, :1], best_two[:, 1:])
    return np.asarray(best_other - logs, np.float32)
