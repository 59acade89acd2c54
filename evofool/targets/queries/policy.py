"""How a target is asked: how much at once, how fast, and what happens when an answer doesn't come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from ...errors import ConfigError, EvofoolError

T = TypeVar("T")

LONGEST_WAIT = 60.0
"""Longest wait between two repetitions of a request, in seconds."""


class TryAgain(Exception):
    """What a door raises when the same question may get an answer later.

    Args:
        message: What happened.
        after: Seconds to wait at least, where the other side says so.
        paid: Whether the question may have been paid all the same.
    """

    def __init__(self, message: str, *, after: float | None = None, paid: bool = False) -> None:
        super().__init__(message)
        self.after, self.paid = after, paid


@dataclass(frozen=True)
class Policy:
    """How a target is asked.

    Attributes:
        rows: Images of one request, at most.
        concurrency: Requests that are under way at the same time, at most.
        rate: Images per second, at most; None for no limit.
        timeout: Seconds that a request may take; None for no limit.
        retries: How often a request that failed is repeated.
        backoff: Seconds before the first repetition; each further one waits twice as long.

    Raises:
        ConfigError: One of them can't be.
    """

    rows: int = 64
    concurrency: int = 1
    rate: float | None = None
    timeout: float | None = None
    retries: int = 4
    backoff: float = 0.5

    def __post_init__(self) -> None:
        for name, least in (("rows", 1), ("concurrency", 1), ("retries", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"`{name}` must be at least {least}, got {getattr(self, name)}")
        for name in ("rate", "timeout"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ConfigError(f"`{name}` must be above 0, got {value}")


class Pace:
    """Lets images through at a rate, evenly.

    Args:
        rate: Images per second; None lets all through at once.
    """

    def __init__(self, rate: float | None) -> None:
        self._seconds = 1 / rate if rate else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, images: int) -> None:
        """Wait until so many images may be asked for."""
        if not self._seconds:
            return
        with self._lock:
            now = time.monotonic()
            start = max(self._next, now)
            self._next = start + images * self._seconds
        time.sleep(start - now)


def repeated(ask: Callable[[], T], policy: Policy) -> T:
    """Ask until there is an answer.

    Errors of evofool's own say what is wrong for good, and are not repeated.

    Raises:
        Exception: What the last repetition raised.
    """
    from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

    growing = wait_exponential(policy.backoff, LONGEST_WAIT) + wait_random(0, policy.backoff / 4)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked_for = error.after if isinstance(error, TryAgain) else None
        return min(LONGEST_WAIT, max(growing(state), asked_for or 0.0))

    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, Exception) and not isinstance(error, EvofoolError)),
        stop=stop_after_attempt(policy.retries + 1),
        wait=wait,
        reraise=True,
    )
    return retrying(ask)


def within(seconds: float | None, ask: Callable[[], T]) -> T:
    """Return what a call returns, unless it takes too long.

    A call that takes too long goes on in its thread, and what it returns is lost.

    Raises:
        TryAgain: It took too long.
    """
    if seconds is None:
        return ask()
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(ask).result(seconds)
    except FutureTimeout as error:
        raise TryAgain(f"no answer within {seconds:g} s", paid=True) from error
    finally:
        pool.shutdown(wait=False)


def even_parts(items: list[T], most: int, concurrency: int) -> list[list[T]]:
    """Return items in parts for requests that are under way at the same time.

    All parts are about as large, and as many as keep all requests busy to the end.

    Args:
        items: The items.
        most: Items of one part, at most.
        concurrency: Requests at the same time.
    """
    rounds = -(-len(items) // (most * concurrency))
    count = min(len(items), rounds * concurrency)
    edges = [len(items) * part // count for part in range(count + 1)] if items else []
    return [items[first:last] for first, last in pairwise(edges)]
