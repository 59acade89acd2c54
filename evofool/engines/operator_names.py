"""What records call an operator that a user swapped."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

MAX_NAME = 300
"""Largest length of an operator's name."""


def name_of(operator: Callable[..., Any]) -> str:
    """Return the name of an operator: ``module:qualname``, and the arguments that are bound to it.

    The name is the same in every session. Of the bound arguments those are named that are plain values, lists of such
    or functions: ``deap.tools.mutation:mutGaussian(mu=0, sigma=0.1, indpb=0.05)``. An object that can be called has the
    name of its class.
    """
    if not isinstance(operator, partial):
        return _plain_name(operator)[:MAX_NAME]
    words = [text for argument in operator.args if (text := _text(argument)) is not None]
    words += [f"{name}={text}" for name, value in operator.keywords.items() if (text := _text(value)) is not None]
    return (name_of(operator.func) + (f"({', '.join(words)})" if words else ""))[:MAX_NAME]


def _plain_name(operator: Any) -> str:
    named = operator if hasattr(operator, "__qualname__") else type(operator)
    module = getattr(named, "__module__", None) or "builtins"
    return f"{_main() if module == '__main__' else module}:{named.__qualname__}"


def _main() -> str:
    """Return the name that the running script has as a module, so that it is the same where the script is imported."""
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:
        return str(spec.name)
    return Path(file).stem if file else "__main__"


def _text(value: Any) -> str | None:
    """Return a bound argument as text; None where it has none that stays the same."""
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, list | tuple):
        items = [_text(item) for item in value]
        return None if None in items else f"[{', '.join(map(str, items))}]"
    return name_of(value) if callable(value) else None
