"""Progress of jobs that Python users start: shown to whoever watches, and to nobody else."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..io.interrupts import last_signal
from ..observers.registry import observers_of, together
from .console import Console
from .live import View
from .terminal import somebody_watches

Observer = Callable[[Any], object]


class ObserverWarning(UserWarning):
    """An observer failed, and the job goes on without it."""


@contextmanager
def watched(view: Callable[[], View], progress: bool | None, observer: Any, stopped: str) -> Iterator[Observer | None]:
    """Show on standard error how far a job is while it works, and say how it goes on if somebody stops it.

    Args:
        view: Makes what describes the job's steps, where they are shown.
        progress: Whether they are shown; None: where somebody watches, in a terminal or a notebook.
        observer: The user's own observers; see :func:`~evofool.observers.registry.observers_of`.
        stopped: What is said of a job that Ctrl-C or the interrupt button stopped, where its steps are shown; see
            :func:`going_on`.

    Yields:
        The job's observer, or None where it needs none.

    Raises:
        ConfigError: An observer is none.
    """
    if not (somebody_watches() if progress is None else progress):
        yield together(observers_of(observer, _warn))
        return
    console, steps = Console(to_stderr=True), 0

    def count(step: object) -> None:
        nonlocal steps
        steps += 1

    with console.watch(view(), observer) as noting:
        yield together([count, *([noting] if noting else [])])
    if steps and last_signal() is not None:
        console.say(stopped)


def going_on(folder: Path | None) -> str:
    """Return what is said of a job that was stopped: whether it is saved, and how it goes on.

    Args:
        folder: The job's folder, or None.
    """
    if folder is None:
        return "stopped; what is done is in the result, and it can't go on, since it has no folder (`out`)"
    return f'stopped; what is done is saved, and evofool.resume("{folder.as_posix()}") goes on'


def _warn(message: str) -> None:
    """Warn of an observer that failed. Where warnings are errors, it is printed: it must not end the job."""
    try:
        warnings.warn(message, ObserverWarning, stacklevel=2)
    except ObserverWarning:
        Console(to_stderr=True).warn(message)
