"""``report.html``: what a campaign found, as one page that needs no other file; its plots and a table beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ...attacks.statistics import Statistics
from ...config.attack import UNTARGETED
from ...config.class_names import listed
from ...io.files import write_atomically, writing
from ...store.hardware import read_hardware
from ..prints import plots
from ..prints.svg import STYLE, standalone
from .commands import attack_command
from .comparison import compare, comparison_lead, comparison_table
from .examples import examples
from .findings import Findings, read_findings
from .headline import headline
from .names import folder_names
from .outcome_table import outcome_table
from .page_file import CAMPAIGNS, check_different, check_page_file, write_page
from .rendering import encoded, render
from .run_page import PAGE, write_gallery
from .settings import differing_settings, settings_rows

PLOTS = "plots"

MAX_NAMES = 50
"""Largest number of names in the data for which a page says what class they were taken for."""

MAX_SKIPPED = 50
"""Largest number of files that were left out which a page names."""


@dataclass(frozen=True)
class Report:
    """A page about one campaign or several, as it was written.

    Attributes:
        file: The HTML file.
        campaigns: What the campaigns found.
    """

    file: Path
    campaigns: list[Findings]

    def figures(self) -> dict[str, Any]:
        """Return the page's figures as plain JSON values.

        ``campaigns`` has each campaign's own. ``comparisons`` has each of the others against the first one, on the
        attempts that both ran, and ``differing_settings`` the values of settings that are not the same in all.
        """
        campaigns = [{"campaign": str(each.folder.path), **each.figures()} for each in self.campaigns]
        return {
            "report": str(self.file),
            "campaigns": campaigns,
            "comparisons": [compare(self.campaigns[0], other).to_json() for other in self.campaigns[1:]],
            "differing_settings": differing_settings([each.config for each in self.campaigns]),
        }


def write_report(paths: Sequence[Path], out: Path | None = None) -> Report:
    """Write the page of one campaign, or one that compares several.

    Into a campaign's own folder go ``outcomes.csv``, ``plots/*.svg`` and, where there are successes, ``index.html``,
    which shows them closely. A page of several campaigns is none's own.

    Args:
        paths: The campaigns' folders.
        out: The HTML file. None: ``report.html`` in the folder of a single campaign, ``campaigns.html`` in the
            current folder for several.

    Returns:
        The page, with what it is about.

    Raises:
        ConfigError: ``out`` names no HTML file, or a path is given twice.
        RunError: A campaign is missing or damaged, or a file can't be written.
    """
    check_page_file(out)
    check_different(paths)
    campaigns = [read_findings(path) for path in paths]
    if len(campaigns) > 1:
        for findings, name in zip(campaigns, folder_names(paths), strict=True):
            findings.name = name
        file = out or Path(CAMPAIGNS)
        write_page(file, _comparison(campaigns))
        return Report(file, campaigns)
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
    return Report(file, campaigns)


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


def _narrow_figures(findings: Findings) -> dict[str, str]:
    """Return those figures that a phone shows otherwise."""
    figures = {"success": plots.success_curve(_series([findings]), narrow=True)}
    if findings.successes:
        figures["classes"] = plots.class_heatmap(findings.class_changes, findings.config.classes, narrow=True)
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
        figures=_marked(figures, _narrow_figures(findings)),
        examples=examples(findings),
        successes=len(findings.successes),
        gallery=PAGE if with_gallery else None,
        command=attack_command(config),
        config=config,
        hardware=read_hardware(findings.folder.path),
        mapping=listed([f"{name} → {config.classes[index]}" for name, index in config.data.mapping], MAX_NAMES),
        skipped=list(config.data.skipped.items())[:MAX_SKIPPED],
    )


def _comparison(campaigns: Sequence[Findings]) -> str:
    names = [findings.name for findings in campaigns]
    comparisons = [compare(campaigns[0], other) for other in campaigns[1:]]
    return render(
        "comparison.html",
        title=f"{len(campaigns)} campaigns side by side",
        lead=comparison_lead(campaigns),
        style=Markup(STYLE),
        names=names,
        results=comparison_table(campaigns),
        settings=settings_rows([findings.config for findings in campaigns]),
        identified=all(findings.config.target.identified for findings in campaigns),
        comparisons=comparisons,
        figures=_marked(
            {"success": plots.success_curve(_series(campaigns))},
            {"success": plots.success_curve(_series(campaigns), narrow=True)},
        ),
    )


def _marked(figures: dict[str, str], narrow: dict[str, str]) -> dict[str, Markup]:
    """Return figures as HTML, some with another one for narrow screens: they escape what they say themselves."""
    return {name: Markup(svg + narrow.get(name, "")) for name, svg in figures.items()}
