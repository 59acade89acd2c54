"""The HTML of a gallery page: its texts and figures, and what its scripts read."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...text import class_name, clock, counted, operators_text, percent, rate
from .rendering import one_line, render
from .side_by_side import SURE, colour_keys, has_seeds, seed_groups, seeds_title, shared_settings, table_rows
from .sources import Figure, Source, Tile, surest
from .storage import Storage
from .tiles import Numbered, numbered_tiles, shared_classes, tile_grid

STYLES = (
    "tokens.css", "base.css", "key.css", "rings.css", "table.css",
    "top.css", "how.css", "controls.css", "grid.css", "closer.css", "graph.css", "legend.css",
    "parts.css", "footer.css",
)  # fmt: skip
"""The page's style sheets. A component's is named after its id or class, and its rules reach nothing outside it."""

SCRIPTS = (
    "dom.js", "format.js", "memory.js", "data.js", "theme.js",
    "cppn.js", "influence.js", "graph.js", "stage.js", "strip.js", "odds.js", "curves.js",
    "grid.js", "sharp.js", "arrows.js", "keyboard.js", "lineage.js", "weights.js", "parts.js", "viewer.js",
    "history.js", "session.js", "live.js", "page.js",
)  # fmt: skip
"""The page's scripts, in the order they run."""

MAX_NAMED = 4
"""Largest number of sources that a title names."""

ENCODINGS = {"cppn": "CPPNs (compositional pattern-producing networks)", "direct": "raw pixels"}

SORTS = {
    "confidence": "confidence",
    "class": "class name",
    "index": "class number",
    "generation": "generation",
    "size": "genome size",
}
LEVELS = {
    "": "any confidence",
    "0.999-": "at least 99.9 %",
    "0.99-": "at least 99 %",
    "0.9-": "at least 90 %",
    "0.5-": "at least 50 %",
    "-0.99": "below 99 %",
    "-0.5": "below 50 %",
}


def gallery_page(
    sources: Sequence[Source], storage: Storage, *, folder: Path, title: str | None, live: dict[str, float] | None
) -> str:
    """Return the page's HTML.

    Args:
        sources: What to show; several stand side by side, class by class.
        storage: Keeps pictures and details.
        folder: Where the page will be.
        title: Title instead of the page's own.
        live: ``every`` how many seconds the page is written again, and when it was ``written`` (seconds since 1970);
            None where the run does not go on.
    """
    groups = seed_groups(sources)
    keys = colour_keys(groups)
    data = {
        "live": live,
        "sources": [
            {**_source_data(source, storage), "key": key, "group": group}
            for source, key, group in zip(sources, keys, groups, strict=True)
        ],
        "tiles": [_tile_data(tile, sources[tile.source], storage) for tile in numbered_tiles(sources)],
    }
    strips = [source.strip for source in sources if source.strip]
    return render(
        "gallery.html",
        title=title or seeds_title(sources, groups) or _title(sources),
        live=live,
        lead="" if len(sources) > 1 else sources[0].lead or _lead(sources[0]),
        links=_links(sources[0], folder) if len(sources) == 1 else [],
        figures=_figures(sources[0]) if len(sources) == 1 else [],
        names=[source.name for source in sources],
        rows=table_rows(sources) if len(sources) > 1 else [],
        same=shared_settings(sources) if len(sources) > 1 else "",
        history=bool(strips),
        banded=has_seeds(groups),
        keys=keys,
        others=sum(source.is_other(tile) for source in sources for tile in source.tiles),
        class_strip=len(sources) == 1 and any(strip.names for strip in strips),
        levels=LEVELS,
        sorts={**SORTS, **sources[0].sorts},
        drawable=any(source.frame for source in sources),
        grid=tile_grid(sources, storage),
        shapes=[source.shape for source in sources],
        count=sum(len(source.tiles) for source in sources),
        sure=SURE,
        data=data,
        styles=STYLES,
        scripts=SCRIPTS,
    )


def _title(sources: Sequence[Source]) -> str:
    if len(sources) > 1:
        if len(sources) > MAX_NAMED:
            return f"{len(sources)} {'runs ' if all(source.config for source in sources) else ''}side by side"
        names = f"{', '.join(source.name for source in sources[:-1])} and {sources[-1].name}"
        return f"{names}, side by side" if shared_classes(sources) else names
    source = sources[0]
    if source.title or all(tile.score is None for tile in source.tiles):
        return source.title or source.name
    return f"What {source.target.removeprefix('torchvision:')} is sure about"


def _lead(source: Source) -> str:
    """Return how the pictures were made."""
    encoding = ENCODINGS.get(source.encoding, source.encoding)
    if all(tile.score is None for tile in source.tiles):
        return (
            f"Pictures of {encoding}, not scored: a genome without a check sum may have been changed since it was "
            "scored. Each picture, opened, has the command that scores it."
        )
    lead = f"Evolved from {encoding} using nothing but the network's scores"
    if source.preset is not None:
        lead += f": preset {source.preset}, seed {source.seed}"
    if source.swapped:
        lead += f", with operators of the user's own: {operators_text(source.swapped)}"
    if source.cells:
        descriptors = " × ".join(source.cells.names)
        apart = f"by {descriptors}" if descriptors else "each far from the others"
        lead += f". Several pictures of each class: {apart}"
    if source.hardware:
        lead += f"; {source.hardware}"
    return f"{lead}."


def _links(source: Source, folder: Path) -> list[tuple[str, str]]:
    """Return the addresses and descriptions of pages that are beside this one."""
    return [(quote(file.name), words) for file, words in source.links if file.parent == folder and file.exists()]


def _figures(source: Source) -> list[Figure]:
    """Return the figures at the top of the page of one source."""
    if source.figures:
        return source.figures
    figures = []
    best = [surest(tiles) for tiles in source.classes()]
    scores = [tile.score for tile in best if tile.score is not None]
    if scores:
        lowest = min((tile for tile in best if tile.score is not None), key=lambda tile: tile.score or 0.0)
        certain = sum(score >= SURE for score in scores)
        figures += [
            Figure("Median confidence", percent(statistics.median(scores)), f"of {counted(len(scores), 'class')}"),
            Figure("At 99 % or more", f"{certain:,} of {len(scores):,}", "classes"),
            Figure("Lowest", percent(lowest.score or 0.0), class_name(one_line(lowest.name)[:40])),
        ]
    if missing := sum(tile.score is None for tile in source.tiles):
        figures.append(Figure("Not scored", f"{missing:,}", f"of {counted(len(source.tiles), 'picture')}"))
    if source.cells:
        count, niches = len(source.tiles), len(best) * source.cells.count
        quality = sum(tile.score or 0.0 for tile in source.tiles)
        own = sum(not source.is_other(tile) for tile in source.tiles)
        figures += [
            Figure("Pictures", f"{count:,}", f"in {counted(niches, 'niche')} ({rate(count / niches)})"),
            Figure("First guess", f"{own:,} of {count:,}", "are taken for their class first"),
            Figure("QD score", f"{quality:,.1f}", "sum of all confidences"),
        ]
    if progress := source.progress:
        again = f"+ {counted(progress.confirmations, 'confirmation')}, " if progress.confirmations else ""
        speed = progress.evaluations / max(progress.seconds, 1e-9)
        figures += [
            Figure("Evaluations", f"{progress.evaluations:,}", f"{again}{counted(progress.generation, 'generation')}"),
            Figure("Time", clock(progress.seconds), f"{speed:,.0f} images/s"),
        ]
    return figures


def _source_data(source: Source, storage: Storage) -> dict[str, Any]:
    """Return what the scripts read of a source."""
    progress = source.progress
    return {
        "name": source.name,
        "target": source.target,
        "facts": {
            "encoding": source.encoding,
            "preset": source.preset,
            "seed": source.seed,
            "generation": progress.generation if progress else None,
            "evaluations": progress.evaluations if progress else None,
            "confirmations": progress.confirmations if progress else None,
            "seconds": progress.seconds if progress else None,
        },
        "shape": source.shape,
        "frame": source.frame,
        "strip": source.strip.to_json() if source.strip else None,
        "past": storage.ancestors(source.ancestors),
    }


def _tile_data(numbered: Numbered, source: Source, storage: Storage) -> dict[str, Any]:
    """Return what the scripts read of a tile."""
    number, at, tile = numbered
    details = {
        "genome": tile.genome,
        "line": tile.lineage,
        "before": storage.picture(number, tile, "before") if tile.before is not None else None,
        "parts": tile.parts,
    }
    return {
        "s": at,
        "n": tile.name,
        "i": tile.index,
        "c": tile.score,
        "g": tile.generation,
        "e": tile.evaluation,
        "z": tile.size,
        "top": tile.top,
        "more": tile.details,
        "edits": tile.edits,
        "ancestors": tile.ancestor_count,
        "other": source.is_other(tile),
        "stem": tile.stem,
        "commands": tile.commands,
        "changed": tile.changed,
        **storage.details(number, details, _ancestors(tile, source)),
    }


def _ancestors(tile: Tile, source: Source) -> dict[int, Any]:
    """Return those ancestors of a tile that the history still has."""
    wanted = (ancestor.evaluation_id for ancestor in tile.lineage[:-1])
    return {number: source.ancestors[number] for number in wanted if number in source.ancestors}
