"""``report.html`` of an audit: sentences with numbers on top, then a section for each part, then how it was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ...store.hardware import read_hardware
from ..prints.svg import STYLE
from .examples import Example
from .experiment_page import REPORT, Card, Plot, Table
from .page_file import write_page
from .rendering import render


@dataclass(frozen=True)
class Sentence:
    """A finding in words.

    Attributes:
        number: Its number, which stands first; empty where nothing was measured.
        words: What the number is of.
        interval: The number's interval in words.
    """

    number: str
    words: str
    interval: str = ""


@dataclass(frozen=True)
class Section:
    """What the page says of one part.

    Attributes:
        title: Its heading.
        lead: What was done, or why it was not.
        tables: Tables, each under its caption.
        wide: Figures that need the whole width; ``plots`` stand side by side.
        cards: Pictures; ``cards_title`` says what they are.
        examples: Attacked images before and after; ``examples_title`` says what they are.
    """

    title: str
    lead: str
    tables: Sequence[tuple[str, Table]] = ()
    wide: Sequence[Plot] = ()
    plots: Sequence[Plot] = ()
    cards_title: str = ""
    cards: Sequence[Card] = ()
    examples_title: str = ""
    examples: Sequence[Example] = ()


@dataclass(frozen=True)
class AuditPage:
    """What the page says.

    Attributes:
        title: What was audited.
        lead: With which images, budget and seed.
        notes: What is to be known of the images.
        summary: The findings in words.
        sections: The parts.
        figures: All figures.
        parts: What each part took.
        method: How each part was measured, by heading.
        command: What makes it again.
        planned: What its budget came to.
        versions: The versions that it was made with.
    """

    title: str
    lead: str
    notes: Sequence[str]
    summary: Sequence[Sentence]
    sections: Sequence[Section]
    figures: Table
    parts: Table
    method: Mapping[str, str]
    command: str
    planned: str
    versions: Mapping[str, str]


def write_audit_page(path: Path, page: AuditPage) -> Path:
    """Write ``report.html`` into an audit's folder, and return its file.

    Raises:
        RunError: It can't be written.
    """
    html = render(
        "audit.html", title=page.title, page=page, hardware=read_hardware(path), style=Markup(STYLE), markup=Markup
    )
    write_page(path / REPORT, html)
    return path / REPORT
