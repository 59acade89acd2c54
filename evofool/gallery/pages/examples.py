"""Successes of a campaign as pictures: before, after with the pixel ringed, and a closer look."""

from __future__ import annotations

import base64
from collections import Counter
from html import escape

import numpy as np

from ...attacks.outcome import Outcome, recorded_edits
from ...encodings.pixels import Edits, edited
from ...io.png import png
from ...text import percent
from .findings import Findings

MOST_BYTES = 6_000_000
"""of pictures in a page, about"""

MOST, EACH_PAIR = 48, 2
"""successes that are shown, and how many of the same change of class at first"""

CLOSE = 0.4
"""share of the image's shorter side that the closer look shows, but 5 to 13 pixels"""


def win_tiles(found: Findings) -> str:
    """The section with the successes, the surest first, few of the same kind."""
    if not found.wins:
        return "<h2>Before and after</h2><p>No attempt was won, so there is nothing to show.</p>"
    size = len(png(found.folder.subjects[found.wins[0]["image"]].image))
    shown = pick(found.wins, max(6, min(MOST, MOST_BYTES // (2 * size))))
    words = "Left the image, in the middle with the edited pixel ringed, right a closer look."
    if len(shown) < len(found.wins):
        words += f" {len(shown)} of {len(found.wins):,} successes: the surest, few of the same kind."
    tiles = "".join(_tile(found, outcome) for outcome in shown)
    return f'<section><h2>Before and after</h2><p class="faint">{words}</p><div class="wins">{tiles}</div></section>'


def pick(wins: list[Outcome], count: int) -> list[Outcome]:
    """Up to ``count`` successes, the surest first, those beyond ``EACH_PAIR`` of the same change of class last."""
    seen: Counter[tuple[int, int]] = Counter()
    ranked = []
    for outcome in sorted(wins, key=lambda v: (-v["top5"][0][1], v["image"])):
        kind = outcome["label"], outcome["final_index"]
        seen[kind] += 1
        ranked.append((seen[kind] > EACH_PAIR, outcome))
    return [outcome for _, outcome in sorted(ranked, key=lambda pair: pair[0])][:count]


def _tile(found: Findings, outcome: Outcome) -> str:
    before = found.folder.subjects[outcome["image"]].image
    edits = recorded_edits(outcome, len(before))
    after = edited(before, edits)
    _, height, width = before.shape
    was, now = escape(outcome["class"]), escape(outcome["final"])
    changed = changed_places(before, after, edits)
    where = ", ".join(f"({x}, {y})" for x, y in changed[:5]) + (" …" if len(changed) > 5 else "")
    queries = outcome["queries_to_success"]
    surely = [percent(value, fine=False) for value in (outcome["confidence"], outcome["top5"][0][1])]
    return (
        '<figure class="win"><div class="trio">'
        f"{_shot(before, f'{was}, as it is')}"
        f"{_shot(after, f'taken for {now}', rings(changed, width, height))}"
        f"{_shot(_close(after, changed), 'the edited pixel, closer')}</div>"
        f'<p class="to"><b>{was} → {now}</b></p>'
        f'<p class="meta">{surely[0]} before, {surely[1]} after · at&nbsp;{where} · '
        f"{queries:,}&nbsp;{'query' if queries == 1 else 'queries'}</p></figure>"
    )


def _shot(pixels: np.ndarray, words: str, over: str = "") -> str:
    data = base64.b64encode(png(pixels)).decode()
    return f'<div class="shot"><img src="data:image/png;base64,{data}" alt="{words}" loading="lazy">{over}</div>'


def changed_places(before: np.ndarray, after: np.ndarray, edits: Edits) -> list[tuple[int, int]]:
    """(x, y) of the edits that change their pixel."""
    return [(int(x), int(y)) for x, y in edits[:, :2] if (before[:, y, x] != after[:, y, x]).any()]


def rings(places: list[tuple[int, int]], width: int, height: int) -> str:
    """Circles around pixels, to lie over a picture."""
    radius = max(1.0, 0.06 * max(width, height))
    circles = "".join(
        f'<circle class="ring{back}" cx="{x + 0.5}" cy="{y + 0.5}" r="{radius:.2f}"/>'
        for back in (" back", "")
        for x, y in places
    )
    return f'<svg viewBox="0 0 {width} {height}" aria-hidden="true">{circles}</svg>'


def _close(image: np.ndarray, places: list[tuple[int, int]]) -> np.ndarray:
    """The square around the first edit, moved inside the image."""
    _, height, width = image.shape
    across = min(height, width, max(5, min(13, round(CLOSE * min(height, width)) | 1)))
    x, y = places[0] if places else (width // 2, height // 2)
    left = min(max(0, x - across // 2), width - across)
    top = min(max(0, y - across // 2), height - across)
    return np.ascontiguousarray(image[:, top : top + across, left : left + across])
