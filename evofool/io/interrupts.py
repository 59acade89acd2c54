"""Ctrl-C and SIGTERM as a question that a loop asks itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)
"""The signals that ask a process to end."""

BROKEN_PIPE = int(getattr(signal, "SIGPIPE", 13))
"""The signal of a process whose output nobody reads any more. Python turns it into an exception."""

_first_signals: list[int] = []
"""The signal that the last :func:`interruptible` loop was asked to end by, if there was one."""

_loops: list[None] = []
"""An item for each :func:`interruptible` loop that is under way: they may stand inside each other."""


class Stopped(BaseException):
    """A program was asked to end.

    Attributes:
        signal: The number of the signal.
        kept: What is kept of the work and how to go on, in words; empty where nothing was saved.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.signal, self.kept = number, ""


@contextmanager
def stoppable() -> Iterator[None]:
    """Have Ctrl-C and SIGTERM raise :class:`Stopped` inside the block, unless they are ignored.

    This changes the whole process, so only a program that owns it does this.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise Stopped(number)

    heeded = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    handlers = {number: signal.signal(number, stop) for number in heeded}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def kept(words: Callable[[], str]) -> Iterator[None]:
    """Have a :class:`Stopped` that ends the block tell what is kept, unless a block inside has told it.

    Args:
        words: Returns :attr:`Stopped.kept`; called when the block is stopped.
    """
    try:
        yield
    except Stopped as stopped:
        stopped.kept = stopped.kept or words()
        raise


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether Ctrl-C or SIGTERM came, so that a loop can end and save its work.

    A second signal raises at once: what it raises outside the block, or KeyboardInterrupt. Of blocks inside each other,
    one signal ends all.
    """
    if not _loops:
        _first_signals.clear()
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return

    def record(number: int, frame: FrameType | None) -> None:
        if not _first_signals:
            _first_signals.append(number)
        elif callable(handler := handlers[number]):
            handler(number, frame)
        else:
            raise KeyboardInterrupt

    handlers = {number: signal.signal(number, record) for number in SIGNALS}
    _loops.append(None)
    try:
        yield lambda: bool(_first_signals)
    finally:
        _loops.pop()
        for number, handler in handlers.items():
            signal.signal(number, handler)


def last_signal() -> int | None:
    """Return the signal that asked the last :func:`interruptible` loop to end, or None."""
    return _first_signals[0] if _first_signals else None


def stop(number: int) -> bool:
    """Ask the :func:`interruptible` loop that is under way to end, as a signal would, and return whether there is one.

    Args:
        number: The signal that is the reason.
    """
    if _loops and not _first_signals:
        _first_signals.append(number)
    return bool(_loops)


@contextmanager
def defer_interrupts() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the block ends, where Python would raise something.

    Some compiled libraries turn that into an error of their own.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    raising = [number for number in SIGNALS if callable(signal.getsignal(number))]
    handlers = {number: signal.signal(number, lambda *signal: came.append(signal)) for number in raising}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came and callable(handler := handlers[came[0][0]]):
            handler(*came[0])
