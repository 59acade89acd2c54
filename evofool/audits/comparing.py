"""Audits compared: before and after, figure by figure, with what the budget of both can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, hypot, inf, sqrt
from typing import Any, Literal

from ..attacks.statistics import Z95
from .figure_table import FIGURES
from .record import AuditRecord

LEVEL = 0.05
"""Chance that one difference or more is called sure where there is none, over all figures of a comparison."""

Verdict = Literal["worse", "better", "perhaps worse", "perhaps better", "none", "unknown"]

IN_WORDS: dict[Verdict, str] = {
    "worse": "worse",
    "better": "better",
    "perhaps worse": "perhaps worse: among so many figures, chance does that",
    "perhaps better": "perhaps better: among so many figures, chance does that",
    "none": "no difference that this budget can show",
    "unknown": "not measured in both",
}


@dataclass(frozen=True)
class Difference:
    """How a figure of one audit differs from that of another.

    Attributes:
        name: The figure.
        before, after: Its values; None where it was not measured.
        difference: ``after − before``; ``low`` and ``high`` are the ends of its 95 % interval.
        p: Probability of a difference as large by chance, by the normal distribution.
        verdict: What it comes to.
    """

    name: str
    before: float | None
    after: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        """Return the difference as plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "name"}


def differences(before: AuditRecord, after: AuditRecord) -> list[Difference]:
    """Return how the shares of an audit differ from those of an earlier one.

    Intervals are Zou and Donner's (2008, eq. 3), from those of the figures. A difference is sure where Holm's method
    (1979) holds it at ``LEVEL`` over all figures, and ``perhaps`` there where its own interval leaves 0 out.
    """
    rows = [_difference(name, before, after) for name, kind in FIGURES.items() if kind.share]
    sure, tested = set(), sorted((row for row in rows if row.p is not None), key=lambda row: row.p or 0.0)
    for rank, row in enumerate(tested):
        assert row.p is not None
        if row.p > LEVEL / (len(tested) - rank):
            break
        sure.add(row.name)
    return [_judged(row, row.name in sure) for row in rows]


def warnings(before: AuditRecord, after: AuditRecord) -> list[str]:
    """Return what makes two audits differ besides their classifiers."""
    said = []
    for what, first, second in (
        ("profiles", before.profile, after.profile),
        ("budgets", before.budget, after.budget),
        ("data", before.data and before.data.name, after.data and after.data.name),
        ("numbers of classes", before.target.classes, after.target.classes),
        ("versions of evofool", before.evofool, after.evofool),
    ):
        if first != second:
            said.append(f"their {what} differ ({first or 'none'} and {second or 'none'}), which moves the figures too")
    spent = sorted((max(1, before.queries), max(1, after.queries)))
    if spent[1] > 1.5 * spent[0]:
        said.append(f"their queries differ ({before.queries:,} and {after.queries:,}): with more, more is fooled")
    if before.target.weights_sha256 and before.target.weights_sha256 == after.target.weights_sha256:
        said.append("both are of the same weights")
    return said


def worsened(rows: Sequence[Difference]) -> bool:
    """Return whether a figure is surely worse, for which the command ends with exit code 3."""
    return any(row.verdict == "worse" for row in rows)


def lead(rows: Sequence[Difference]) -> str:
    """Return what a comparison comes to in a sentence."""
    count = {kind: [row.name for row in rows if row.verdict == kind] for kind in ("worse", "better")}
    if not any(row.difference is not None for row in rows):
        return "They have no figure in common."
    if not count["worse"] and not count["better"]:
        return "No difference that this budget can show."
    said = [f"{kind}: {', '.join(names)}" for kind, names in count.items() if names]
    return f"Surely {'; surely '.join(said)}."


def _difference(name: str, before: AuditRecord, after: AuditRecord) -> Difference:
    a, b = before.figures[name], after.figures[name]
    if a.value is None or a.low is None or a.high is None or b.value is None or b.low is None or b.high is None:
        return Difference(name, a.value, b.value, None, None, None, None, "unknown")
    change = b.value - a.value
    down, up = hypot(b.value - b.low, a.high - a.value), hypot(b.high - b.value, a.value - a.low)
    towards_zero = down if change > 0 else up
    z = 0.0 if not change else abs(change) * Z95 / towards_zero if towards_zero else inf
    return Difference(name, a.value, b.value, change, change - down, change + up, erfc(z / sqrt(2)), "none")


def _judged(row: Difference, sure: bool) -> Difference:
    """Return a difference with its verdict."""
    if row.difference is None or row.low is None or row.high is None or row.low <= 0 <= row.high:
        return row
    worse = (row.difference > 0) == (FIGURES[row.name].worse == "higher")
    verdict: Verdict = ("worse" if worse else "better") if sure else ("perhaps worse" if worse else "perhaps better")
    return Difference(row.name, row.before, row.after, row.difference, row.low, row.high, row.p, verdict)
