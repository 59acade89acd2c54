"""Threads that ask, kept from one batch to the next: starting one takes a millisecond."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")

SPARE = 2
"""Threads beyond the calls that may be under way: they prepare a call, or keep an answer, while others wait."""


class Workers:
    """Threads that do jobs at the same time.

    Args:
        calls: How many calls may be under way at the same time. A job holds :attr:`calling` during its own.
    """

    def __init__(self, calls: int) -> None:
        self.calls, self.calling = calls, threading.Semaphore(calls)
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    def results(self, jobs: Sequence[Callable[[], T]]) -> list[T]:
        """Do jobs and return what they return, in order.

        The first that fails keeps others from starting. Those that are under way end first, so that nothing which was
        paid for is lost.

        Raises:
            Exception: What the first of the failed jobs raised.
        """
        if self.calls == 1:
            return [job() for job in jobs]
        failed = threading.Event()

        def do(job: Callable[[], T]) -> T | None:
            if failed.is_set():
                return None
            try:
                return job()
            except BaseException:
                failed.set()
                raise

        pool = self._threads()
        futures = [pool.submit(do, job) for job in jobs]
        try:
            wait(futures)
        except BaseException:  # Ctrl-C comes to the thread that waits.
            failed.set()
            wait(futures)
            raise
        return [future.result() for future in futures]  # type: ignore[misc]  # None only beside a failed one

    def _threads(self) -> ThreadPoolExecutor:
        """Return the threads. A forked process has none of its parent's."""
        if self._pool is None or self._process != os.getpid():
            self._pool, self._process = ThreadPoolExecutor(self.calls + SPARE, "requests"), os.getpid()
        return self._pool
