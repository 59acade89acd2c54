"""What a recorded score is made of, as facts of an opened tile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...text import percent

WORDS = {
    "jpeg": "JPEG",
    "resize": "Resized",
    "shift": "Shifted",
    "crop": "Cropped",
    "blur": "Blurred",
}
"""What a page calls transformations, where that isn't their name."""


def item_details(line: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what the score in a line of ``elites.jsonl`` or ``outcomes.jsonl`` is made of: names and percentages."""
    networks, under = line.get("networks", {}), line.get("robust", {})
    facts = [*networks.items(), *((WORDS.get(name, name.capitalize()), value) for name, value in under.items())]
    return [(name, percent(float(value))) for name, value in facts]
