"""Declarations of options that experiments which train networks have in common."""

from __future__ import annotations

from typing import Annotated

from ..errors import ConfigError, suggestion
from .options import option

PRECISIONS = ("float32", "bfloat16")
"""The number formats that networks can be trained in."""

TrainPrecision = Annotated[
    str,
    option(
        "Number format that networks are trained in: float32, or bfloat16, which takes about half the time on "
        "processors that have it.",
        identity=True,
    ),
]


def check_train_precision(name: str) -> None:
    """Check the name of a number format to train in.

    Raises:
        ConfigError: There is no such one.
    """
    if name not in PRECISIONS:
        hint = suggestion(name, PRECISIONS)
        raise ConfigError(f'`train_precision` must be {" or ".join(PRECISIONS)}{hint}, got "{name:.40}"')
