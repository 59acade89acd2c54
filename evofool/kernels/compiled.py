"""How functions are compiled that run over genomes on the CPU."""

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

from . import FIRST

WIDE = "+avx512fp16"
"""what a processor has whose clock doesn't fall for vectors of 512 bits"""


def compiled(function: Callable[..., Any]) -> Any:
    """Compile at the first call (some seconds), without Python's lock, and keep the outcome where that can be."""
    config: Any = numba.config
    before, config.CACHE_DIR = config.CACHE_DIR, config.CACHE_DIR or _kept_in()
    try:
        made = numba.njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # nowhere to keep it
        return numba.njit(nogil=True, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = before
    _forgive(getattr(made, "_cache", None))
    return made


def inlined(function: Callable[..., Any]) -> Any:
    """Compile into every function that calls it."""
    return numba.njit(inline="always")(function)


def use_whole_vectors(config: Any, features: str) -> None:
    """Of a processor with vectors of 512 bits, in all that numba compiles in this process, unless the user says what to
    compile for (``NUMBA_CPU_NAME``, ``NUMBA_CPU_FEATURES``): LLVM takes half of them, since older ones lower their
    clock.

    Args:
        config: numba's.
        features: the processor's, as LLVM lists them; float16 in such vectors came with Sapphire Rapids.
    """
    if config.ENABLE_AVX and config.CPU_NAME is None and config.CPU_FEATURES is None and WIDE in features.split(","):
        config.CPU_FEATURES = f"{features},-prefer-256-bit"


if FIRST:
    with suppress(RuntimeError):  # LLVM doesn't know this processor
        use_whole_vectors(numba.config, llvmlite.binding.get_host_cpu_features().flatten())


@lru_cache(maxsize=1)
def _kept_in() -> str:
    """A folder for what is compiled from these sources: beside them, or in the user's cache. numba looks at one file's
    changes only, and these take each other in."""
    here = Path(__file__).resolve().parent
    sources = sorted(here.glob("*.py"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "evofool"
    place = here / "__pycache__" if os.access(here, os.W_OK) else users
    return str(place / f"loops-{digest}")


def _forgive(cache: Any) -> None:
    """A full disk keeps the outcome from being kept, and nothing else."""
    if (keep := getattr(cache, "save_overload", None)) is None:
        return

    def kept(*arguments: Any) -> None:
        with suppress(OSError):
            keep(*arguments)

    cache.save_overload = kept
