"""Names of users' making as parts of file names."""

from __future__ import annotations

import re
import unicodedata


def slug(name: str) -> str:
    """At most 40 letters, digits and hyphens; never empty.

    >>> slug("café noir"), slug("../猫")
    ('cafe-noir', 'class')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:40] or "class"
