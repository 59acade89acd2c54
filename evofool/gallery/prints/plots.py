"""The figures of a campaign's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...attacks.statistics import wilson
from .svg import TONES, decades, figure, line, linear, logarithmic, path, rect, round_ticks, text

WIDTH, HEIGHT = 680.0, 380.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 150.0, 18.0, 52.0

MOST_CLASSES = 24
"""classes that a heat map shows"""


@dataclass(frozen=True)
class Series:
    """One curve of success: ``queries`` of each success, of ``n`` pairs of image and criterion in all."""

    name: str
    queries: Sequence[int]
    n: int
    dashed: bool = False
    longest: int = 1
    """queries of the longest pair: where the curve ends"""


def success_curve(series: Sequence[Series]) -> str:
    """Share of pairs whose criterion was reached within so many queries, with the first one's Wilson band."""
    most = max((max(one.longest, *one.queries, 1) for one in series), default=1)
    ticks = decades(most)
    x = logarithmic(1, ticks[-1], LEFT, WIDTH - RIGHT)
    highest = max((wilson(len(one.queries), one.n)[1] for one in series if one.n), default=1.0)
    top = next(value for value in (0.1, 0.2, 0.5, 1.0) if highest <= value)
    y = linear(0, top, HEIGHT - BOTTOM, TOP)
    shares = [top * step / 5 for step in range(6)]
    body = [line(LEFT, y(share), WIDTH - RIGHT, y(share), "grid") for share in shares]
    body += [text(LEFT - 10, y(share) + 4, f"{100 * share:g} %", anchor="end", kind="faint") for share in shares]
    body += [text(x(tick), HEIGHT - BOTTOM + 20, f"{tick:,}", anchor="middle", kind="faint") for tick in ticks]
    body += [line(x(tick), HEIGHT - BOTTOM, x(tick), HEIGHT - BOTTOM + 5, "axis") for tick in ticks]
    ends: list[tuple[float, int, Series]] = []
    for index, one in enumerate(series):
        steps = _steps(one)
        tone = "z" if one.dashed else TONES[index % len(TONES)]
        if index == 0 and one.n:
            bounds = [(q, *wilson(round(share * one.n), one.n)) for q, share in [(1.0, 0.0), *steps]]
            low = _stairs([(q, b) for q, b, _ in bounds], ticks[-1])
            high = _stairs([(q, b) for q, _, b in bounds], ticks[-1])
            body.append(path([(x(q), y(v)) for q, v in low + high[::-1]], f"band {tone}", close=True))
        points = [(x(q), y(v)) for q, v in _stairs(steps, ticks[-1])]
        body.append(path(points, f"line {tone}" + (" dash" if one.dashed else "")))
        ends.append((points[-1][1], index, one))
    for place, index, one in _apart(ends):
        share = len(one.queries) / one.n if one.n else 0.0
        tone = "z" if one.dashed else TONES[index % len(TONES)]
        body.append(
            text(WIDTH - RIGHT + 10, place + 4, f"{_short(one.name, 14)} {100 * share:.0f} %", kind=f"label {tone}")
        )
    body.append(line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "axis"))
    body.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "queries, logarithmic", anchor="middle", kind="faint"))
    return figure(WIDTH, HEIGHT, body, "Share of attempts won against queries")


def class_heat(counts: Mapping[tuple[int, int], int], classes: Sequence[str]) -> str:
    """Original class × what it became, with counts; the classes that occur most where there are many."""
    totals: dict[int, int] = {}
    for (row, column), n in counts.items():
        totals[row] = totals.get(row, 0) + n
        totals[column] = totals.get(column, 0) + n
    shown = sorted(sorted(totals, key=lambda c: (-totals[c], c))[:MOST_CLASSES])
    if len(classes) <= MOST_CLASSES:
        shown = list(range(len(classes)))
    size = max(20.0, min(40.0, 560 / max(1, len(shown))))
    names = [_short(classes[index], 16) for index in shown]
    left = 34.0 + 7.0 * max(map(len, names), default=1)
    top = 40.0 + 6.4 * max(map(len, names), default=1)
    body, most = [], max(counts.values(), default=1)
    for i, row in enumerate(shown):
        body.append(text(left - 8, top + (i + 0.5) * size + 4, names[i], anchor="end"))
        body.append(text(left + (i + 0.5) * size + 4, top - 8, names[i], turn=True))
        for j, column in enumerate(shown):
            n = counts.get((row, column), 0)
            at = left + j * size, top + i * size
            strength = 0.15 + 0.85 * n / most
            kind = f'class="cell" opacity="{strength:.2f}"' if n else 'class="blank"'
            body.append(rect(at[0] + 1, at[1] + 1, size - 2, size - 2, f'rx="3" {kind}'))
            if n:
                ink = "on" if strength > 0.55 else ""
                body.append(text(at[0] + size / 2, at[1] + size / 2 + 4.5, str(n), anchor="middle", kind=ink))
    body.append(text(left, 14, "became →", kind="faint"))
    body.append(text(left - 8, top - 8, "was ↓", kind="faint", anchor="end"))
    return figure(left + size * len(shown) + 12, top + size * len(shown) + 8, body, "Original class against new class")


def bars(counts: Mapping[int, int], axis: str, title: str) -> str:
    """Counts of whole numbers as bars."""
    width, height, left, bottom = 440.0, 260.0, 52.0, 50.0
    low, high = min(counts, default=0), max(counts, default=1)
    ticks = round_ticks(max(counts.values(), default=1), 4)
    y = linear(0, ticks[-1], height - bottom, 14)
    step = (width - left - 10) / (high - low + 1)
    body = [line(left, y(tick), width - 10, y(tick), "grid") for tick in ticks]
    body += [text(left - 8, y(tick) + 4, f"{tick:,}", anchor="end", kind="faint") for tick in ticks]
    every = max(1, round((high - low + 1) / 12))
    for value in range(low, high + 1):
        n, at = counts.get(value, 0), left + (value - low) * step
        body.append(rect(at + step * 0.12, y(n), step * 0.76, y(0) - y(n), 'class="fill a" rx="2"'))
        if (value - low) % every == 0:
            body.append(text(at + step / 2, height - bottom + 19, str(value), anchor="middle", kind="faint"))
        if n and step > 22:
            body.append(text(at + step / 2, y(n) - 5, f"{n:,}", anchor="middle"))
    body.append(line(left, y(0), width - 10, y(0), "axis"))
    body.append(text((left + width) / 2, height - 8, axis, anchor="middle", kind="faint"))
    return figure(width, height, body, title)


def place_heat(xs: Sequence[int], ys: Sequence[int], width: int, height: int) -> str:
    """Where in the image the edited pixels of successes are: counts on a grid of at most 32 × 32 cells."""
    columns, rows = min(width, 32), min(height, 32)
    counts = np.zeros((rows, columns), np.int64)
    np.add.at(counts, (np.asarray(ys, int) * rows // height, np.asarray(xs, int) * columns // width), 1)
    size = 320 / max(columns, rows)
    body, most = [rect(0, 0, columns * size, rows * size, 'class="blank"')], max(1, int(counts.max(initial=0)))
    for row, column in zip(*counts.nonzero(), strict=True):
        n = int(counts[row, column])
        shade = f'class="cell" opacity="{0.25 + 0.75 * n / most:.2f}"'
        body.append(rect(column * size + 0.5, row * size + 0.5, size - 1, size - 1, shade))
    body.append(text(0, rows * size + 20, f"{width} × {height} pixels; darkest: {most}", kind="faint"))
    return figure(columns * size, rows * size + 26, body, "Where the edited pixels are")


def colour_strip(colours: Sequence[Sequence[int]]) -> str:
    """The colours of the edited pixels of successes, one square each, those alike together."""
    channels = len(colours[0]) if len(colours) else 3
    values = np.asarray(colours, np.int64).reshape(-1, channels)
    rgb = np.repeat(values, 3, axis=1) if channels == 1 else values
    corner = (rgb > 127) @ np.array([4, 2, 1])
    order = np.lexsort((*rgb.T, corner))
    most = 400
    shown = rgb[order][np.linspace(0, len(rgb) - 1, min(most, len(rgb))).astype(int)] if len(rgb) else rgb
    columns = 20
    size, rows = 16.0, -(-max(1, len(shown)) // columns)
    body = [
        rect(
            (index % columns) * size + 0.5,
            (index // columns) * size + 0.5,
            size - 1,
            size - 1,
            f'fill="#{int(r):02x}{int(g):02x}{int(b):02x}" stroke="#8884" stroke-width="1" rx="2"',
        )
        for index, (r, g, b) in enumerate(shown.tolist())
    ]
    at_corner = float(np.isin(values, (0, 255)).all(1).mean()) if len(values) else 0.0
    told = f"{len(values):,} pixels; {100 * at_corner:.0f} % at corners of the colour cube"
    body.append(text(0, rows * size + 20, told, kind="faint"))
    return figure(columns * size, rows * size + 26, body, "Colours of the edited pixels")


def confidences(pairs: Sequence[tuple[float, float]]) -> str:
    """Confidence in the first guess before against that in the new one after, a dot a success."""
    size, left, bottom, right = 360.0, 58.0, 52.0, 24.0
    x, y = linear(0, 1, left, size - right), linear(0, 1, size - bottom, 14)
    body = []
    for share in range(6):
        at = share / 5
        body += [line(left, y(at), size - right, y(at), "grid"), line(x(at), y(0), x(at), y(1), "grid")]
        body.append(text(left - 8, y(at) + 4, f"{20 * share} %", anchor="end", kind="faint"))
        if share:
            body.append(text(x(at), size - bottom + 19, f"{20 * share} %", anchor="middle", kind="faint"))
    body += [
        f'<circle cx="{x(before):.1f}" cy="{y(after):.1f}" r="3.6" class="fill a" opacity=".6"/>'
        for before, after in pairs[:2000]
    ]
    body.append(text((left + size) / 2, size - 8, "before, in the first guess", anchor="middle", kind="faint"))
    body.append(text(14, size / 2 - 16, "after, in the new one", anchor="middle", kind="faint", turn=True))
    return figure(size, size, body, "Confidence before and after")


def _steps(one: Series) -> list[tuple[float, float]]:
    """(queries, share reached with them) at each query count where the share grows."""
    if not one.queries:
        return []
    ordered = np.sort(np.asarray(one.queries, np.int64))
    values, last = np.unique(ordered, return_index=True)
    counts = np.append(last[1:], len(ordered))
    return [(float(max(1, q)), float(n) / max(1, one.n)) for q, n in zip(values, counts, strict=True)]


def _stairs(steps: Sequence[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    """Corners of a staircase from (1, 0) to the right edge."""
    corners = [(1.0, 0.0)]
    for at, value in steps:
        corners += [(at, corners[-1][1]), (at, value)]
    return [*corners, (float(end), corners[-1][1])]


def _apart(ends: Sequence[tuple[float, int, Series]], gap: float = 17.0) -> list[tuple[float, int, Series]]:
    """Labels moved down where they would overlap, and up again where they would leave the figure."""
    ranked = sorted(ends, key=lambda end: end[0])
    places: list[float] = []
    for at, _, _ in ranked:
        places.append(max(at, places[-1] + gap) if places else at)
    lowest = HEIGHT - BOTTOM + 4
    for which in reversed(range(len(places))):
        places[which] = min(places[which], lowest)
        lowest = places[which] - gap
    return [(place, index, one) for place, (_, index, one) in zip(places, ranked, strict=True)]


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
