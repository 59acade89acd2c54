"""File names from arbitrary text."""

from __future__ import annotations

import re
import unicodedata


def slug(name: str) -> str:
    """Return at most 40 letters, digits and hyphens that resemble ``name``; never an empty string.

    >>> slug("café noir"), slug("../猫")
    ('cafe-noir', 'class')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:40] or "class"
