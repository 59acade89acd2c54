"""A campaign's successes as a source of a gallery page."""

from __future__ import annotations

import shlex
from pathlib import Path

from ...errors import RunError
from ...io.png import png
from ...io.slug import slug
from ...text import counted, percent
from .findings import read_findings
from .headline import headline
from .items import item_details
from .sources import Source, Tile
from .successes import Success, shown_successes

MAX_SUCCESSES = 1_000
"""Largest number of successes on a page."""


def read_campaign(path: Path) -> Source:
    """Read a campaign's successes: the surest, few of the same kind first.

    Raises:
        RunError: No campaign is there, it is damaged, or no attempt succeeded.
    """
    findings = read_findings(path)
    if not findings.successes:
        raise RunError(f"{path} has no success to show; its figures: evofool report {shlex.quote(str(path))}")
    top, count = headline(findings), len(findings.successes)
    lead = " ".join([*(f"Warning: {warning}." for warning in top.warnings), top.lead])
    if count > MAX_SUCCESSES:
        lead += f" {MAX_SUCCESSES:,} of {counted(count, 'success')} are here."
    config = findings.config
    return Source(
        name=findings.name,
        target=config.target.scoring,
        encoding="pixels",
        tiles=[_tile(success) for success in shown_successes(findings, MAX_SUCCESSES)],
        shape=config.target.image_shape,
        network=config.target.label,
        seed=config.plan.seed,
        title=top.title,
        lead=lead,
        figures=top.figures,
        links=[(path / "report.html", "How it was done, and all figures")],
        sorts={"index": "", "generation": "", "class": "class as it was", "size": "queries"},
    )


def _tile(success: Success) -> Tile:
    """Return the tile of a success, with the image as it was beside it."""
    outcome = success.outcome
    return Tile(
        name=f"{outcome['class']} → {outcome['final']}",
        score=success.confidence,
        picture=png(success.after),
        index=outcome["label"],
        top=[(name, float(value)) for name, value in outcome["top5"]],
        size=outcome["queries_to_success"],
        stem=slug(f"{outcome['image']}-{outcome['class']}-{outcome['final']}"),
        before=png(success.subject.image),
        change=(outcome["class"], outcome["final"]),
        edits=success.changed,
        details=[
            ("Was", outcome["class"]),
            ("Before", percent(outcome["confidence"])),
            ("Changed", success.changed_text(6)),
            ("Queries", f"{outcome['queries_to_success']:,}"),
            ("Image", success.subject.id),
            *item_details(outcome),
        ],
    )
