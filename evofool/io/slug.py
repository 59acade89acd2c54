"""File names from arbitrary text."""

from __future__ import annotations

import os
import re
import unicodedata


def slug(name: str) -> str:
    """Return at most 40 letters, digits and hyphens that resemble ``name``; never an empty string.

    >>> slug("café noir"), slug("../猫")
    ('cafe-noir', 'class')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:40] or "class"


MAX_STEM_BYTES = 80
"""Largest number of bytes of a :func:`file_stem`; file systems take names of 255 bytes, which have other parts too."""


def file_stem(name: str) -> str:
    """Return letters and digits of any script that resemble ``name``, as part of a file's name; never empty.

    >>> file_stem("IMG 0012"), file_stem("../猫")
    ('IMG-0012', '猫')
    """
    composed = unicodedata.normalize("NFC", name)
    kept = "".join(letter if unicodedata.category(letter)[0] in "LMN" or letter == "_" else "-" for letter in composed)
    stem = re.sub("-+", "-", kept).strip("-").encode("utf-8", "ignore")[:MAX_STEM_BYTES].decode("utf-8", "ignore")
    try:
        os.fsencode(stem)
    except UnicodeEncodeError:  # This locale has no such letters.
        return slug(name)
    return stem or "image"
