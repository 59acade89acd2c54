"""What a sweep has come to: the figures of its runs, and of its configurations over the seeds."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from ..attacks.statistics import median_interval
from ..config.budget import Budget
from ..config.class_names import listed
from ..config.evolve import EvolveOptions
from ..config.sweep import COMMANDS, PlannedRun
from ..errors import RunError
from ..jobs.life import opened
from ..store.run import RunFolder
from ..store.sweep import SweepFolder
from ..targets.members import joined

OF_RUNS = (
    "median", "mean", "min", "at_99", "elites", "qd_score", "generation", "evaluations", "confirmations", "seconds",
)  # fmt: skip
"""Figures of a run's last generation, by the names of ``metrics.jsonl``."""

OF_CAMPAIGNS = ("rate", "settled", "successes", "mean_queries", "median_queries_to_success", "queries")
"""Figures of a campaign, by the names of its summary."""

FIGURES = {"evolve": OF_RUNS, "attack": OF_CAMPAIGNS}
"""The figures of each run, by the sweep's command."""

DONE, FAILED, STOPPED, WAITING = "done", "failed", "stopped", "waiting"
"""How far a run is; one that was stopped has begun, and one that waits has not."""


@dataclass(frozen=True)
class RunFigures:
    """What a run has come to.

    Attributes:
        run: The run.
        state: ``done``, ``failed``, ``stopped`` or ``waiting``. One that can't be read has failed.
        why: Why it failed; else empty.
        figures: Its figures so far; empty where there are none.
    """

    run: PlannedRun
    state: str
    why: str
    figures: dict[str, float | None]


@dataclass(frozen=True)
class Spread:
    """A figure of several runs.

    Attributes:
        middle: The median.
        interval: Its 95 % interval by the percentile bootstrap; None for a single run.
    """

    middle: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Configuration:
    """Runs that differ in nothing but their seeds.

    Attributes:
        name: What it is called.
        runs: Its runs.
        figures: The figures of the runs that are done; empty where none is.
    """

    name: str
    runs: Sequence[RunFigures]
    figures: Mapping[str, Spread]

    @property
    def done(self) -> list[RunFigures]:
        """The runs that are done."""
        return [each for each in self.runs if each.state == DONE]


def figures_of(folder: SweepFolder) -> list[Configuration]:
    """Return what each configuration of a sweep has come to, in the order of the plan."""
    ended, begun = folder.ended(), folder.begun()

    def of(run: PlannedRun) -> RunFigures:
        why = ended.get(run.name)
        state = DONE if why == "" else FAILED if why else STOPPED if run.name in begun else WAITING
        try:
            return RunFigures(run, state, why or "", _figures(folder, run) if run.name in begun else {})
        except RunError as error:
            return RunFigures(run, FAILED, damage(folder, run, error), {})

    return [
        _configuration(folder, name, [of(run) for run in runs]) for name, runs in folder.config.configurations.items()
    ]


def damage(folder: SweepFolder, run: PlannedRun, error: RunError) -> str:
    """Return what is said of a run that can't be read."""
    return f"{error}; to have this run made anew, remove {folder.of(run)} and go on with the sweep"


def _configuration_name(folder: SweepFolder, run: PlannedRun) -> str:
    """Return what the configuration of a run is called; where there is only one, after its target."""
    options = folder.config.options_of(run)
    if isinstance(options, EvolveOptions):
        return run.configuration or f"{joined(options.target)}, {options.encoding}"
    target = joined(options.target or options.data or "digits")
    return run.configuration or f"{target}, {options.strategy or options.preset or 'local'}"


def unequal_budgets(folder: SweepFolder) -> str:
    """Return what is said where runs of one configuration have had unequal budgets; else nothing."""
    if folder.config.command != "evolve":
        return ""
    begun = folder.begun()
    for runs in folder.config.configurations.values():
        budgets: dict[str, list[str]] = {}
        for run in runs:
            options = folder.config.options_of(run)
            if run.name in begun:
                with suppress(RunError):  # One that can't be read has failed.
                    options = RunFolder.open(begun[run.name]).config.options
            assert isinstance(options, EvolveOptions)
            budgets.setdefault(_in_words(options.budget.or_default()), []).append(run.name)
        if len(budgets) > 1:
            parts = "; ".join(f"{budget}: {listed(of, 10)}" for budget, of in budgets.items())
            return f"runs of one configuration have unequal budgets ({parts}); give all the largest one to compare them"
    return ""


def table(folder: SweepFolder, configurations: Sequence[Configuration]) -> list[dict[str, Any]]:
    """Return a row for each run: its name, configuration and state, what is varied, and its figures."""
    names, rows = (*varied_options(folder), "seed"), []
    for configuration in configurations:
        for each in configuration.runs:
            options = folder.config.options_of(each.run)
            rows.append(
                {
                    "run": each.run.name,
                    "configuration": configuration.name,
                    "state": each.state,
                    **{name: _plain(getattr(options, name)) for name in names},
                    **{name: each.figures.get(name) for name in FIGURES[folder.config.command]},
                }
            )
    return rows


def varied_options(folder: SweepFolder) -> list[str]:
    """Return the options in which configurations differ."""
    options = [folder.config.options_of(runs[0]) for runs in folder.config.configurations.values()]
    names = (name for name in COMMANDS[folder.config.command].__struct_fields__ if name != "seed")
    return [name for name in names if any(getattr(each, name) != getattr(options[0], name) for each in options)]


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV (RFC 4180); unknown values are empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _configuration(folder: SweepFolder, name: str, runs: Sequence[RunFigures]) -> Configuration:
    figures = dict[str, Spread]()
    for figure in FIGURES[folder.config.command]:
        values = [value for each in runs if each.state == DONE and (value := each.figures.get(figure)) is not None]
        if values:
            figures[figure] = Spread(median(values), median_interval(values))
    return Configuration(_configuration_name(folder, runs[0].run), runs, figures)


def _figures(folder: SweepFolder, run: PlannedRun) -> dict[str, float | None]:
    """Return the figures of a run that has begun."""
    path = folder.of(run)
    if folder.config.command == "evolve":
        return {name: last.get(name) for last in RunFolder.open(path).metrics()[-1:] for name in OF_RUNS}
    figures = opened(path).statistics.figures()
    return {name: figures[name] for name in OF_CAMPAIGNS}


def _in_words(budget: Budget) -> str:
    return ", ".join(f"{name} {limit:g}" for name, limit in asdict(budget).items() if limit is not None)


def _plain(value: Any) -> Any:
    """Return an option as it stands in a cell: a list with commas, nothing where it is left open."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else value
