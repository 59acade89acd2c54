"""What a part of an audit measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..attacks.statistics import wilson
from .record import AuditFigure


@dataclass(frozen=True)
class Measured:
    """Figures of a part, what else it found as plain JSON values, and what it could not do."""

    figures: dict[str, AuditFigure]
    details: dict[str, Any] = field(default_factory=dict)
    why: str = ""


def share(successes: float, n: int) -> AuditFigure:
    """Return a share with Wilson's 95 % interval; ``successes`` may be a sum of shares."""
    if not n:
        return AuditFigure()
    low, high = wilson(successes, n)
    return AuditFigure(value=float(successes) / n, low=low, high=high, n=n)
