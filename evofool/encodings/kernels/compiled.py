"""How functions are compiled that run over genomes on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any]) -> Any:
    """Compile at the first call (some seconds), to run without Python's lock, and keep the outcome beside the source or
    in the user's cache folder, where either can be written."""
    try:
        return njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # nowhere to keep it
        return njit(nogil=True, error_model="numpy")(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile into every function that calls it."""
    return njit(inline="always")(function)
