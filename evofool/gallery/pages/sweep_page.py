"""``report.html`` of a sweep: its configurations beside each other, curves, pictures, and every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from ..prints.svg import STYLE
from .experiment_page import REPORT, Card, Plot, Table
from .page_file import write_page
from .rendering import render
from .sources import Figure


@dataclass(frozen=True)
class Sheet:
    """Pictures of a configuration.

    Attributes:
        title: What the configuration is called.
        note: Which run they are of.
        cards: The pictures.
    """

    title: str
    note: str
    cards: Sequence[Card]


@dataclass(frozen=True)
class MadeRun:
    """A run of the sweep.

    Attributes:
        name: What it is called.
        state: How far it is.
        why: Why it failed; else empty.
        page: Its page beside the sweep's; empty where there is none.
        values: Its figures, by column.
    """

    name: str
    state: str
    why: str
    page: str
    values: Sequence[str]


@dataclass(frozen=True)
class SweepPage:
    """What the page says.

    Attributes:
        title: How much was made.
        lead: What is compared.
        notes: What is to be known of it.
        facts: The most important figures.
        table: A row for each configuration.
        plots: Curves.
        sheets: Pictures of each configuration.
        runs: Every run; ``columns`` are the headings of their figures.
        pictures: Whether all runs' pictures stand side by side on a page beside this one.
        left: Whether runs are still to be made.
        command: What goes on with it.
        versions: The versions that it was made with.
    """

    title: str
    lead: str
    notes: Sequence[str]
    facts: Sequence[Figure]
    table: Table
    plots: Sequence[Plot]
    sheets: Sequence[Sheet]
    runs: Sequence[MadeRun]
    columns: Sequence[str]
    pictures: bool
    left: bool
    command: str
    versions: Mapping[str, str]


def write_sweep_page(path: Path, page: SweepPage) -> Path:
    """Write ``report.html`` into a sweep's folder, and return its file.

    Raises:
        RunError: It can't be written.
    """
    runs = [(run, quote(run.page) if run.page and (path / run.page).exists() else "") for run in page.runs]
    html = render("sweep.html", title=page.title, page=page, runs=runs, style=Markup(STYLE), markup=Markup)
    write_page(path / REPORT, html)
    return path / REPORT
