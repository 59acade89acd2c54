"""What an attempt wants: any other class, or a certain one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NARROW = 1e-4
"""log-odds by which a criterion must be reached: a change of class so narrow that a forward pass of another shape could undo
it is no success"""

_LEAST = torch.finfo(torch.float32).tiny


@dataclass(frozen=True)
class Criterion:
    """``target`` is the class to reach, or None for any class but the true one."""

    target: int | None = None

    def column(self, label: int) -> int:
        """The class whose probability the attempt watches."""
        return label if self.target is None else self.target

    def reached(self, margin: float) -> bool:
        """Whether a margin means success."""
        return margin < -NARROW


def margins(scores: Tensor, columns: Tensor, targeted: Tensor) -> tuple[Tensor, Tensor]:
    """By how much each row misses its criterion, and how much is left of what the papers minimise.

    Args:
        scores: (N, K) probabilities.
        columns: (N,) the true class, or the criterion's where ``targeted`` (N,).

    Returns:
        margin (N,): log-odds, below 0 where the criterion is reached; fitness (N,): the true class's probability, or 1
        minus the criterion's.
    """
    own = scores.gather(1, columns[:, None])[:, 0]
    others = scores.scatter(1, columns[:, None], -1.0).amax(1)
    ahead = own.clamp_min(_LEAST).log() - others.clamp_min(_LEAST).log()
    return torch.where(targeted, -ahead, ahead), torch.where(targeted, 1 - own, own)


def margins_to_all(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, K) by how much each row misses each class as a criterion; see :func:`margins`."""
    logs = np.log(scores.clip(_LEAST))
    best = np.sort(logs, axis=1)[:, -2:]
    others = np.where(logs == best[:, 1:], best[:, :1], best[:, 1:])
    return np.asarray(others - logs, np.float32)
