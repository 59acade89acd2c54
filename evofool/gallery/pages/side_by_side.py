"""Several sources on one page: their table, and which of them are the same run with other seeds."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence

from ...text import counted, percent
from .settings import NOTHING, OPERATOR, OWN_OPERATOR, settings_rows
from .sources import Source

SURE = 0.99
"""Confidence from which a class counts as certain."""

UNKNOWN = NOTHING
"""What stands for a value that isn't known, and for a selector that the user swapped."""

Rows = list[tuple[str, list[str]]]
"""Names, each with its value for every source."""


def seed_groups(sources: Sequence[Source]) -> list[int]:
    """Return a number for each source: the same for runs that differ in nothing but their seeds."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(_without_seed(source, at), len(numbers)) for at, source in enumerate(sources)]


def has_seeds(groups: Sequence[int]) -> bool:
    """Return whether there are runs that differ in nothing but their seeds."""
    return len(set(groups)) < len(groups)


def colour_keys(groups: Sequence[int]) -> list[int]:
    """Return a number for the colour of each source: that of its group where there are several groups with seeds."""
    return list(groups) if has_seeds(groups) and len(set(groups)) > 1 else list(range(len(groups)))


def seeds_title(sources: Sequence[Source], groups: Sequence[int]) -> str | None:
    """Return the title of a page of one run with several seeds, or None."""
    if len(sources) < 2 or len(set(groups)) > 1:
        return None
    return f"What {sources[0].target.removeprefix('torchvision:')} is sure about, with {counted(len(sources), 'seed')}"


def table_rows(sources: Sequence[Source]) -> Rows:
    """Return the table of several sources: the name of each row, and its value for each source.

    Figures come first, then the settings in which the sources differ; rows that nothing is known of are left out.
    """
    figures, settings = _rows([_figures(source) for source in sources]), _settings_rows(sources)
    rows = [*figures, *(row for row in settings if len(set(row[1])) > 1)]
    configs = [source.config for source in sources if source.config]
    if len(configs) == len(sources):
        told = {name for name, _ in [*figures, *settings]}
        rows += settings_rows(configs, told)
    return [row for row in rows if set(row[1]) != {UNKNOWN}]


def shared_settings(sources: Sequence[Source]) -> str:
    """Return the settings that are the same in all sources, in words."""
    rows = _settings_rows(sources)
    same = [(name, values[0]) for name, values in rows if len(set(values)) == 1 and values[0] != UNKNOWN]
    return "; ".join(f"{name} {value}" for name, value in same)


def _settings_rows(sources: Sequence[Source]) -> Rows:
    """Return how sources were made; an operator that one of them swapped has a row."""
    swapped = dict.fromkeys(alias for source in sources for alias in source.swapped)
    return _rows([_settings(source, swapped) for source in sources])


def _rows(columns: Sequence[dict[str, str]]) -> Rows:
    return [(name, [column[name] for column in columns]) for name in columns[0]]


def _figures(source: Source) -> dict[str, str]:
    """Return what a source has come to."""
    scores = [tile.score for tile in source.tiles if tile.score is not None]
    filled, niches = source.filled or (0, 0)
    return {
        "median": percent(statistics.median(scores)) if scores else UNKNOWN,
        "≥ 99 %": f"{sum(score >= SURE for score in scores):,} of {len(scores):,}" if scores else UNKNOWN,
        "lowest": percent(min(scores)) if scores else UNKNOWN,
        "filled niches": f"{filled:,} of {niches:,}" if niches else UNKNOWN,
        "evaluations": f"{source.progress.evaluations:,}" if source.progress else UNKNOWN,
    }


def _settings(source: Source, swapped: Iterable[str]) -> dict[str, str]:
    """Return how a source was made, as far as it is known, with the operators of the aliases ``swapped``."""
    options = source.config.options if source.config else None
    return {
        "target": source.network or source.target,
        "encoding": source.encoding,
        "preset": source.preset or UNKNOWN,
        "batch": f"{options.batch:,}" if options and options.batch else UNKNOWN,
        "selector": UNKNOWN if "select" in source.swapped else (options.selector if options else None) or UNKNOWN,
        "emitters": ", ".join(options.emitters) if options and options.emitters else UNKNOWN,
        "precision": source.config.target.precision if source.config else UNKNOWN,
        "seed": UNKNOWN if source.seed is None else str(source.seed),
        **{f"{OPERATOR}{alias}": source.swapped.get(alias, OWN_OPERATOR) for alias in swapped},
    }


def _without_seed(source: Source, at: int) -> str:
    """Return a text that is the same for runs that differ in their seeds only; else one of its own."""
    if source.config is None:
        return f"source {at}"
    return json.dumps({**source.config.identity(), "seed": None}, sort_keys=True)
