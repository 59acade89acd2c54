"""What runs of a sweep are called, after what they differ in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from ..io.slug import slug
from ..targets.members import joined
from ..text import size_text

SEPARATOR = ", "
"""What stands between the parts of a configuration's name."""


def label_of(variant: str, varied: Mapping[str, Any]) -> str:
    """Return what a configuration is called: its variant's name, then the values in which it differs from others.

    >>> label_of("", {"encoding": "cppn", "batch": 50}), label_of("small", {"encoding": "direct"})
    ('cppn, batch 50', 'small, direct')
    """
    return SEPARATOR.join(part for part in (variant, *(_words(*item) for item in varied.items())) if part)[:200]


def name_of(label: str, seed: int | None) -> str:
    """Return the name of a run's folder; the seed is left out where it is None.

    >>> name_of("cppn, batch 50", 3), name_of("", 0)
    ('cppn-batch-50-seed-3', 'seed-0')
    """
    parts = [slug(part) for part in label.split(SEPARATOR)] if label else []
    return "-".join([*parts, *([] if seed is None else [f"seed-{seed}"])])[:100]


def _words(name: str, value: Any) -> str:
    """Return an option in words; names that say themselves what they are stand alone."""
    called = name.replace("_", " ")
    if value is None or value is False:
        return f"no {called}"
    if value is True:
        return called
    if isinstance(value, str):
        return PurePath(value).stem if "/" in value or "\\" in value else value
    if isinstance(value, float):
        return f"{called} {size_text(value)}"
    if isinstance(value, tuple | list):
        return joined(value) if name == "target" else ",".join(map(str, value))
    return f"{called} {value}"
