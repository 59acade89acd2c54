"""``evofool audit --compare``: audits read from their folders, and the page and JSON of what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..gallery.pages.experiment_page import Table
from ..gallery.pages.names import folder_names
from ..gallery.pages.page_file import check_different, check_page_file, write_page
from ..gallery.pages.rendering import render
from .comparing import IN_WORDS, Difference, differences, lead, warnings, worsened
from .figure_table import FIGURES
from .record import AuditRecord, read_record
from .sentences import with_interval

PAGE = "audits.html"
"""The page of several audits. It lies in the current folder, since it is none's own."""


@dataclass(frozen=True)
class AuditComparison:
    """Audits, each against the first one.

    Attributes:
        paths: Their folders, or ``audit.json`` files.
        records: What they found.
        rows: The differences of each of the others from the first.
    """

    paths: tuple[Path, ...]
    records: tuple[AuditRecord, ...]
    rows: tuple[list[Difference], ...]

    @property
    def worse(self) -> bool:
        """Whether an audit is surely worse than the first one in some figure."""
        return any(worsened(rows) for rows in self.rows)

    def figures(self) -> dict[str, Any]:
        """Return the comparison as plain JSON values."""
        return {
            "audits": [str(path) for path in self.paths],
            "worse": self.worse,
            "comparisons": [
                {
                    "audit": str(path),
                    "against": str(self.paths[0]),
                    "finding": lead(rows),
                    "warnings": warnings(self.records[0], record),
                    "figures": {row.name: row.to_json() for row in rows},
                }
                for path, record, rows in zip(self.paths[1:], self.records[1:], self.rows, strict=True)
            ],
        }


def compare_audits(paths: Sequence[Path]) -> AuditComparison:
    """Compare audits with the first of them.

    Raises:
        ConfigError: There are fewer than two, or one is given twice.
        RunError: One has no record, or a damaged one.
    """
    if len(paths) < 2:
        raise ConfigError(
            f"`compare` takes two audits or more, got {len(paths)}; give their folders, the earlier first"
        )
    check_different(paths)
    records = tuple(read_record(path) for path in paths)
    return AuditComparison(tuple(paths), records, tuple(differences(records[0], record) for record in records[1:]))


def write_comparison(comparison: AuditComparison, out: Path | None = None) -> Path:
    """Write the page of a comparison, ``audits.html`` where ``out`` says nothing else, and return its file.

    Raises:
        ConfigError: ``out`` is no HTML file.
        RunError: It can't be written.
    """
    check_page_file(out)
    file = out or Path(PAGE)
    names = folder_names(list(comparison.paths))
    sections = [
        (f"{name} against {names[0]}", lead(rows), warnings(comparison.records[0], record), _table(rows))
        for name, record, rows in zip(names[1:], comparison.records[1:], comparison.rows, strict=True)
    ]
    values = [
        (name, [with_interval(record.figures[name]) for record in comparison.records])
        for name, kind in FIGURES.items()
        if kind.share and any(record.figures[name].value is not None for record in comparison.records)
    ]
    title = f"{len(names)} audits compared"
    write_page(
        file, render("audit_comparison.html", title=title, style="", sections=sections, values=Table(names, values))
    )
    return file


def _table(rows: Sequence[Difference]) -> Table:
    """Return the differences of figures that both have."""
    shown = []
    for row in rows:
        if row.difference is not None and row.low is not None and row.high is not None:
            change = f"{_points(row.difference)} ({_points(row.low)} to {_points(row.high)})"
            shown.append((row.name, [change, "none shown" if row.verdict == "none" else IN_WORDS[row.verdict]]))
    return Table(("change in percentage points, with 95 % interval", "difference"), shown)


def _points(change: float) -> str:
    points = round(100 * change, 1)
    return f"{points:+.1f}".replace("-", "−") if points else "0"
