"""How the functions of this wing are compiled, and where the machine code is cached."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba

from ..io.cache import user_cache
from . import settings

WIDE_VECTORS = "+avx512fp16"
"""LLVM's name for 512-bit vectors of float16, which came with Sapphire Rapids.

Processors that have them keep their clock when they use vectors of 512 bits. Older ones lower it.
"""


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function at its first call, which takes some seconds, and cache the machine code where possible.

    The compiled function releases Python's lock, so that several threads can run it.
    """
    config: Any = numba.config
    before, folder = config.CACHE_DIR, config.CACHE_DIR or _cache_folder()
    if folder:
        config.CACHE_DIR = folder
        try:
            dispatcher = numba.njit(nogil=True, error_model="numpy", cache=True)(function)
            _tolerate_full_disk(getattr(dispatcher, "_cache", None))
            return dispatcher
        except RuntimeError:  # numba can't write to it.
            pass
        finally:
            config.CACHE_DIR = before
    return numba.njit(nogil=True, error_model="numpy")(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function into every compiled function that calls it."""
    return numba.njit(inline="always")(function)


def use_whole_vectors() -> None:
    """Let numba use vectors of 512 bits in this process, on processors that keep their clock with them.

    LLVM uses half of such a vector by default. The setting holds for the whole process and for all that numba compiles
    in it, so only a program that owns the process calls this, before anything is compiled; later it has no effect. What
    the user asks numba for (``NUMBA_CPU_NAME``, ``NUMBA_CPU_FEATURES``, ``NUMBA_ENABLE_AVX``) stays. numba keeps the
    machine code of both settings apart in its cache.
    """
    config: Any = numba.config
    if not config.ENABLE_AVX or config.CPU_NAME is not None or config.CPU_FEATURES is not None:
        return
    try:
        features = llvmlite.binding.get_host_cpu_features().flatten()
    except RuntimeError:  # LLVM doesn't know this processor.
        return
    if WIDE_VECTORS in features.split(","):
        config.CPU_FEATURES = f"{features},-prefer-256-bit"


if settings.whole_vectors:
    use_whole_vectors()


@lru_cache(maxsize=1)
def _cache_folder() -> str | None:
    """Return the folder for machine code of this wing's sources: beside them, in the user's cache, or nowhere.

    Its name has a digest of all sources: numba compares a single file's, and these compile each other in.
    """
    here = Path(__file__).resolve().parent
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sorted(here.glob("*.py")))).hexdigest()[:16]
    folder = here / "__pycache__" if os.access(here, os.W_OK) else user_cache()
    return str(folder / f"loops-{digest}") if folder else None


def _tolerate_full_disk(cache: Any) -> None:
    """Let a full disk prevent caching and nothing else."""
    if (save := getattr(cache, "save_overload", None)) is None:
        return

    def save_if_possible(*arguments: Any) -> None:
        with suppress(OSError):
            save(*arguments)

    cache.save_overload = save_if_possible
