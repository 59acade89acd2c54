"""The seeds of several runs, as users give them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import ConfigError
from .arguments import plain
from .options import LARGEST

MAX_SEEDS = 1_000
"""Largest number of runs of one command."""


def parse_seeds(seeds: str | int | Iterable[int]) -> tuple[int, ...]:
    """Return seeds in the order they are given.

    Args:
        seeds: Numbers and ranges as ``"0-4"`` or ``"0,3,7-9"``, or whole numbers.

    Raises:
        ConfigError: They are no whole numbers from 0, one is there twice, or there are none or too many.

    >>> parse_seeds("0-2,7")
    (0, 1, 2, 7)
    """
    if isinstance(seeds, str):
        ranges = [_range(word.strip()) for word in seeds.split(",")]
        if sum(map(len, ranges)) > MAX_SEEDS:
            raise ConfigError(f"`seeds` must be at most {MAX_SEEDS:,}, got {sum(map(len, ranges)):,}")
        numbers = [seed for each in ranges for seed in each]
    else:
        given = plain(seeds)
        numbers = given if isinstance(given, list) else [given]
    if not numbers or len(numbers) > MAX_SEEDS:
        raise ConfigError(f"`seeds` must be 1 to {MAX_SEEDS:,} whole numbers, got {len(numbers):,}")
    if wrong := [seed for seed in numbers if type(seed) is not int or not 0 <= seed < LARGEST]:
        raise ConfigError(f"`seeds` must be whole numbers from 0, got {wrong[0]!r:.60}")
    if twice := [seed for at, seed in enumerate(numbers) if seed in numbers[:at]]:
        raise ConfigError(f"`seeds` has {twice[0]} twice; each seed makes one run")
    return tuple(numbers)


def _range(word: str) -> range:
    """Return the seeds that a number or a range means."""
    match = re.fullmatch(r"([0-9]{1,18})(?:-([0-9]{1,18}))?", word)
    if not match or int(match[1]) > int(match[2] or match[1]):
        raise ConfigError(f'`seeds` must be numbers and ranges, as in 0-4 or 0,3,7-9, got "{word[:40]}"')
    return range(int(match[1]), int(match[2] or match[1]) + 1)
