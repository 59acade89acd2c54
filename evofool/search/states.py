"""States as flat dictionaries of arrays: parts of them have names with a prefix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

State = dict[str, np.ndarray]


def prefixed(prefix: str, state: Mapping[str, np.ndarray]) -> State:
    """Return the arrays under the names ``prefix.name``."""
    return {f"{prefix}.{name}": array for name, array in state.items()}


def under(prefix: str, state: Mapping[str, np.ndarray]) -> State:
    """Return the arrays that :func:`prefixed` put under this prefix, by their names without it."""
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in state.items() if name.startswith(start)}


def numbered(states: Sequence[Mapping[str, np.ndarray]]) -> State:
    """Return several states as one, under the prefixes ``0``, ``1`` and so on."""
    return {name: array for number, state in enumerate(states) for name, array in prefixed(str(number), state).items()}


def parts(state: Mapping[str, np.ndarray]) -> list[State]:
    """Return the states that :func:`numbered` made one."""
    count = len({name.partition(".")[0] for name in state})
    return [under(str(number), state) for number in range(count)]


def whole_numbers(name: str, array: np.ndarray, count: int) -> np.ndarray:
    """Return an array if it has so many int64 numbers of 0 or more.

    Raises:
        ValueError: It has not.
    """
    if array.shape != (count,) or array.dtype != np.int64 or (array < 0).any():
        raise ValueError(f"{name} should be {count} whole numbers of 0 or more")
    return array
