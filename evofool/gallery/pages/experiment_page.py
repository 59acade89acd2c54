"""``report.html`` of an experiment: its question, its finding, tables, figures and pictures, as one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ...io.files import write_atomically, writing
from ...io.images import data_uri
from ...io.png import png
from ...store.hardware import read_hardware
from ..prints.svg import STYLE, standalone
from .page_file import write_page
from .rendering import encoded, render
from .sources import Figure

REPORT, PLOTS = "report.html", "plots"


@dataclass(frozen=True)
class Table:
    """A table: names of columns, and rows that each begin with a name."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class Plot:
    """A figure as SVG.

    Attributes:
        name: What its file is called, without ending.
        title, caption: What stands above and below it.
        svg: The figure, which escapes what it says.
    """

    name: str
    title: str
    caption: str
    svg: str


@dataclass(frozen=True)
class Card:
    """Pictures (C, H, W) uint8 side by side, each with what it is; a heading and a line below them.

    With ``captions`` what each is stands below it; else only those read it who can't see the picture.
    """

    pictures: Sequence[tuple[NDArray[np.uint8], str]]
    heading: str
    note: str
    captions: bool = False

    @property
    def shots(self) -> list[tuple[str, str]]:
        """The pictures as URIs for an ``<img>``, with what they are."""
        return [(data_uri(png(picture)), words) for picture, words in self.pictures]


@dataclass(frozen=True)
class ExperimentPage:
    """What an experiment's page says.

    Attributes:
        title: The finding in short.
        question: What was asked.
        method: How it was answered, with paper and section.
        lead: What it was tried on.
        facts: The most important figures.
        table: All figures.
        tables: More of them, each with its title.
        plots: The figures.
        cards_title, cards: Pictures, and what they show.
        command: What makes it again.
        versions: The versions that it was made with.
        warnings: What the figures leave in doubt.
        gallery: The page beside it that shows each image with all that was found of it; empty where there is none.
    """

    title: str
    question: str
    method: str
    lead: str
    facts: Sequence[Figure]
    table: Table
    plots: Sequence[Plot]
    cards_title: str
    cards: Sequence[Card]
    command: str
    versions: dict[str, str]
    warnings: Sequence[str] = field(default=())
    gallery: str = ""
    tables: Sequence[tuple[str, Table]] = field(default=())


def write_experiment(path: Path, page: ExperimentPage) -> Path:
    """Write ``report.html`` and ``plots/*.svg`` into an experiment's folder, and return the page's file.

    Raises:
        RunError: A file can't be written.
    """
    html = render(
        "experiment.html", title=page.title, page=page, hardware=read_hardware(path), style=Markup(STYLE), markup=Markup
    )
    write_page(path / REPORT, html)
    with writing(path):
        (path / PLOTS).mkdir(exist_ok=True)
        for plot in page.plots:
            write_atomically(path / PLOTS / f"{plot.name}.svg", encoded(standalone(plot.svg)), durable=False)
    return path / REPORT
