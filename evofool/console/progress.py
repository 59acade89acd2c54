"""Progress of jobs that Python users start: shown to whoever watches, and to nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import ConfigError
from .console import Console
from .live import View
from .terminal import somebody_watches

Observer = Callable[[Any], object]


@contextmanager
def watched(view: Callable[[], View], progress: bool | None, observer: Observer | None) -> Iterator[Observer | None]:
    """Show on standard error how far a job is while it works.

    Args:
        view: Makes what describes the job's steps, where they are shown.
        progress: Whether they are shown; None: where somebody watches, in a terminal or a notebook.
        observer: The user's own observer, which is called as well.

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
    with Console(to_stderr=True).watch(view()) as shown:

        def both(step: Any) -> None:
            if shown is not None:
                shown(step)
            if observer is not None:
                observer(step)

        yield both
