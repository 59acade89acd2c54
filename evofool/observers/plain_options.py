"""A job's options as trackers have them: names and plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_TEXT = 250
"""Longest value, in characters: what every tracker takes."""

Plain = bool | int | float | str


def plain_options(options: Mapping[str, Any], prefix: str = "") -> dict[str, Plain]:
    """Return options without those that are left open. Lists become text, and settings in settings names with dots.

    >>> plain_options({"seed": 0, "classes": [3, 8], "init": None, "budget": {"minutes": 2.5}})
    {'seed': 0, 'classes': '3,8', 'budget.minutes': 2.5}
    """
    plain: dict[str, Plain] = {}
    for name, value in options.items():
        if isinstance(value, Mapping):
            plain |= plain_options(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple):
            plain[prefix + name] = ",".join(map(str, value))[:MAX_TEXT]
        elif value is not None:
            plain[prefix + name] = value[:MAX_TEXT] if isinstance(value, str) else value
    return plain


def summary_figures(summary: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a summary by name; those of single classes are left out."""
    return {
        name: float(value)
        for name, value in plain_options(summary).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
