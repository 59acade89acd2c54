"""A campaign's successes as tiles: the image with the changed pixels ringed, and as it was."""

from __future__ import annotations

import shlex
from pathlib import Path

from ..duels.verdict import Verdict, recorded_edits
from ..encodings.pixels import edited
from ..errors import RunError
from ..png import png
from ..slug import slug
from ..text import percent
from .examples import changed_places, pick, rings
from .exhibit import Source, Tile
from .findings import Findings, gather
from .headline import headline

MOST = 1_000
"""successes on a page: the surest, few of the same kind first"""


def from_campaign(path: Path) -> Source:
    """A campaign's successes.

    Raises:
        RunError: no campaign is there, it is damaged, or no duel was won.
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
        tiles=[_tile(found, verdict) for verdict in shown],
        shape=config["target"]["image_shape"],
        title=told.title,
        lead=lead,
        cards=told.facts,
        links=[(path / "report.html", "How it was done, and all figures")],
        sorts={"index": "", "generation": "", "class": "class as it was", "size": "queries"},
    )


def _tile(found: Findings, verdict: Verdict) -> Tile:
    subject = found.folder.subjects[verdict["image"]]
    before = subject.image
    edits = recorded_edits(verdict, len(before))
    after = edited(before, edits)
    _, height, width = before.shape
    places = changed_places(before, after, edits)
    return Tile(
        name=f"{verdict['class']} → {verdict['final']}",
        score=float(verdict["top5"][0][1]),
        picture=png(after),
        index=verdict["label"],
        top=[[str(name), float(value)] for name, value in verdict["top5"]],
        size=int(verdict["queries_to_success"]),
        stem=slug(f"{verdict['image']}-{verdict['class']}-{verdict['final']}"),
        before=png(before),
        edits=[list(place) for place in places],
        more=[
            ("Was", str(verdict["class"])),
            ("Before", percent(verdict["confidence"], fine=False)),
            ("Changed", ", ".join(f"({x}, {y})" for x, y in places[:6]) + (" …" if len(places) > 6 else "")),
            ("Queries", f"{verdict['queries_to_success']:,}"),
            ("Image", subject.id),
        ],
        over=rings(places, width, height),
    )
