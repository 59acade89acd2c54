"""What a session of a sweep ends with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.sweep import SweepConfig
from ..errors import ConfigError
from ..gallery.pages.experiment_page import REPORT
from ..gallery.pages.notebook import fragment, resuming
from ..gallery.pages.run_page import PAGE
from ..gallery.prints.figure import Figure
from ..gallery.prints.growth import GROWTH, growth_curves
from ..jobs.tables import chosen_figure, data_frame
from ..store.run import RunFolder
from ..store.sweep import SweepFolder
from ..text import counted, ending, percent, rate
from .figures import DONE, FAILED, Configuration, Spread, figures_of, table, unequal_budgets


@dataclass(frozen=True)
class SweepResult:
    """What a sweep has come to.

    Attributes:
        path: The folder that the runs' folders are in.
        runs: The folders of the runs that have begun, by name.
        configurations: What each configuration has come to, over its seeds.
        rows: The rows of ``sweep.csv``: one for each run.
        failed: Why runs failed, by name.
        report: The page that compares the configurations; ``page`` the one of all runs' pictures; or None.
        interrupted: Whether runs are left to be made; ``running`` if another process worked on it when it was opened.
        unequal: What is said where runs of one configuration have had unequal budgets; else empty.
        config: The runs' options, and the versions.
    """

    path: Path
    runs: dict[str, Path]
    configurations: Sequence[Configuration]
    rows: list[dict[str, Any]]
    failed: dict[str, str]
    report: Path | None
    page: Path | None
    interrupted: bool
    unequal: str
    config: SweepConfig
    running: bool = False

    @classmethod
    def of(cls, folder: SweepFolder, running: bool = False) -> SweepResult:
        """Return what the sweep in a folder has come to."""
        configurations = figures_of(folder)
        runs = [each for configuration in configurations for each in configuration.runs]
        report, page = folder.path / REPORT, folder.path / PAGE
        left = any(each.state not in (DONE, FAILED) for each in runs)
        return cls(
            path=folder.path,
            runs=folder.begun(),
            configurations=configurations,
            rows=table(folder, configurations),
            failed={each.run.name: each.why for each in runs if each.state == FAILED},
            report=report if report.exists() else None,
            page=page if page.exists() else None,
            interrupted=left,
            unequal="" if left else unequal_budgets(folder),
            config=folder.config,
            running=running,
        )

    def __repr__(self) -> str:
        done = sum(len(configuration.done) for configuration in self.configurations)
        title = f"{ending(self.interrupted, self.running)}: {done:,} of {counted(len(self.rows), 'run')}"
        lines = [f"{name}: {text}" for name, text in self.lines()]
        notes = [f"warning: {self.unequal}"] if self.unequal else []
        notes += [f"failed: {name}: {why}" for name, why in self.failed.items()]
        return "\n".join([title, *lines, *notes, f"folder {self.path}, report {self.report}; .summary()"])

    def _repr_html_(self) -> str:
        title = repr(self).split("\n")[0]
        rows = [*self.lines(), *self.failed.items(), ("folder", str(self.path))]
        rows += resuming(self.path, self.interrupted and not self.running)
        return fragment(title, rows, page=self.report)

    def lines(self) -> list[tuple[str, str]]:
        """Return each configuration's name, and what it has come to in a line."""
        return [(each.name, self._line(each)) for each in self.configurations]

    def _line(self, configuration: Configuration) -> str:
        figures, count = configuration.figures, counted(len(configuration.done), "seed")
        if not figures:
            return "none of its runs is done"
        if self.config.command == "attack":
            return f"success {shown(figures['rate'], rate)}   {count}"
        lowest, needed = shown(figures["min"], percent), figures["evaluations"].middle
        return f"median {shown(figures['median'], percent)}   lowest {lowest}   {needed:,.0f} evaluations   {count}"

    def to_dataframe(self, table: str | None = None) -> Any:
        """Return the runs' figures as a ``pandas.DataFrame``: a row a run, as in ``sweep.csv``.

        Args:
            table: ``runs`` (the default), or ``configurations``: the medians over the seeds, with their intervals.

        Raises:
            ConfigError: There is no such table, or pandas is missing.
        """
        return data_frame({"runs": lambda: self.rows, "configurations": self._configurations}, table)

    def plot(self, name: str | None = None) -> Figure:
        """Return the median confidence of every run against its evaluations.

        Args:
            name: ``growth``, which is all there is.

        Raises:
            ConfigError: There is no such figure, or the runs are campaigns.
        """
        if self.config.command != "evolve":
            raise ConfigError(f"{self.path} is a sweep of campaigns, which have figures of their own; open one of them")
        chosen = chosen_figure(self.path, [GROWTH], name)
        known = {each.run.name for configuration in self.configurations for each in configuration.runs if each.figures}
        paths = {name: path for name, path in self.runs.items() if name in known}
        runs = {name.replace("-", " "): RunFolder.open(path).metrics() for name, path in paths.items()}
        return Figure(chosen, growth_curves(runs, "Median confidence against evaluations"))

    def summary(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        return {
            "folder": str(self.path),
            "report": str(self.report) if self.report else None,
            "page": str(self.page) if self.page else None,
            "command": self.config.command,
            "configurations": self._configurations(),
            "runs": [{**row, "folder": str(self.path / row["run"])} for row in self.rows],
            "failed": self.failed,
            "warning": self.unequal or None,
            "interrupted": self.interrupted,
        }

    def _configurations(self) -> list[dict[str, Any]]:
        """Return a row for each configuration: each figure's median over the seeds, and the ends of its interval."""
        rows = []
        for each in self.configurations:
            row: dict[str, Any] = {"configuration": each.name, "runs": len(each.runs), "done": len(each.done)}
            for name, spread in each.figures.items():
                row |= {name: spread.middle, f"{name}_interval95": list(spread.interval) if spread.interval else None}
            rows.append(row)
        return rows


def shown(spread: Spread, written: Callable[[float], str]) -> str:
    """Return a figure over seeds in words, with its interval where that says more; ``written`` writes a value."""
    if spread.interval is None or spread.interval[0] == spread.interval[1]:
        return written(spread.middle)
    low, high = map(written, spread.interval)
    return f"{written(spread.middle)} ({low.removesuffix(' %')} – {high})"
