"""The figures of a campaign's page, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...attacks.statistics import wilson
from ...text import counted, rate
from .svg import TONES, apart, decades, figure, line, linear, logarithmic, path, rect, round_ticks, text

WIDTH, HEIGHT = 720.0, 380.0
"""Size of a figure of success curves."""

LEFT, RIGHT, TOP, BOTTOM = 58.0, 190.0, 18.0, 52.0
"""Margins around its axes; labels of curves stand at the right."""

NARROW = 390.0
"""Largest width of a figure on a phone, where its letters are then still of 11 pixels."""

NARROW_RIGHT, LABEL = 18.0, 18.0
"""Right margin of success curves on a phone, where a label is a line above the axes, and the height of that line."""

MAX_CLASSES, NARROW_CLASSES = 24, 10
"""Largest number of classes that a heat map shows, and that it shows on a phone."""

MAX_NAME, NARROW_NAME = 16, 12
"""Largest number of letters of their names."""

MAX_COLOURS = 400
"""Largest number of colours that a strip shows."""

MAX_DOTS = 2000
"""Largest number of dots of a scatter plot."""


@dataclass(frozen=True)
class Series:
    """One success curve.

    Attributes:
        name: What its label says.
        queries: The queries of each success.
        n: Number of pairs of image and criterion, successes or not.
        dashed: Whether it is what others are compared with.
        longest: The queries of the longest attempt, where the curve ends.
    """

    name: str
    queries: Sequence[int]
    n: int
    dashed: bool = False
    longest: int = 1


def success_curve(curves: Sequence[Series], *, narrow: bool = False) -> str:
    """Draw the share of pairs whose criterion is met within so many queries, with the first curve's Wilson band.

    Args:
        curves: The curves.
        narrow: Draw it for a phone, with the labels of curves above the axes.
    """
    width, right = (NARROW, NARROW - NARROW_RIGHT) if narrow else (WIDTH, WIDTH - RIGHT)
    above = LABEL * len(curves) if narrow else 0.0
    bottom, height = above + HEIGHT - BOTTOM, above + HEIGHT
    longest = max((max(series.longest, *series.queries, 1) for series in curves), default=1)
    ticks = decades(longest)
    x = logarithmic(1, ticks[-1], LEFT, right)
    highest = max((wilson(len(series.queries), series.n)[1] for series in curves if series.n), default=1.0)
    top = next(value for value in (0.1, 0.2, 0.5, 1.0) if highest <= value)
    y = linear(0, top, bottom, above + TOP)
    shares = [top * step / 5 for step in range(6)]
    body = [line(LEFT, y(share), right, y(share), "grid") for share in shares]
    body += [text(LEFT - 10, y(share) + 4, f"{100 * share:g} %", anchor="end", kind="faint") for share in shares]
    every = 2 if narrow and len(ticks) > 5 else 1
    for tick in ticks[::every]:
        label = f"{tick:,}"
        body.append(text(min(x(tick), width - 4.2 * len(label)), bottom + 20, label, anchor="middle", kind="faint"))
    body += [line(x(tick), bottom, x(tick), bottom + 5, "axis") for tick in ticks]
    ends: list[tuple[float, int, Series]] = []
    for index, series in enumerate(curves):
        steps, end = _steps(series), max(series.longest, *series.queries, 1)
        if index == 0 and series.n:
            bounds = [(q, *wilson(round(share * series.n), series.n)) for q, share in [(1.0, 0.0), *steps]]
            low = _stairs([(q, bound) for q, bound, _ in bounds], end)
            high = _stairs([(q, bound) for q, _, bound in bounds], end)
            band = [(x(q), y(share)) for q, share in low + high[::-1]]
            body.append(path(band, f"band {_tone(index, series)}", close=True))
        points = [(x(q), y(share)) for q, share in _stairs(steps, end)]
        body.append(path(points, f"line {_tone(index, series)}" + (" dash" if series.dashed else "")))
        ends.append((points[-1][1], index, series))
    for place, (level, index, series) in enumerate(_apart(ends)):
        share, length = len(series.queries) / series.n if series.n else 0.0, 30 if narrow else 14
        label, kind = f"{_middle_cut(series.name, length)} {rate(share)}", f"label {_tone(index, series)}"
        at = (LEFT, LABEL * (len(curves) - place) - 4) if narrow else (right + 10, level + 4)
        body.append(text(*at, label, kind=kind))
    body.append(line(LEFT, bottom, right, bottom, "axis"))
    body.append(text((LEFT + right) / 2, height - 10, "queries, logarithmic", anchor="middle", kind="faint"))
    return figure(width, height, body, "Share of attempts won against queries", _screen(narrow))


def class_heatmap(counts: Mapping[tuple[int, int], int], classes: Sequence[str], *, narrow: bool = False) -> str:
    """Draw original class × new class, with counts; of many classes, those that occur most.

    Args:
        counts: Successes by original and new class index.
        classes: The names of all classes.
        narrow: Draw it for a phone, with fewer classes.
    """
    most, letters = (NARROW_CLASSES, NARROW_NAME) if narrow else (MAX_CLASSES, MAX_NAME)
    totals: dict[int, int] = {}
    for (row, column), n in counts.items():
        totals[row] = totals.get(row, 0) + n
        totals[column] = totals.get(column, 0) + n
    shown = sorted(sorted(totals, key=lambda c: (-totals[c], c))[:most])
    if len(classes) <= most:
        shown = list(range(len(classes)))
    names = [_short(classes[index], letters) for index in shown]
    left = 34.0 + 7.4 * max(2, *map(len, names))  # "was ↓" stands there, too
    top = 40.0 + 7.4 * max(map(len, names), default=1)
    upright = all(len(name) <= 2 for name in names)
    room = NARROW - left - 12 if narrow else 624.0
    size = max(24.0, min(40.0, room / max(1, len(shown))))
    body, largest = [], max(counts.values(), default=1)
    for i, row in enumerate(shown):
        body.append(text(left - 8, top + (i + 0.5) * size + 4, names[i], anchor="end"))
        if upright:
            body.append(text(left + (i + 0.5) * size, top - 8, names[i], anchor="middle"))
        else:
            body.append(text(left + (i + 0.5) * size + 4, top - 8, names[i], turn=True))
        for j, column in enumerate(shown):
            n = counts.get((row, column), 0)
            x, y = left + j * size, top + i * size
            strength = 0.15 + 0.85 * n / largest
            kind = f'class="cell" opacity="{strength:.2f}"' if n else 'class="blank"'
            body.append(rect(x + 1, y + 1, size - 2, size - 2, f'rx="3" {kind}'))
            if n:
                ink = "on" if strength > 0.55 else ""
                count = f"{n:,}" if n < 1000 else f"{n / 1000:.0f}k"
                body.append(text(x + size / 2, y + size / 2 + 4.5, count, anchor="middle", kind=ink))
    body.append(text(left, 14, "became →", kind="faint"))
    body.append(text(left - 8, top - 8, "was ↓", kind="faint", anchor="end"))
    width, height = left + size * len(shown) + 12, top + size * len(shown) + 8
    if (occurring := len(totals.keys() | set(shown))) > len(shown):
        body.append(text(0, height + 14, f"The {len(shown)} of {occurring:,} classes that occur most.", kind="faint"))
        width, height = max(width, 300.0), height + 22
    return figure(width, height, body, "Original class against new class", _screen(narrow))


def bar_chart(counts: Mapping[int, int], axis: str, title: str) -> str:
    """Draw counts of whole numbers as bars; ``axis`` says what the numbers are."""
    width, height, left, bottom = NARROW, 260.0, 52.0, 50.0
    low, high = min(counts, default=0), max(counts, default=1)
    ticks = round_ticks(max(counts.values(), default=1), 4)
    y = linear(0, ticks[-1], height - bottom, 14)
    step = (width - left - 10) / (high - low + 1)
    body = [line(left, y(tick), width - 10, y(tick), "grid") for tick in ticks]
    body += [text(left - 8, y(tick) + 4, f"{tick:,}", anchor="end", kind="faint") for tick in ticks]
    every = max(1, round((high - low + 1) / 12))
    for value in range(low, high + 1):
        n, start = counts.get(value, 0), left + (value - low) * step
        body.append(rect(start + step * 0.12, y(n), step * 0.76, y(0) - y(n), 'class="fill a" rx="2"'))
        if (value - low) % every == 0:
            body.append(text(start + step / 2, height - bottom + 19, str(value), anchor="middle", kind="faint"))
        if n and step > 22:
            body.append(text(start + step / 2, y(n) - 5, f"{n:,}", anchor="middle"))
    body.append(line(left, y(0), width - 10, y(0), "axis"))
    body.append(text((left + width) / 2, height - 8, axis, anchor="middle", kind="faint"))
    return figure(width, height, body, title)


def position_heatmap(xs: Sequence[int], ys: Sequence[int], width: int, height: int) -> str:
    """Draw where edited pixels are in images of some size: counts on a grid of at most 32 × 32 cells."""
    columns, rows = min(width, 32), min(height, 32)
    counts = np.zeros((rows, columns), np.int64)
    np.add.at(counts, (np.asarray(ys, int) * rows // height, np.asarray(xs, int) * columns // width), 1)
    size = 320 / max(columns, rows)
    body, largest = [rect(0, 0, columns * size, rows * size, 'class="blank"')], max(1, int(counts.max(initial=0)))
    for row, column in zip(*counts.nonzero(), strict=True):
        n = int(counts[row, column])
        shade = f'class="cell" opacity="{0.25 + 0.75 * n / largest:.2f}"'
        body.append(rect(column * size + 0.5, row * size + 0.5, size - 1, size - 1, shade))
    body.append(text(0, rows * size + 20, f"{width} × {height} pixels; darkest: {largest}", kind="faint"))
    return figure(columns * size, rows * size + 26, body, "Where the edited pixels are")


def colour_strip(colours: Sequence[Sequence[int]]) -> str:
    """Draw the colours of edited pixels, grey or RGB, as squares; similar ones stand together."""
    channels = len(colours[0]) if len(colours) else 3
    values = np.asarray(colours, np.int64).reshape(-1, channels)
    rgb = np.repeat(values, 3, axis=1) if channels == 1 else values
    corner = (rgb > 127) @ np.array([4, 2, 1])
    order = np.lexsort((*rgb.T, corner))
    shown = rgb[order][np.linspace(0, len(rgb) - 1, min(MAX_COLOURS, len(rgb))).astype(int)] if len(rgb) else rgb
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
    body.append(text(0, rows * size + 20, f"{counted(len(values), 'pixel')};", kind="faint"))
    body.append(text(0, rows * size + 37, f"{rate(at_corner)} at corners of the colour cube", kind="faint"))
    return figure(columns * size, rows * size + 43, body, "Colours of the edited pixels")


def confidence_scatter(pairs: Sequence[tuple[float, float]]) -> str:
    """Draw a dot per success: confidence in the first guess before, across, and in the new one after, upwards."""
    size, left, bottom, right = 370.0, 68.0, 52.0, 24.0
    x, y = linear(0, 1, left, size - right), linear(0, 1, size - bottom, 14)
    body = []
    for share in (step / 5 for step in range(6)):
        body += [line(left, y(share), size - right, y(share), "grid"), line(x(share), y(0), x(share), y(1), "grid")]
        body.append(text(left - 8, y(share) + 4, f"{round(100 * share)} %", anchor="end", kind="faint"))
        if share:
            body.append(text(x(share), size - bottom + 19, f"{round(100 * share)} %", anchor="middle", kind="faint"))
    body += [
        f'<circle cx="{x(before):.1f}" cy="{y(after):.1f}" r="3.6" class="fill a" opacity=".6"/>'
        for before, after in pairs[:MAX_DOTS]
    ]
    body.append(text((left + size) / 2, size - 8, "before, in the first guess", anchor="middle", kind="faint"))
    body.append(text(13, size / 2 - 16, "after, in the new one", anchor="middle", kind="faint", turn=True))
    return figure(size, size, body, "Confidence before and after")


def _screen(narrow: bool) -> str:
    """Return the class of a figure that is drawn once for wide and once for narrow screens."""
    return "narrow" if narrow else "wide"


def _tone(index: int, series: Series) -> str:
    """Return the class that colours a curve."""
    return "z" if series.dashed else TONES[index % len(TONES)]


def _steps(series: Series) -> list[tuple[float, float]]:
    """Return each number of queries where the share grows, with the share reached by then."""
    if not series.queries:
        return []
    ordered = np.sort(np.asarray(series.queries, np.int64))
    values, last = np.unique(ordered, return_index=True)
    counts = np.append(last[1:], len(ordered))
    return [(float(max(1, q)), float(n) / max(1, series.n)) for q, n in zip(values, counts, strict=True)]


def _stairs(steps: Sequence[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    """Return the corners of a staircase from (1, 0) to where it ends."""
    corners = [(1.0, 0.0)]
    for q, share in steps:
        corners += [(q, corners[-1][1]), (q, share)]
    return [*corners, (float(end), corners[-1][1])]


def _apart(ends: Sequence[tuple[float, int, Series]]) -> list[tuple[float, int, Series]]:
    """Return curves with the heights of their labels, which don't overlap."""
    ranked = sorted(ends, key=lambda end: end[0])
    heights = apart([height for height, _, _ in ranked], HEIGHT - BOTTOM + 4)
    return [(height, index, series) for height, (_, index, series) in zip(heights, ranked, strict=True)]


def _short(name: str, length: int) -> str:
    """Return a name, cut to a length with an ellipsis."""
    return name if len(name) <= length else name[: length - 1] + "…"


def _middle_cut(name: str, length: int) -> str:
    """Return a name, its middle cut out where it is too long: folders of jobs differ at their ends."""
    end = 2 * length // 3
    return name if len(name) <= length else f"{name[: length - end - 1]}…{name[-end:]}"
