"""Memory that a forward pass gives back stays with the process.

The C library of Linux (glibc) returns large blocks to the system as soon as they are free, and gets them anew, page by
page and filled with zeros, at the next pass: with a convolutional network and images of 224² that is up to a third of
the time (docs/SPEED.md).
"""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache

SWITCH = "EVOFOOL_TUNING"
"""environment variable; ``off`` leaves a process as torch runs by default"""

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # from malloc.h
_NEVER, _NONE = -1, 0


@lru_cache(maxsize=1)
def keep_memory() -> bool:
    """Have the C library keep what is freed, from now on, in this process; whether it does.

    It knows how on glibc alone. ``EVOFOOL_TUNING=off``, or any setting of that library's own in the environment, leaves
    things as they are.
    """
    if os.environ.get(SWITCH) == "off" or any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(mallopt(_MMAP_MAX, _NONE)) and bool(mallopt(_TRIM_THRESHOLD, _NEVER))
