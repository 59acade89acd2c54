"""Observers by name: trackers of experiments, each imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from ..config.arguments import expanded
from ..config.observers import TRACKERS, check_observers
from ..errors import ConfigError
from .events import JobObserver
from .following import Observers, Together, Warn
from .tracking import Tracking

One = Callable[[Any], object] | JobObserver | str
"""A function that takes a step, an object with three methods, or a tracker's name."""

Observing = One | Sequence[One]
"""What a user may give as observer."""


def observers_of(given: Any, warn: Warn) -> list[Callable[[Any], object]]:
    """Return what a user gave as observers, as a session takes them.

    Args:
        given: None, or an :data:`Observing`.
        warn: Tells people of observers that fail.

    Raises:
        ConfigError: One of them is none.
    """
    listed = [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
    functions, named = list[Callable[[Any], object]](), list[tuple[str, JobObserver]]()
    for each in listed:
        if isinstance(each, str):
            named += _tracking(each, warn)
        elif isinstance(each, JobObserver) and not isinstance(each, type):
            named.append((type(each).__name__, each))
        elif callable(each) and not isinstance(each, type):
            functions.append(each)
        else:
            raise ConfigError(
                "`observer` must be a function that takes a step, an object with the methods start, progress and end, "
                f"or one of {', '.join(TRACKERS)}; got {each!r:.60}"
            )
    return [*functions, *([Observers(named, warn)] if named else [])]


def together(observers: Sequence[Callable[[Any], object]]) -> Callable[[Any], object] | None:
    """Return several observers as one; None where there are none."""
    if len(observers) < 2:
        return observers[0] if observers else None
    return Together(observers)


def _tracking(given: str, warn: Warn) -> list[tuple[str, JobObserver]]:
    """Return a tracker as an observer; nothing where its package is missing, which people are told."""
    check_observers([given])
    name, _, where = given.partition(":")
    home = TRACKERS[name]
    try:
        tracker = getattr(import_module(f".{home.module}", __package__), home.name)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in (home.needs, ""):
            warn(f"observer {name} can't be loaded ({error}); the job goes on without it")
        else:
            warn(f"observer {name} needs a package that is missing: pip install 'evofool[{name}]'; the job goes on")
        return []
    return [(name, Tracking(tracker(expanded(where, "observe") if home.path and where else where)))]
