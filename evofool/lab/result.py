"""What a session of an experiment ends with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.experiments import ExperimentConfig
from ..gallery.pages.experiment_page import REPORT
from ..gallery.pages.notebook import fragment, resuming
from ..gallery.prints.figure import Figure
from ..jobs.queries import query_facts
from ..jobs.tables import data_frame, written_figure
from ..store.experiment import ExperimentFolder
from ..text import ending
from .experiment import Findings
from .registry import find


@dataclass(frozen=True, repr=False)
class ExperimentResult:
    """What a session of an experiment ended with. Printed, it is its findings, a line each.

    Attributes:
        path: The experiment's folder.
        config: Its options, its target and data, and the versions.
        findings: What its results come to.
        seconds: How long this session took.
        interrupted: Whether it was stopped before all was done; ``running`` if another process worked on it when it was
            opened.
        note: Why it ended early, where nobody stopped it.
    """

    path: Path
    config: ExperimentConfig
    findings: Findings
    seconds: float
    interrupted: bool
    note: str | None = None
    running: bool = False

    @property
    def report(self) -> Path:
        """The page."""
        return self.path / REPORT

    @property
    def title(self) -> str:
        """Whether it is done, and what it was."""
        return f"{ending(self.interrupted, self.running)}: {self.config.experiment}, {self.config.target.name}"

    def __repr__(self) -> str:
        lines = [f"{name}: {value}" for name, value in self.findings.rows]
        return "\n".join([self.title, *lines, f"experiment {self.path}, report {self.report}"])

    def _repr_html_(self) -> str:
        rows = [*self.findings.rows, *resuming(self.path, self.interrupted and not self.running)]
        return fragment(self.title, rows, self.findings.page.cards, self.report)

    def to_dataframe(self, table: str | None = None) -> Any:
        """Return what was found of each image as a ``pandas.DataFrame``, with the columns of ``results.jsonl``.

        Args:
            table: ``results``, which is all there is.

        Raises:
            ConfigError: There is no such table, or pandas is missing.
        """
        kind = find(self.config.experiment).result
        parts = ExperimentFolder.open(self.path).results(kind)
        return data_frame({"results": lambda: [each for _, results in parts for each in results]}, table)

    def plot(self, name: str | None = None) -> Figure:
        """Return one of the page's figures; by default the first by name.

        Raises:
            ConfigError: There is no such figure.
        """
        return written_figure(self.path, name)

    def summary(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        return {
            "experiment": self.config.experiment,
            "target": self.config.target.name,
            "seconds": round(self.seconds, 3),
            "seed": self.config.options.seed,
            "run": str(self.path),
            "report": str(self.report),
            "interrupted": self.interrupted,
            **({"note": self.note} if self.note else {}),
            **query_facts(self.path, self.config.options),
            **self.config.facts(),
            **self.findings.figures,
        }
