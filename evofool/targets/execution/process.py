"""What the command line wants of its whole process. A process that only imports evofool is left as it is.

Each setting makes jobs faster:

- The C library of Linux (glibc) returns large blocks to the system as soon as they are freed, and fetches them anew,
  page by page and filled with zeros, at the next forward pass. With a convolutional network and images of 224² that is
  up to a third of the time (docs/SPEED.md).
- Threads take turns in Python's interpreter more often, see :mod:`evofool.io.writer`.
- numba uses vectors of 512 bits whole, on processors that keep their clock with them, see
  :mod:`evofool.kernels.compiled`.
"""

from __future__ import annotations

import ctypes
import os

from ...io.writer import shorten_switch_interval
from ...kernels import settings

SWITCH = "EVOFOOL_TUNING"
"""Environment variable; ``off`` leaves processes and targets as they are."""

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # from malloc.h
_NEVER, _NONE = -1, 0


def tune_process() -> None:
    """Set up this process for evofool's jobs, unless ``EVOFOOL_TUNING`` is ``off``.

    Only a program that owns the process calls this, before it imports what compiles or runs networks. It takes no time.
    """
    if os.environ.get(SWITCH) == "off":
        return
    _keep_memory()
    shorten_switch_interval()
    settings.whole_vectors = True  # numba itself would take long to import


def _keep_memory() -> None:
    """Have the C library keep what is freed, where it knows how and the environment says nothing else."""
    if any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_MMAP_MAX, _NONE)
    mallopt(_TRIM_THRESHOLD, _NEVER)
