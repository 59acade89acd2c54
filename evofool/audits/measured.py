"""What a part of an audit measured, and what a network says of images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..attacks.statistics import wilson
from .record import AuditFigure


@dataclass(frozen=True)
class Measured:
    """Figures of a part, what else it found as plain JSON values, and what it could not do."""

    figures: dict[str, AuditFigure]
    details: dict[str, Any] = field(default_factory=dict)
    why: str = ""


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


def share(successes: float, n: int) -> AuditFigure:
    """Return a share with Wilson's 95 % interval; ``successes`` may be a sum of shares."""
    if not n:
        return AuditFigure()
    low, high = wilson(successes, n)
    return AuditFigure(value=float(successes) / n, low=low, high=high, n=n)
