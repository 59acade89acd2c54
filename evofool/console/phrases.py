"""Figures of jobs in words, for views and summaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..attacks.outcome import Outcome
    from ..attacks.statistics import Statistics

EDITS_SHOWN = 3
"""How many of a success's edited pixels are named."""


def describe_success(outcome: Outcome) -> str:
    """Return a successful attempt in words: ``cat → dog at (14, 9), 23 queries``."""
    pixels = ", ".join(f"({edit['x']}, {edit['y']})" for edit in outcome["edits"][:EDITS_SHOWN])
    more = " …" if len(outcome["edits"]) > EDITS_SHOWN else ""
    count = outcome["queries_to_success"]
    noun = "query" if count == 1 else "queries"
    return f"{outcome['class']} → {outcome['final']} at {pixels}{more}, {count:,} {noun}"


def describe_rate(statistics: Statistics, total: int) -> str:
    """Return a success rate in words: ``12 of 40: 30.0 % (95 % interval 18.1 – 45.4 %)``.

    While attempts are still to come, the rates between which the campaign can end are added.

    Args:
        statistics: Counts over the attempts that have ended.
        total: Pairs of image and criterion, those to come included.
    """
    text = "none of 0 yet"
    if statistics.settled:
        low, high = (100 * bound for bound in statistics.interval)
        text = f"{statistics.successes:,} of {statistics.settled:,}: {100 * statistics.rate:.1f} %"
        text += f" (95 % interval {low:.1f} – {high:.1f} %)"
    if statistics.done < total:
        lowest, highest = (100 * bound for bound in statistics.bounds(total))
        text += f"; {lowest:.1f} – {highest:.1f} % when all have ended"
    return text


def describe_images(summary: Mapping[str, Any]) -> str:
    """Return how many images a campaign has, and how many of those looked at the target classifies correctly.

    Args:
        summary: A campaign's summary.
    """
    text = f"{summary['images']:,}"
    if summary["images"] < summary["asked"]:
        text += f" (there are no more, {summary['asked']:,} were asked for)"
    if not summary["labelled"]:
        return f"{text}; nobody labelled them, the target's own predictions stand in"
    return f"{text}; {summary['correct']:,} of {summary['looked']:,} looked at are classified correctly"


def describe_queries(figures: Mapping[str, Any]) -> str:
    """Return the queries of a campaign in words.

    Args:
        figures: A campaign's summary, or the figures of its statistics.
    """
    text = f"{figures['queries']:,} in all"
    if figures["mean_queries"] is not None:
        text += f", {figures['mean_queries']:,.0f} an attempt (mean)"
    if figures["median_queries_to_success"] is not None:
        text += f", {figures['median_queries_to_success']:,.0f} to a success (median)"
    return text


def describe_fact(value: Any) -> str:
    """Return a plain JSON value as people read it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {describe_fact(part)}" for name, part in value.items())
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return " ".join(map(describe_fact, value))
    return "–" if value is None else str(value)
