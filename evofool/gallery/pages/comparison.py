"""Campaigns compared: attempts that several ran are paired, by image and criterion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...attacks.data_warnings import data_warnings
from ...attacks.outcome import Outcome
from ...attacks.paired import PairedCounts
from ...attacks.statistics import Statistics
from ...text import amount, between, class_name, counted, rate
from .examples import Example, example_limit, example_of
from .findings import Findings, Pair
from .headline import mean_queries, median_queries
from .sources import Figure
from .successes import ranked, success_of

MAX_CHANGED = 12
"""Largest number of attempts that are shown of those that only one campaign won."""


@dataclass(frozen=True)
class Changed:
    """Attempts that one campaign won and the other didn't.

    Attributes:
        winner: Name of the campaign that won them.
        loser: Name of the other one.
        count: How many there are.
        examples: Some of them; their notes tell how the other campaign ended.
    """

    winner: str
    loser: str
    count: int
    examples: list[Example]


@dataclass(frozen=True)
class Comparison:
    """Two campaigns on the attempts that both ran.

    Attributes:
        first, second: The campaigns.
        counts: How the attempts ended.
        images: Number of images among the attempts.
    """

    first: Findings
    second: Findings
    counts: PairedCounts
    images: int

    @property
    def title(self) -> str:
        """What it compares."""
        return f"{self.second.name} against {self.first.name}"

    @property
    def lead(self) -> str:
        """The finding in sentences; where no attempt is common, why nothing can be said."""
        counts = self.counts
        if not counts.n:
            shared = len({pair[0] for pair in self.first.ended} & {pair[0] for pair in self.second.ended})
            why = f"they share {counted(shared, 'image')}, with other criteria" if shared else "they share no image"
            return f"No attempt was run by both: {why}. Their rates are of different attempts, and can't be paired."
        first, second = counts.rates
        lead = (
            f"On the {counted(counts.n, 'attempt')} that both ran, {self.first.name} won {rate(first)} and "
            f"{self.second.name} {rate(second)}."
        )
        discordant = counts.first + counts.second
        if not discordant:
            return f"{lead} They won the same ones."
        lead += (
            f" {counted(discordant, 'attempt')} had another end: {counts.first:,} won only by {self.first.name}, "
            f"{counts.second:,} only by {self.second.name}. Between campaigns that are equally good, chance makes that "
            f"at least as uneven in {_chance(counts.p_value)} of cases."
        )
        if counts.n > self.images:
            lead += (
                f" These attempts are of {counted(self.images, 'image')}; those on one image are alike, so that the "
                "interval is too narrow and p too small."
            )
        return lead

    @property
    def figures(self) -> list[Figure]:
        """The most important figures."""
        counts = self.counts
        if not counts.n:
            return []
        low, high = (_points(bound) for bound in counts.interval)
        return [
            Figure("Difference", f"{_points(counts.difference)} points", f"95 % interval {low} to {high}"),
            Figure(
                "Exact McNemar test",
                f"p {_probability(counts.p_value)}",
                f"{counts.first:,} against {counts.second:,}",
            ),
            Figure("Won by both", f"{counts.both:,}", f"of {counts.n:,}"),
            Figure("Won by neither", f"{counts.neither:,}", f"of {counts.n:,}"),
        ]

    def changed(self) -> list[Changed]:
        """Return the attempts that only one campaign won."""
        if not self.counts.n:
            return []
        return [
            changed
            for winner, loser in ((self.first, self.second), (self.second, self.first))
            if (changed := _changed(winner, loser)).count
        ]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; what can't be computed is None."""
        names = {"first": str(self.first.folder.path), "second": str(self.second.folder.path)}
        if not self.counts.n:
            return {**names, "attempts": 0}
        images = {
            f"images_only_{place}": sorted({winner.ended[pair]["id"] for pair in _won_only(winner, loser)})
            for place, winner, loser in (("first", self.first, self.second), ("second", self.second, self.first))
        }
        return {**names, **self.counts.figures(), "images": self.images, **images}


def compare(first: Findings, second: Findings) -> Comparison:
    """Pair the attempts of two campaigns by image and criterion.

    Attempts count that have ended in both, on images that both targets classify correctly.
    """
    common = first.ended.keys() & second.ended.keys()
    ends = Counter((first.ended[pair]["success"], second.ended[pair]["success"]) for pair in common)
    counts = PairedCounts(ends[True, True], ends[True, False], ends[False, True], ends[False, False])
    return Comparison(first, second, counts, len({pair[0] for pair in common}))


def comparison_lead(campaigns: Sequence[Findings]) -> str:
    """Return what looks wrong with the labels of one, and what the campaigns have in common, in sentences."""
    warnings = [
        f"Warning, {findings.name}: {warning}." for findings in campaigns for warning in data_warnings(findings.config)
    ]
    parts = []
    for noun, values in (
        ("target", [findings.config.target.label for findings in campaigns]),
        ("data", [findings.config.data.name for findings in campaigns]),
        ("criterion", [findings.config.plan.criterion for findings in campaigns]),
        ("strategy", [findings.config.plan.strategy for findings in campaigns]),
        ("pixels", [", ".join(map(str, findings.config.plan.pixels)) for findings in campaigns]),
    ):
        if len(set(values)) == 1:
            parts.append(f"{noun} {values[0]}")
    return " ".join([*warnings, *([f"The same in all: {', '.join(parts)}."] if parts else [])])


def comparison_table(campaigns: Sequence[Findings]) -> list[tuple[str, list[str]]]:
    """Return what campaigns found: the name of each figure, and its value for each campaign."""
    columns = [_results(findings.statistics) for findings in campaigns]
    return [(name, [column[name] for column in columns]) for name in columns[0]]


def _results(statistics: Statistics) -> dict[str, str]:
    low, high = statistics.interval
    return {
        "attempts": f"{statistics.settled:,}",
        "won": f"{statistics.successes:,}",
        "success rate": rate(statistics.rate),
        "95 % interval": between(low, high),
        "median queries of a success": amount(median_queries(statistics)),
        "mean queries of an attempt": amount(mean_queries(statistics)),
    }


def _won_only(winner: Findings, loser: Findings) -> list[Pair]:
    """Return the attempts that both ran and only one won."""
    return [
        pair
        for pair, outcome in winner.ended.items()
        if outcome["success"] and pair in loser.ended and not loser.ended[pair]["success"]
    ]


def _changed(winner: Findings, loser: Findings) -> Changed:
    won = {id(winner.ended[pair]): pair for pair in _won_only(winner, loser)}
    outcomes = ranked([winner.ended[pair] for pair in won.values()])
    limit = example_limit(winner, MAX_CHANGED) if outcomes else 0
    examples = [
        example_of(success_of(winner, outcome), _defeat(loser.ended[won[id(outcome)]], loser.name))
        for outcome in outcomes[:limit]
    ]
    return Changed(winner.name, loser.name, len(outcomes), examples)


def _defeat(outcome: Outcome, name: str) -> str:
    """Return in words how an attempt failed."""
    return f"{name}: still {class_name(outcome['final'])} after {counted(outcome['queries'], 'query')}"


def _points(value: float) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return f"{100 * value:+.1f}".replace("-", "−")


def _probability(value: float) -> str:
    """Return what a p value equals, with three decimals, or what it is below."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _chance(value: float) -> str:
    """Return a p value in per cent."""
    return "less than 0.1 %" if value < 0.001 else rate(value)
