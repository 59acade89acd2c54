"""A page's HTML: everything that is shown is escaped, everything it needs is inside or lies beside it."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from ...text import clock, counted, percent
from .cells import WIDE, Cells
from .exhibit import Source, Tile
from .parts import part

POLICY = (
    "default-src 'none'; img-src data: file: 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline' file: "
    "'self'; base-uri 'none'; form-action 'none'"
)
"""what the page may load: itself and what lies beside it; nothing from a network"""

SURE = 0.99

COARSE = 128
"""pictures of fewer pixels a side are shown with hard edges, and CPPNs sharp beside them"""

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


class Store(Protocol):
    """Where pictures and details are: in the page, or beside it."""

    def picture(self, number: int, tile: Tile, kind: str = "") -> str:
        """What goes into ``src`` for a tile's picture (or its ``kind``: before)."""
        ...

    def details(self, number: int, details: dict[str, Any], past: dict[int, Any]) -> dict[str, Any]:
        """What the data says of a tile's details."""
        ...

    def past(self, past: dict[int, Any]) -> dict[int, Any]:
        """What the data says of a source's ancestors."""
        ...


def page(
    sources: Sequence[Source], store: Store, *, folder: Path, title: str | None, live: dict[str, float] | None
) -> str:
    """The page's HTML.

    Args:
        sources: what to show; several side by side, class by class.
        store: keeps pictures and details.
        folder: where the page will lie.
        title: instead of its own.
        live: ``every`` seconds it is written again, and when it was ``written`` (seconds since 1970); None when the
            run doesn't go on.
    """
    title = title or _title(sources)
    numbered = list(enumerate((at, tile) for at, source in enumerate(sources) for tile in source.tiles))
    data = {
        "live": live,
        "sources": [_source(source, store) for source in sources],
        "tiles": [_tile(number, at, tile, sources[at], store) for number, (at, tile) in numbered],
    }
    body = [
        f'<header class="top"><div class="bar"><p class="brand">evofool</p>{_live(live)}'
        '<button type="button" id="theme" class="quiet" aria-label="Light or dark">◐</button></div>',
        f"<h1>{_words(title)}</h1>",
        _lead(sources, folder),
        "</header><main>",
        _how(sources),
        _controls(sources),
        _grid(sources, numbered, store),
        "</main>",
        part("dialog.html"),
        f'<footer><p>{_footer(sources)}</p><p class="keys"><kbd>/</kbd> filter <kbd>←</kbd><kbd>↑</kbd><kbd>↓</kbd>'
        "<kbd>→</kbd> move <kbd>Enter</kbd> open <kbd>Esc</kbd> close</p></footer>",
        f'<script type="application/json" id="data">{dumps(data)}</script>',
        *(f"<script>{part(name)}</script>" for name in ("cppn.js", "graph.js", "stage.js", "strip.js", "page.js")),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_words(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<style>{part('tokens.css')}{part('page.css')}</style></head><body>{''.join(body)}</body></html>\n"
    )


def dumps(value: Any) -> str:
    """JSON that can stand inside of a script element."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _words(text: str) -> str:
    """Someone's words: escaped, in one line."""
    return escape(" ".join(text.split()))


def _title(sources: Sequence[Source]) -> str:
    if len(sources) > 1:
        names = f"{', '.join(source.name for source in sources[:-1])} and {sources[-1].name}"
        return f"{names}, side by side" if _shares_classes(sources) else names
    return sources[0].title or f"What {sources[0].target.removeprefix('torchvision:')} is sure about"


def _shares_classes(sources: Sequence[Source]) -> bool:
    """Whether there is anything to show side by side."""
    names = [{tile.name for tile in source.tiles} for source in sources]
    return sum(map(len, names)) > len(set().union(*names))


def _lead(sources: Sequence[Source], folder: Path) -> str:
    if len(sources) > 1:
        return _table(sources)
    (source,) = sources
    cards = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(note)}</small></dd></div>"
        for name, value, note in _cards(source)
    )
    beside = [(file.name, words) for file, words in source.links if file.parent == folder and file.exists()]
    links = " ".join(f'<a href="{quote(name)}">{_words(words)}</a>' for name, words in beside)
    lead = f"{_words(source.lead or _lead_words(source))}{' ' + links if links else ''}"
    return f'<p class="lead">{lead}</p><dl class="facts">{cards}</dl>'


def _lead_words(source: Source) -> str:
    facts = source.facts
    kinds = {"cppn": "CPPNs (compositional pattern-producing networks)", "direct": "raw pixels"}
    how = f"Evolved from {kinds.get(facts['encoding'], facts['encoding'])} using nothing but the network's scores"
    if "seed" in facts:
        how += f": preset {facts['preset']}, seed {facts['seed']}"
    if source.cells:
        by = " × ".join(source.cells.names)
        how += f". Several pictures of each class: {f'by {by}' if by else 'each far from the others'}"
    return f"{how}."


def _cards(source: Source) -> list[tuple[str, str, str]]:
    if source.cards:
        return source.cards
    facts, cards = source.facts, []
    surest = [max(own, key=lambda tile: tile.score or 0.0) for own in _classes(source)]
    scores = [tile.score for tile in surest if tile.score is not None]
    if scores:
        lowest = min((tile for tile in surest if tile.score is not None), key=lambda tile: tile.score or 0)
        sure = sum(score >= SURE for score in scores)
        cards += [
            ("Median confidence", percent(statistics.median(scores), fine=False), f"of {len(scores):,} classes"),
            ("At 99 % or more", f"{sure:,} of {len(scores):,}", "classes"),
            ("Lowest", percent(lowest.score or 0.0, fine=False), " ".join(lowest.name.split())[:40]),
        ]
    if source.cells:
        every = [tile.score or 0.0 for tile in source.tiles]
        niches = len(surest) * source.cells.niches
        cards += [
            ("Pictures", f"{len(every):,}", f"in {niches:,} niches ({percent(len(every) / niches, fine=False)})"),
            ("QD score", f"{sum(every):,.1f}", "sum of all confidences"),
        ]
    if "evaluations" in facts:
        cards.append(("Evaluations", f"{facts['evaluations']:,}", counted(facts["generation"], "generation")))
    if "seconds" in facts:
        cards.append(
            ("Time", clock(facts["seconds"]), f"{facts['evaluations'] / max(facts['seconds'], 1e-9):,.0f} images/s")
        )
    return cards


def _classes(source: Source) -> list[list[Tile]]:
    """The tiles of each class; each tile by itself where a class has one."""
    if not source.cells:
        return [[tile] for tile in source.tiles]
    classes: dict[int | None, list[Tile]] = {}
    for tile in source.tiles:
        classes.setdefault(tile.index, []).append(tile)
    return list(classes.values())


def _table(sources: Sequence[Source]) -> str:
    heads = ("", "target", "encoding", "seed", "classes", "median", "≥ 99 %", "lowest", "evaluations")
    rows = []
    for number, source in enumerate(sources):
        scores = [tile.score for tile in source.tiles if tile.score is not None]
        facts = source.facts
        cells = [
            source.target,
            facts.get("encoding", "–"),
            str(facts.get("seed", "–")),
            f"{len(source.tiles):,}",
            percent(statistics.median(scores), fine=False) if scores else "–",
            f"{sum(score >= SURE for score in scores):,}",
            percent(min(scores), fine=False) if scores else "–",
            f"{facts['evaluations']:,}" if "evaluations" in facts else "–",
        ]
        head = f'<th scope="row"><i class="key k{number % 6}"></i><bdi>{_words(source.name)}</bdi></th>'
        rows.append(f"<tr>{head}{''.join(f'<td>{_words(cell)}</td>' for cell in cells)}</tr>")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _live(live: dict[str, float] | None) -> str:
    if not live:
        return ""
    return '<p class="live" role="status"><i></i><span>live</span></p>'


def _how(sources: Sequence[Source]) -> str:
    if not any(source.strip for source in sources):
        return ""
    strips = len(sources) == 1 and sources[0].strip is not None and bool(sources[0].strip.names)
    canvas = (
        '<canvas id="strip" role="img" aria-label="Confidence of every class over time"></canvas>' if strips else ""
    )
    words = "Median confidence over the classes" + (
        ", and below it every class: a row each, from the first generation to the last." if strips else "."
    )
    return (
        '<section id="how"><div><h2>How it came about</h2>'
        '<fieldset class="switch" id="across"><legend class="hidden">Over</legend>'
        '<label><input type="radio" name="across" value="evaluations" checked><span>evaluations</span></label>'
        '<label><input type="radio" name="across" value="time"><span>wall time</span></label></fieldset></div>'
        '<figure><div class="plot"><div id="medians"></div>'
        f'{canvas}<p id="tip" hidden></p></div><figcaption>{words} <span id="scale"></span></figcaption>'
        "</figure></section>"
    )


def _controls(sources: Sequence[Source]) -> str:
    sorts = {**SORTS, **sources[0].sorts}
    chosen = "".join(f'<option value="{key}">{words}</option>' for key, words in sorts.items() if words)
    levels = "".join(f'<option value="{key}">{words}</option>' for key, words in LEVELS.items())
    sharp = any(source.frame for source in sources)
    toggle = (
        '<fieldset class="switch" id="look"><legend class="hidden">Pictures</legend>'
        '<label><input type="radio" name="look" value="sharp" checked><span>sharp</span></label>'
        '<label><input type="radio" name="look" value="seen"><span>as the network saw it</span></label></fieldset>'
        if sharp
        else ""
    )
    return (
        '<div id="controls" role="search"><label><span class="hidden">Filter by class</span>'
        '<input id="filter" type="search" placeholder="Filter classes" autocomplete="off" spellcheck="false"></label>'
        f'<label><span class="hidden">Confidence</span><select id="level">{levels}</select></label>'
        f'<label><span>sort by</span> <select id="sort">{chosen}</select></label>{toggle}'
        '<output id="count" aria-live="polite"></output></div>'
    )


def _cell_grid(source: Source, cells: Cells, store: Store) -> str:
    """The pictures of each class where they stand among each other, the surest class first."""
    number = {id(tile): at for at, tile in enumerate(source.tiles)}
    classes = sorted(_classes(source), key=lambda own: -max(tile.score or 0.0 for tile in own))
    hard = " hard" if max(source.shape[1:]) < COARSE else ""
    inner = []
    for own in classes:
        best = percent(max(tile.score or 0.0 for tile in own), fine=False)
        places = "".join(
            '<span class="hole"></span>' if at is None else _button(number[id(own[at])], own[at], "", 0, False, store)
            for at in cells.arranged([(tile.cell, tile.score or 0.0) for tile in own])
        )
        ends = "".join(
            f'<p class="{kind}" aria-hidden="true"><span>{first}</span><span>{last}</span></p>'
            for kind, (first, last) in (("up", cells.up or ("", "")), ("across", cells.across or ("", "")))
            if first
        )
        inner.append(
            f'<li class="card"><p class="name"><bdi>{_words(own[0].name)}</bdi> <small>{best}</small></p>'
            f'<div class="places" style="--columns:{cells.columns}">{places}</div>{ends}</li>'
        )
    tight = " tight" if cells.columns > WIDE else ""
    return (
        f'<ul class="grid pairs cells{hard}{tight}" id="grid">{"".join(inner)}</ul>'
        '<p id="none" hidden>Nothing fits this filter.</p>'
    )


Numbered = tuple[int, tuple[int, Tile]]


def _grid(sources: Sequence[Source], numbered: list[Numbered], store: Store) -> str:
    cells = sources[0].cells if len(sources) == 1 else None
    if cells:
        return _cell_grid(sources[0], cells, store)
    several = _shares_classes(sources)
    if several:
        cards = _by_class(numbered)
    else:
        cards = [[one] for one in sorted(numbered, key=lambda one: -(one[1][1].score or 0.0))]
    size = "few" if len(cards) <= 12 else "some" if len(cards) <= 120 else "many"
    inner = "".join(_card(card, sources, several, store) for card in cards)
    hard = " hard" if all(max(source.shape[1:]) < COARSE for source in sources) else ""
    kind = f"grid pairs of{min(len(sources), 4)}" if several else f"grid {size}"
    kind += hard
    return f'<ul class="{kind}" id="grid">{inner}</ul><p id="none" hidden>Nothing fits this filter.</p>'


def _by_class(numbered: list[Numbered]) -> list[list[Numbered]]:
    """Tiles of the same class together; classes of one network that share a name are told apart by their turn."""
    cards: dict[tuple[str, int], list[Numbered]] = {}
    turns: Counter[tuple[int, str]] = Counter()
    for number, (at, tile) in numbered:
        turn = turns[at, tile.name]
        turns[at, tile.name] += 1
        cards.setdefault((tile.name, turn), []).append((number, (at, tile)))
    return list(cards.values())


def _card(card: list[Numbered], sources: Sequence[Source], paired: bool, store: Store) -> str:
    """A class; with the sources' names where it is shown side by side, and their colours where there are several."""
    name = card[0][1][1].name
    head = f'<p class="name"><bdi>{_words(name)}</bdi></p>' if paired else ""
    labels = [sources[at].name if len(sources) > 1 else "" for _, (at, _) in card]
    tiles = "".join(
        _button(number, tile, label, at, paired, store)
        for label, (number, (at, tile)) in zip(labels, card, strict=True)
    )
    return f'<li class="card">{head}{tiles}</li>'


def _button(number: int, tile: Tile, label: str, at: int, paired: bool, store: Store) -> str:
    name = escape(" ".join(tile.name.split()), quote=True)
    sure = percent(tile.score, fine=False) if tile.score is not None else ""
    told = f"{name}{', ' + sure if sure else ''}{', ' + escape(label, quote=True) if label else ''}"
    picture = escape(store.picture(number, tile), quote=True)
    share = 100 * (tile.score or 0.0)
    kind = "sure" if (tile.score or 0.0) >= SURE else "unsure"
    shown = escape(label) if paired else f"<bdi>{name}</bdi>"
    key = f'<i class="key k{at % 6}" title="{escape(label, quote=True)}"></i>' if label else ""
    return (
        f'<button type="button" class="tile" data-n="{number}" aria-label="{told}">'
        f'<span class="shot"><img src="{picture}" alt="taken for {name}" loading="lazy" decoding="async">'
        f'{tile.over}</span><span class="meter {kind}"><i style="width:{share:.2f}%"></i></span>'
        f'<span class="said"><span class="what" title="{name}">{key}{shown}</span>'
        f'<span class="sure">{sure}</span></span></button>'
    )


def _source(source: Source, store: Store) -> dict[str, Any]:
    return {
        "name": source.name,
        "target": source.target,
        "facts": source.facts,
        "shape": source.shape,
        "frame": source.frame,
        "strip": source.strip.to_json() if source.strip else None,
        "past": store.past(source.past),
    }


def _tile(number: int, at: int, tile: Tile, source: Source, store: Store) -> dict[str, Any]:
    evaluation_id = [ancestor[3] for ancestor in tile.line[:-1]]
    details = {
        "genome": tile.genome,
        "line": tile.line,
        "before": store.picture(number, tile, "before") if tile.before is not None else None,
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
        "more": tile.more,
        "edits": tile.edits,
        "ancestors": tile.ancestors,
        "stem": tile.stem,
        "commands": tile.commands,
        **store.details(
            number, details, {child: source.past[child] for child in evaluation_id if child in source.past}
        ),
    }


def _footer(sources: Sequence[Source]) -> str:
    return (
        f"{sum(len(source.tiles) for source in sources):,} pictures. Confidence is the network's own, in float32, for "
        "exactly the pixels shown as “the network saw”. Made with evofool."
    )
