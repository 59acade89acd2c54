"""A campaign's successes as tiles: the image with the changed pixels ringed, and as it was."""

from __future__ import annotations

import shlex
from pathlib import Path

from ...attacks.outcome import Outcome, recorded_edits
from ...encodings.pixels import edited
from ...errors import RunError
from ...io.png import png
from ...io.slug import slug
from ...text import percent
from .examples import changed_places, pick, rings
from .exhibit import Source, Tile
from .findings import Findings, gather
from .headline import headline

MOST = 1_000
"""successes on a page: the surest, few of the same kind first"""


def from_campaign(path: Path) -> Source:
    """A campaign's successes.

    Raises:
        RunError: no campaign is there, it is damaged, or no attempt was won.
    """
    found = gather(path)
    if not found.wins:
        raise RunError(f"{path} has no success to show; its figures: evofool report {shlex.quote(str(path))}")
    told = headline(found)
    shown = pick(found.wins, MOST)
    lead = told.lead
    if len(shown) < len(found.wins):
        lead += f" {len(shown):,} of {len(found.wins):,} successes are here."
    config = found.config
    return Source(
        name=found.name,
        target=config["target"]["name"],
        facts={"encoding": "pixels", "seed": config["seed"]},
        tiles=[_tile(found, outcome) for outcome in shown],
        shape=config["target"]["image_shape"],
        title=told.title,
        lead=lead,
        cards=told.facts,
        links=[(path / "report.html", "How it was done, and all figures")],
        sorts={"index": "", "generation": "", "class": "class as it was", "size": "queries"},
    )


def _tile(found: Findings, outcome: Outcome) -> Tile:
    subject = found.folder.subjects[outcome["image"]]
    before = subject.image
    edits = recorded_edits(outcome, len(before))
    after = edited(before, edits)
    _, height, width = before.shape
    places = changed_places(before, after, edits)
    return Tile(
        name=f"{outcome['class']} → {outcome['final']}",
        score=float(outcome["top5"][0][1]),
        picture=png(after),
        index=outcome["label"],
        top=[[str(name), float(value)] for name, value in outcome["top5"]],
        size=int(outcome["queries_to_success"]),
        stem=slug(f"{outcome['image']}-{outcome['class']}-{outcome['final']}"),
        before=png(before),
        edits=[list(place) for place in places],
        more=[
            ("Was", str(outcome["class"])),
            ("Before", percent(outcome["confidence"], fine=False)),
            ("Changed", ", ".join(f"({x}, {y})" for x, y in places[:6]) + (" …" if len(places) > 6 else "")),
            ("Queries", f"{outcome['queries_to_success']:,}"),
            ("Image", subject.id),
        ],
        over=rings(places, width, height),
    )
