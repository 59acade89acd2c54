"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
"""The bars of a sparkline, for values from 0 to 1."""


def sparkline(values: Sequence[float], width: int = 48) -> str:
    """Draw values in [0, 1] as a line of at most ``width`` bars; the last bar is the last value."""
    if not values:
        return ""
    step = max(1.0, len(values) / width)
    picked = [values[min(len(values) - 1, int((i + 1) * step) - 1)] for i in range(min(width, len(values)))]
    return "".join(BARS[min(len(BARS) - 1, int(max(0.0, value) * len(BARS)))] for value in picked)


def percent(value: float, *, fine: bool = True) -> str:
    """Write a share in [0, 1] as a percentage, truncated and not rounded, so that only a certain 1 reads 100 %.

    Args:
        value: The share.
        fine: Write four decimals above 99.99 %; all others have two.
    """
    if value >= 1:
        return "100 %"
    digits = 4 if fine and value > 0.9999 else 2
    cut = math.floor(value * 10 ** (digits + 2)) / 10**digits
    return f"{cut:.{digits}f} %"


def clock(seconds: float | None) -> str:
    """Write a duration as ``1:02:03`` or ``2:03``, or as ``–`` if it is unknown."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def least_confident(names: Sequence[str], confidence: Sequence[float], count: int) -> str:
    """List the classes with the lowest confidence, lowest first: ``deer 51.81 %, dog 99.99 %``."""
    ranked = sorted(zip(confidence, names, strict=True))[:count]
    return ", ".join(f"{name} {percent(value)}" for value, name in ranked)


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 generation``, ``1,200 generations``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
