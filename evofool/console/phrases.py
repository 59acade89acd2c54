"""Figures of jobs in words, for views and summaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..config.class_names import listed
from ..store.hardware import Hardware
from ..text import amount, between, counted, per_second, percent, rate

if TYPE_CHECKING:
    from ..attacks.outcome import Outcome
    from ..attacks.statistics import Statistics
    from ..engines.base import ClusterFacts, Engine
    from ..targets.protocols import Target

FILES_SHOWN = 5
"""How many files that were left out are named."""

WORKERS_SHOWN = 8
"""How many workers' speeds are shown."""

EDITS_SHOWN = 3
"""How many of a success's edited pixels are named."""


def describe_asked(target: Target) -> list[tuple[str, str]]:
    """Return a row on what a target was asked, where it counts that: queries paid, cached and left."""
    from ..targets.queries.metered import metered

    if not (parts := metered(target)):
        return []
    left, cached = parts[0].left, sum(part.cached for part in parts)
    more = "" if left is None else f"   {left:,} left"
    return [("asked", f"{parts[0].spent:,} paid   {cached:,} cached{more}")]


def describe_workers(engine: Engine) -> list[tuple[str, str]]:
    """Return rows on a cluster's workers, where a job has some: how many, how fast each is, and how many died."""
    facts_of = getattr(engine, "facts", None)
    if facts_of is None:
        return []
    facts: ClusterFacts = facts_of()
    speeds = [f"{per_second(worker.speed)}" for worker in facts.workers[:WORKERS_SHOWN]]
    shown = " ".join(speeds) + (" …" if len(facts.workers) > WORKERS_SHOWN else "")
    text = f"{len(facts.workers):,}   {shown} images/s"
    text += f"   {facts.coming:,} to come" if facts.coming else ""
    rows = [("workers", text + (f"   {facts.lost:,} died" if facts.lost else ""))]
    hardware = Hardware(facts.recorded_by, facts.searched_by)
    idle = sorted({worker.hardware for worker in facts.workers}.difference(facts.searched_by, facts.recorded_by[-1:]))
    if facts.recorded_by and (hardware.mixed or idle):
        rows.append(("hardware", hardware.words + (f"; not used: {', '.join(idle)}" if idle else "")))
    return rows


def describe_success(outcome: Outcome) -> str:
    """Return a successful attempt in words: ``cat → dog at (14, 9), 23 queries``."""
    pixels = ", ".join(f"({edit['x']}, {edit['y']})" for edit in outcome["edits"][:EDITS_SHOWN])
    more = " …" if len(outcome["edits"]) > EDITS_SHOWN else ""
    queries = counted(outcome["queries_to_success"], "query")
    return f"{outcome['class']} → {outcome['final']} at {pixels}{more}, {queries}"


def describe_rate(statistics: Statistics, total: int) -> str:
    """Return a success rate in words: ``12 of 40: 30.0 % (95 % interval 18.1 – 45.4 %)``.

    While attempts are still to come, the rates between which the campaign can end are added.

    Args:
        statistics: Counts over the attempts that have ended.
        total: Pairs of image and criterion, those to come included.
    """
    text = "none of 0 yet"
    if statistics.settled:
        text = f"{statistics.successes:,} of {statistics.settled:,}: {rate(statistics.rate)}"
        text += f" (95 % interval {between(*statistics.interval)})"
    if statistics.done < total:
        text += f"; {between(*statistics.bounds(total))} when all have ended"
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


def describe_skipped(skipped: Mapping[str, str]) -> str:
    """Return how many files were left out, with the names of some and why."""
    names = [f"{name} ({reason})" for name, reason in skipped.items()]
    return f"{counted(len(skipped), 'file')}: {listed(names, FILES_SHOWN, 160)}"


def describe_damage(faults: Sequence[str]) -> str:
    """Return how many parts of a job's folder are damaged; the faults themselves are told as errors."""
    return counted(len(faults), "part")


def describe_missing(letters: str) -> str:
    """Return what is said where no font has some letters of a print."""
    shown = " ".join(letters[:20]) + (" …" if len(letters) > 20 else "")
    return f"no font here has {shown}; install one that does, such as Noto Sans for that script, and print again"


def describe_queries(figures: Mapping[str, Any]) -> str:
    """Return the queries of a campaign in words.

    Args:
        figures: A campaign's summary, or the figures of its statistics.
    """
    text = f"{figures['queries']:,} in ended attempts"
    if figures["mean_queries"] is not None:
        text += f", {amount(figures['mean_queries'])} an attempt (mean)"
    if figures["median_queries_to_success"] is not None:
        text += f", {amount(figures['median_queries_to_success'])} to a success (median)"
    return text


def describe_fact(name: str, value: Any) -> str:
    """Return a plain JSON value as people read it: rounded, with its unit.

    Args:
        name: The name of the fact, which tells what a number is.
        value: The value.
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{part} {describe_fact(part, inner)}" for part, inner in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float | list):
        return "–" if value is None else str(value)
    if name in _UNITS:
        return _UNITS[name](value)
    if isinstance(value, list):
        return " ".join(describe_fact("", item) for item in value) or "–"
    return rounded(value)


def rounded(value: float) -> str:
    """Return a number with at most four decimals, commas between thousands, and no exponent."""
    if isinstance(value, int):
        return f"{value:,}"
    if 0 < value < 0.00005:
        return "< 0.0001"
    return f"{value:,.4f}".rstrip("0").rstrip(".")


_UNITS: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(("median", "mean", "min", "max", "until"), percent),
    "rate": rate,
    "interval95": lambda bounds: between(*bounds),
    "seconds": lambda seconds: f"{seconds:,.1f} s",
    "minutes": lambda minutes: f"{minutes:g} min",
    "seed": str,
    **dict.fromkeys(("mean_queries", "median_queries_to_success", "p90_queries_to_success", "qd_score"), amount),
}
"""How facts whose numbers have a unit are written, by their names."""
