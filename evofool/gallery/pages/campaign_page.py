"""``report.html``: what a campaign found, as one page that needs no other file; its plots and a table beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ...attacks.statistics import Statistics
from ...config.attack import UNTARGETED
from ...io.files import write_atomically, writing
from ...text import between, rate
from ..prints import plots
from ..prints.svg import STYLE, standalone
from .commands import attack_command
from .examples import examples
from .findings import Findings, read_findings
from .headline import headline, mean_queries, median_queries, rounded
from .outcome_table import outcome_table
from .page_file import check_page_file, write_page
from .rendering import encoded, render
from .run_page import PAGE, write_gallery

PLOTS = "plots"

MAX_SKIPPED = 50
"""Largest number of files that were left out which a page names."""


def write_report(paths: Sequence[Path], out: Path | None = None) -> Path:
    """Write the page of one campaign, or one that compares several.

    Into a campaign's own folder go ``outcomes.csv``, ``plots/*.svg`` and, where there are successes, ``index.html``,
    which shows them closely.

    Args:
        paths: The campaigns' folders.
        out: The HTML file. None: ``report.html`` in the folder of a single campaign, ``comparison.html`` in the first
            of several.

    Returns:
        The HTML file.

    Raises:
        ConfigError: ``out`` names no HTML file.
        RunError: A campaign is missing or damaged, or a file can't be written.
    """
    check_page_file(out)
    campaigns = [read_findings(path) for path in paths]
    if len(campaigns) > 1:
        file = out or paths[0] / "comparison.html"
        write_page(file, _comparison(campaigns))
        return file
    (path,), (findings,) = paths, campaigns
    file, with_gallery = out or path / "report.html", out is None and bool(findings.successes)
    figures = _figures(findings)
    write_page(file, _report(findings, figures, with_gallery))
    with writing(path):
        (path / PLOTS).mkdir(exist_ok=True)
        for name, svg in figures.items():
            write_atomically(path / PLOTS / f"{name}.svg", encoded(standalone(svg)), durable=False)
        write_atomically(path / "outcomes.csv", encoded(outcome_table(findings.folder)), durable=False)
    if with_gallery:
        write_gallery([path])
    return file


def _figures(findings: Findings) -> dict[str, str]:
    """Return the SVG figures by name, without those that would be empty."""
    figures = {"success": plots.success_curve(_series([findings]))}
    if not findings.successes:
        return figures
    config = findings.config
    _, height, width = config.target.image_shape
    figures["classes"] = plots.class_heatmap(findings.class_changes, config.classes)
    if config.plan.criterion != UNTARGETED:
        counts = Counter(len(findings.reached.get(image, ())) for image in findings.settled)
        figures["targets"] = plots.bar_chart(counts, "target classes reached", "Target classes reached, by image")
    if len(config.plan.pixels) > 1:
        figures["pixels"] = plots.bar_chart(findings.statistics.by_pixels, "pixels needed", "Pixels needed")
    xs, ys = [edit["x"] for edit in findings.edits], [edit["y"] for edit in findings.edits]
    figures["places"] = plots.position_heatmap(xs, ys, width, height)
    figures["colours"] = plots.colour_strip([edit["colour"] for edit in findings.edits])
    figures["confidence"] = plots.confidence_scatter(findings.confidences)
    return figures


def _series(campaigns: Sequence[Findings]) -> list[plots.Series]:
    """Return the success curves of campaigns, then those of their baselines."""
    several = len(campaigns) > 1
    curves = [
        _curve(findings.name if several else findings.config.plan.strategy, findings, findings.statistics)
        for findings in campaigns
    ]
    for findings in campaigns:
        if findings.baseline:
            name = f"{findings.name} random" if several else "random"
            curves.append(_curve(name, findings, findings.baseline, dashed=True))
    return curves


def _curve(name: str, findings: Findings, statistics: Statistics, *, dashed: bool = False) -> plots.Series:
    """Return a curve whose whole is all pairs that can count, those to come included."""
    pairs = findings.folder.pairs() - statistics.already - statistics.wrong
    longest = max(statistics.longest, findings.statistics.longest)
    return plots.Series(name, statistics.to_success, pairs, dashed, longest)


def _report(findings: Findings, figures: dict[str, str], with_gallery: bool) -> str:
    config, top = findings.config, headline(findings)
    return render(
        "campaign.html",
        title=top.title,
        top=top,
        style=Markup(STYLE),
        figures=_marked(figures),
        examples=examples(findings),
        successes=len(findings.successes),
        gallery=PAGE if with_gallery else None,
        command=attack_command(config),
        config=config,
        skipped=list(config.data.skipped.items())[:MAX_SKIPPED],
    )


def _comparison(campaigns: Sequence[Findings]) -> str:
    return render(
        "comparison.html",
        title=f"{len(campaigns)} campaigns side by side",
        style=Markup(STYLE),
        rows=[_row(findings) for findings in campaigns],
        figures=_marked({"success": plots.success_curve(_series(campaigns))}),
        overlaps=[overlap for other in campaigns[1:] if (overlap := _overlap(campaigns[0], other))],
    )


def _marked(figures: dict[str, str]) -> dict[str, Markup]:
    """Return figures as HTML: they escape what they say themselves."""
    return {name: Markup(svg) for name, svg in figures.items()}


def _row(findings: Findings) -> dict[str, Any]:
    """Return a campaign's line of the comparison."""
    config, statistics = findings.config, findings.statistics
    low, high = statistics.interval
    return {
        "campaign": findings.folder.path,
        "words": (config.target.name, config.data.name, config.plan.criterion),
        "pixels": " ".join(map(str, config.plan.pixels)),
        "strategy": config.plan.strategy,
        "numbers": (
            f"{statistics.settled:,}",
            rate(statistics.rate),
            between(low, high),
            rounded(median_queries(statistics)),
            rounded(mean_queries(statistics)),
        ),
    }


def _overlap(first: Findings, other: Findings) -> dict[str, Any] | None:
    """Return how two campaigns differ on the attempts that both ran; None where there are none."""
    common = first.success_of.keys() & other.success_of.keys()
    if not common:
        return None
    counts = Counter((first.success_of[pair], other.success_of[pair]) for pair in common)
    return {
        "attempts": len(common),
        "names": (first.name, other.name),
        "both": counts[True, True],
        "first": counts[True, False],
        "other": counts[False, True],
        "neither": counts[False, False],
    }
