"""The folder of the user in which caches are kept."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> Path | None:
    """Return ``$XDG_CACHE_HOME/evofool`` or ``~/.cache/evofool``, or None for a user without a home.

    Containers and batch systems run processes as users that are in no list of users and have no ``HOME``.
    """
    folder = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(folder) if folder else Path.home() / ".cache") / "evofool"
    except RuntimeError:
        return None


def cache_folder() -> Path | None:
    """Return where caches are kept: in ``EVOFOOL_CACHE``, in the user's cache folder, or nowhere."""
    chosen = os.environ.get("EVOFOOL_CACHE")
    return Path(os.path.expanduser(chosen)) if chosen else user_cache()
