"""Genomes: how they are made, varied, decoded to images, saved and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .registry import ENCODINGS, build, preset

__all__ = ["ENCODINGS", "build", "preset"]


def __getattr__(name: str) -> Any:
    """Import the registry at its first use, so that reading genome files need not wait for torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import registry

    return getattr(registry, name)
