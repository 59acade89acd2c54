"""Compiled loops over genomes or pixels, spread over as many threads as torch uses when nobody limits it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

SPLIT = 200_000
"""Fewest values that a thread computes; for fewer, starting it (a tenth of a millisecond) takes longer."""


_threads: int | None = None
"""Threads of loops while torch uses one; None otherwise."""


def threads() -> int:
    """Return how many threads a loop may use."""
    return torch.get_num_threads() if _threads is None else _threads


@contextmanager
def torch_on_one_thread() -> Iterator[None]:
    """Have torch compute on the thread that calls it, for the while of the context; loops keep their threads.

    For work beside which something else than torch uses the processor: torch's operations are small then, and its
    threads, which have to be woken and waited for, take longer than they save.
    """
    global _threads
    before, _threads = _threads, threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        if before is None:
            torch.set_num_threads(_threads)
        _threads = before


def in_parts(function: Callable[[int, int], None], until: NDArray[np.int64]) -> None:
    """Call ``function(first, last)`` for ranges that cover N items, each on a thread and with about the same work.

    Args:
        function: Releases Python's lock.
        until: (N + 1,) how many values are computed for all items before each, rising from 0.
    """
    n, work = len(until) - 1, int(until[-1])
    parts = max(1, min(threads(), n, work // SPLIT))
    if parts == 1:
        function(0, n)
        return
    bounds = np.searchsorted(until, np.linspace(0, work, parts + 1))
    bounds[0], bounds[-1] = 0, n
    for future in [_pool(parts).submit(function, first, last) for first, last in pairwise(bounds.tolist())]:
        future.result()


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "genomes")


def _forget_threads() -> None:
    """Do without threads in a forked child, which inherits pools without their threads: torch would wait for them.

    Only a parent that has not computed anything yet has children in which ``torch.set_num_threads`` may allow more.
    """
    _pool.cache_clear()
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
