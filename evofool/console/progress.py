"""Progress of jobs that Python users start: shown to whoever watches, and to nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..io.interrupts import last_signal
from .console import Console
from .live import View
from .terminal import somebody_watches

Observer = Callable[[Any], object]


@contextmanager
def watched(
    view: Callable[[], View], progress: bool | None, observer: Observer | None, stopped: str
) -> Iterator[Observer | None]:
    """Show on standard error how far a job is while it works, and say how it goes on if somebody stops it.

    Args:
        view: Makes what describes the job's steps, where they are shown.
        progress: Whether they are shown; None: where somebody watches, in a terminal or a notebook.
        observer: The user's own observer, which is called as well.
        stopped: What is said of a job that Ctrl-C or the interrupt button stopped, where its steps are shown; see
            :func:`going_on`.

    Yields:
        The job's observer, or None where it needs none.

    Raises:
        ConfigError: The observer can't be called.
    """
    if observer is not None and not callable(observer):
        raise ConfigError(f"`observer` must be a function that takes a step, got {type(observer).__name__}")
    if not (somebody_watches() if progress is None else progress):
        yield observer
        return
    console, steps = Console(to_stderr=True), 0
    with console.watch(view()) as shown:

        def both(step: Any) -> None:
            nonlocal steps
            steps += 1
            if shown is not None:
                shown(step)
            if observer is not None:
                observer(step)

        yield both
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
