"""Compiled loops over genomes or pixels, on as many threads as torch has."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

SPLIT = 200_000
"""values that a thread is worth its start for, a tenth of a millisecond"""


def in_parts(function: Callable[[int, int], None], until: NDArray[np.int64]) -> None:
    """Call ``function(first, last)`` for all of N things, in parts of about the same work, on a thread each.

    Args:
        function: releases Python's lock.
        until: (N + 1,) values that are computed for all before each, rising.
    """
    n, work = len(until) - 1, int(until[-1])
    parts = max(1, min(torch.get_num_threads(), n, work // SPLIT))
    if parts == 1:
        function(0, n)
        return
    bounds = np.searchsorted(until, np.linspace(0, work, parts + 1))
    bounds[0], bounds[-1] = 0, n
    for waiting in [_pool(parts).submit(function, first, last) for first, last in pairwise(bounds.tolist())]:
        waiting.result()


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "genomes")


if hasattr(os, "register_at_fork"):  # a child has the pool and not its threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
