"""The table and the page of a sweep, as far as it got: what each configuration has come to, over its seeds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from statistics import median
from typing import Any

from ..attacks.statistics import median_interval
from ..errors import GenomeError, RunError
from ..gallery.elite_lines import surest_per_class
from ..gallery.pages.commands import sweep_command
from ..gallery.pages.experiment_page import REPORT, Card, Plot, Table
from ..gallery.pages.run_page import write_gallery
from ..gallery.pages.sources import Figure
from ..gallery.pages.sweep_page import MadeRun, Sheet, SweepPage, write_sweep_page
from ..gallery.prints.curves import Curve, share_curves
from ..gallery.prints.svg import TONES, round_ticks
from ..io.files import write_atomically, writing
from ..store.run import RunFolder
from ..store.sweep import SWEEP_CSV, SweepFolder
from ..text import amount, class_name, clock, counted, percent, rate
from .figures import DONE, FAILED, Configuration, as_csv, figures_of, table, unequal_budgets, varied_options
from .result import shown

MOMENTS = 40
"""Largest number of points of a curve."""

PICTURES = 10
"""Largest number of pictures of a configuration."""

Written = Callable[[float], str]

OF_RUNS: dict[str, tuple[str, Written]] = {
    "median": ("median confidence", percent),
    "min": ("lowest", percent),
    "at_99": ("classes at 99 % or more", amount),
    "evaluations": ("evaluations", amount),
    "seconds": ("time", clock),
}
"""What the table of runs says of each figure, and how it writes it."""

OF_CAMPAIGNS: dict[str, tuple[str, Written]] = {
    "rate": ("success", rate),
    "settled": ("attempts", amount),
    "mean_queries": ("queries an attempt", amount),
    "median_queries_to_success": ("queries to a success, median", amount),
}
"""The same of campaigns."""


def write_report(folder: SweepFolder) -> None:
    """Write ``sweep.csv`` and ``report.html``.

    Raises:
        RunError: The folder can't be written.
    """
    configurations = figures_of(folder)
    with writing(folder.path):
        write_atomically(folder.path / SWEEP_CSV, as_csv(table(folder, configurations)))
    write_sweep_page(folder.path, _page(folder, configurations))


def write_pictures(folder: SweepFolder) -> None:
    """Write the page of all runs' pictures side by side, if there are some; if one is damaged it stays as it was."""
    with suppress(RunError, GenomeError):
        if folder.config.command == "evolve" and any(RunFolder.open(run).elites() for run in folder.begun().values()):
            write_gallery([folder.path])


def _page(folder: SweepFolder, configurations: Sequence[Configuration]) -> SweepPage:
    config = folder.config
    evolved = config.command == "evolve"
    columns = OF_RUNS if evolved else OF_CAMPAIGNS
    runs = [each for configuration in configurations for each in configuration.runs]
    done, failed = (sum(each.state == state for each in runs) for state in (DONE, FAILED))
    left = len(runs) - done - failed
    rows = [
        (
            configuration.name,
            [
                f"{len(configuration.done)} of {len(configuration.runs)}",
                *(
                    shown(configuration.figures[name], written) if name in configuration.figures else "–"
                    for name, (_, written) in columns.items()
                ),
            ],
        )
        for configuration in configurations
    ]
    return SweepPage(
        title=f"{counted(len(configurations), 'configuration')}, {counted(len(runs), 'run')}",
        lead=_lead(folder, configurations),
        notes=[
            *([f"{counted(left, 'run')} still to come: the figures are of those that are done."] if left else []),
            *([f"Mind: {words}."] if (words := unequal_budgets(folder)) else []),
        ],
        facts=_facts(configurations, evolved=evolved),
        table=Table(["runs done", *(heading for heading, _ in columns.values())], rows),
        plots=_plots(folder, configurations) if evolved else [],
        sheets=[sheet for each in configurations if evolved and (sheet := _sheet(folder, each))],
        runs=[
            MadeRun(
                each.run.name,
                each.state,
                each.why,
                f"{each.run.name}/{'index.html' if evolved else REPORT}" if each.figures else "",
                [
                    written(value) if (value := each.figures.get(name)) is not None else "–"
                    for name, (_, written) in columns.items()
                ],
            )
            for each in runs
        ],
        columns=[heading for heading, _ in columns.values()],
        pictures=evolved,
        left=done < len(runs),
        command=sweep_command(folder.path),
        versions=config.versions,
    )


def _lead(folder: SweepFolder, configurations: Sequence[Configuration]) -> str:
    """Return what is compared, in sentences."""
    varied = [name.replace("_", " ") for name in varied_options(folder)]
    seeds = max(len(configuration.runs) for configuration in configurations)
    over = f"over {counted(seeds, 'seed')}" if seeds > 1 else "of a single seed"
    what = f"Configurations differ in {_listed(varied)}. " if varied else ""
    return (
        f"{what}Figures are medians {over}; in brackets are 95 % intervals by the percentile bootstrap, "
        "which of few seeds can't be wider than their range."
        if seeds > 1
        else f"{what}Figures are {over}."
    )


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _facts(configurations: Sequence[Configuration], *, evolved: bool) -> list[Figure]:
    """Return the best configuration's figures."""
    name, written = ("median", percent) if evolved else ("rate", rate)
    known = [each for each in configurations if name in each.figures]
    if not known:
        return []
    best = max(known, key=lambda each: each.figures[name].middle)
    worst = min(known, key=lambda each: each.figures[name].middle)
    noun = "median confidence" if evolved else "success rate"
    facts = [Figure(f"Highest {noun}", written(best.figures[name].middle), best.name)]
    if len(known) > 1:
        facts.append(Figure(f"Lowest {noun}", written(worst.figures[name].middle), worst.name))
    return facts


def _plots(folder: SweepFolder, configurations: Sequence[Configuration]) -> list[Plot]:
    """Return curves of confidences against evaluations; of many configurations, a few on each figure."""
    plots = list[Plot]()
    histories = [
        (each.name, [RunFolder.open(folder.of(run.run)).metrics() for run in each.runs if run.figures])
        for each in configurations
    ]
    known = [(name, lines) for name, lines in histories if lines]
    for start in range(0, len(known), len(TONES)):
        few = known[start : start + len(TONES)]
        for figure, title in (("median", "Median confidence"), ("min", "Lowest confidence")):
            svg = share_curves(
                [Curve(name, _points(lines, figure)) for name, lines in few],
                "evaluations",
                f"{title} against evaluations",
                lambda size: f"{size:,.0f}",
            )
            caption = "Lines are medians over the seeds so far, bands their 95 % intervals."
            plots.append(Plot(f"{figure}-{start}", title, caption, svg))
    return plots


def _points(histories: Sequence[Sequence[dict[str, Any]]], figure: str) -> list[tuple[float, float, float, float]]:
    """Return a figure's median over runs, with its interval, at some moments.

    A run that ended before a moment counts with what it ended with; before its first generation it has 0.
    """
    longest = max(lines[-1]["evaluations"] for lines in histories)
    step = max(1, round_ticks(longest, MOMENTS)[1])
    points = []
    for moment in [*range(0, longest, step), longest]:
        values = []
        for lines in histories:
            at = bisect_right(lines, moment, key=lambda line: line["evaluations"])
            values.append(lines[at - 1][figure] if at else 0.0)
        middle = median(values)
        points.append((float(moment), middle, *(median_interval(values) or (middle, middle))))
    return points


def _sheet(folder: SweepFolder, configuration: Configuration) -> Sheet | None:
    """Return pictures of the run whose median is the middle one of its configuration's; None where there are none."""
    known = sorted(configuration.done, key=lambda run: run.figures["median"] or 0.0)
    if not known:
        return None
    run = known[(len(known) - 1) // 2].run
    opened = RunFolder.open(folder.of(run))
    try:
        lines = sorted(surest_per_class(opened.elites()), key=lambda line: int(line["index"]))
        chosen = lines[:: max(1, -(-len(lines) // PICTURES))]
        pixels = [opened.pixels(line) for line in chosen]
    except RunError:  # Pictures are damaged, and the figures are not.
        return None
    if not chosen:
        return None
    cards = [
        Card([(image, f"{line['class']}, evolved")], class_name(line["class"]), percent(line["score"]))
        for line, image in zip(chosen, pixels, strict=True)
    ]
    some = f"{len(chosen)} of its {len(lines):,} classes" if len(chosen) < len(lines) else "all its classes"
    return Sheet(configuration.name, f"{run.name}, whose median is the middle one: {some}.", cards)
