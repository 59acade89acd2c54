"""What a session of an audit ends with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from ..config.audit import AuditConfig
from ..errors import ConfigError, suggestion
from ..gallery.pages.experiment_page import REPORT
from ..gallery.pages.notebook import fragment, resuming
from ..gallery.prints.figure import Figure
from ..gallery.prints.svg import standalone
from ..jobs.queries import query_facts
from ..jobs.tables import data_frame
from ..text import amount, between, clock, ending, rate
from .figure_table import FIGURES, PARTS
from .record import AuditRecord
from .sections import plots_of, worst_cards

SHOWN = (
    "fooled_at_50", "fooled_at_90", "fooled_at_99", "pixels_1", "pixels_3", "pixels_5", "auroc_msp", "fpr95_msp", "ece",
    "accuracy",
)  # fmt: skip
"""Figures that the command line says."""


@dataclass(frozen=True, repr=False)
class AuditResult:
    """What a session of an audit ended with. Printed, it is its main figures, a line each.

    Attributes:
        path: The audit's folder.
        config: Its options, its target, data and plan, and the versions.
        record: What it found, as far as it got.
        interrupted: Whether it was stopped before all was done; ``running`` if another process worked on it when it was
            opened.
    """

    path: Path
    config: AuditConfig
    record: AuditRecord
    interrupted: bool
    running: bool = False

    @property
    def title(self) -> str:
        """Whether it is done, and what was audited."""
        return f"{ending(self.interrupted, self.running)}: audit, {self.config.target.name}"

    @property
    def rows(self) -> Sequence[tuple[str, str]]:
        """Names and values that the command line says: figures with their intervals, and parts that were skipped."""
        rows = [("data", note) for note in (self.record.data.notes if self.record.data else ())]
        for name in SHOWN:
            figure = self.record.figures[name]
            if figure.value is not None and figure.low is not None and figure.high is not None:
                value = f"{rate(figure.value)} (95 % interval {between(figure.low, figure.high)})"
                rows.append((name, f"{value}   {FIGURES[name].meaning}"))
        told: dict[str, list[str]] = {}
        for part, heading in PARTS.items():
            if why := self.record.parts[part].why:
                told.setdefault(why, []).append(heading)
        rows += [("note", f"{', '.join(headings)}: {why}") for why, headings in told.items()]
        return [*rows, ("took", f"{amount(self.record.queries)} queries, {clock(self.record.seconds)}")]

    @property
    def report(self) -> Path:
        """The page of the audit."""
        return self.path / REPORT

    def __repr__(self) -> str:
        return "\n".join(
            [self.title, *(f"{name}: {value}" for name, value in self.rows), f"audit {self.path}, report {self.report}"]
        )

    def _repr_html_(self) -> str:
        rows = [*self.rows, *resuming(self.path, self.interrupted and not self.running)]
        return fragment(self.title, rows, worst_cards(self.path, self.record), self.report)

    def to_dataframe(self, table: str | None = None) -> Any:
        """Return the figures as a ``pandas.DataFrame``, with the columns of ``audit.csv``.

        Args:
            table: ``figures``, which is all there is.

        Raises:
            ConfigError: There is no such table, or pandas is missing.
        """
        rows = [{"figure": name, **to_builtins(figure)} for name, figure in self.record.figures.items()]
        return data_frame({"figures": lambda: rows}, table)

    def plot(self, name: str | None = None) -> Figure:
        """Return one of the report's figures.

        Args:
            name: ``fooling`` (classes fooled against images scored, the default), ``flips``, ``reliability``, or a
                score such as ``msp``, as far as these were measured.

        Raises:
            ConfigError: There is no such figure.
        """
        plots = plots_of(self.path, self.record)
        chosen = next(iter(plots), "fooling") if name is None else name
        if chosen not in plots:
            known = f"it has {', '.join(plots)}" if plots else "it has none yet"
            raise ConfigError(f'{self.path} has no figure "{chosen:.40}"{suggestion(chosen, plots)}; {known}')
        return Figure(chosen, standalone(plots[chosen].svg.split("</svg>")[0] + "</svg>"))

    def summary(self) -> dict[str, Any]:
        """Return the result as plain JSON values: where it is, and every figure with its interval."""
        return {
            "audit": str(self.path),
            "report": str(self.report),
            "target": self.config.target.name,
            "profile": self.config.options.profile,
            "seed": self.config.options.seed,
            "interrupted": self.interrupted,
            "skipped": {name: part.why for name, part in self.record.parts.items() if part.status == "skipped"},
            **query_facts(self.path, self.config.options),
            **self.record.flat(),
        }
