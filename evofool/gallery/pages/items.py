"""What a recorded score is made of, as facts of an opened tile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...text import percent


def item_details(line: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the score in a line of ``elites.jsonl`` or ``outcomes.jsonl`` is made of: names and percentages."""
    return [(name, percent(float(value))) for name, value in line.get("networks", {}).items()]
