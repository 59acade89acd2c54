"""Shares as groups of bars, and as points that have names, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .plots import NARROW
from .svg import TONES, figure, line, linear, path, rect, text

LABEL = 56.0
"""Width that a bar's number takes beside it, with its distance; a mark in there stands before the number."""


class Bar(NamedTuple):
    """A share in [0, 1] with its interval, and one that it is compared with."""

    share: float
    low: float
    high: float
    other: float | None = None


class Point(NamedTuple):
    """Two shares in [0, 1] with their intervals."""

    name: str
    across: Bar
    up: Bar


def bar_groups(groups: Sequence[tuple[str, Sequence[Bar]]], series: Sequence[str], other: str, title: str) -> str:
    """Draw a row of bars for each group, one below the other, so that the figure fits a phone.

    Args:
        groups: Names, each with a bar for every series.
        series: What the bars are.
        other: What the marks are that bars are compared with; empty where there are none.
        title: What screen readers say.
    """
    left, right, size, gap = 96.0, NARROW - 64, 17.0, 15.0
    top = 18.0 * (len(series) + bool(other)) + 10
    x, body = linear(0, 1, left, right), []
    for number, name in enumerate(series):
        body.append(text(left, 18.0 * (number + 1) - 4, name, kind=f"label {TONES[number]}"))
    if other:
        body.append(text(left, 18.0 * (len(series) + 1) - 4, f"│ {other}", kind="faint"))
    height = top + len(groups) * (len(series) * size + gap)
    for tick in (0, 0.25, 0.5, 0.75, 1):
        body.append(line(x(tick), top, x(tick), height - gap / 2, "grid"))
        body.append(text(x(tick), height + 8, f"{round(100 * tick)} %", anchor="middle", kind="faint"))
    for place, (name, bars) in enumerate(groups):
        y = top + place * (len(series) * size + gap)
        body.append(text(left - 8, y + len(series) * size / 2 + 4, name, anchor="end"))
        for number, bar in enumerate(bars):
            up, middle = y + number * size, y + (number + 0.5) * size
            body.append(rect(left, up + 2, x(bar.share) - left, size - 4, f'rx="2" class="fill {TONES[number]}"'))
            body.append(line(x(bar.low), middle, x(bar.high), middle, "axis"))
            if bar.other is not None:
                body.append(line(x(bar.other), up, x(bar.other), up + size, "axis"))
            end = x(bar.high)
            if bar.other is not None and end <= x(bar.other) <= end + LABEL:
                end = x(bar.other)
            body.append(text(end + 6, middle + 4.5, f"{100 * bar.share:.1f} %"))
    return figure(NARROW, height + 16, body, title)


def named_points(points: Sequence[Point], across: str, up: str, title: str) -> str:
    """Draw pairs of shares as points with crosses for their intervals.

    Args:
        points: The pairs.
        across, up: What they are.
        title: What screen readers say.
    """
    top = 18.0 * len(points) + 12
    left, right, bottom = 52.0, NARROW - 18, top + 282
    x, y = linear(0, 1, left, right), linear(0, 1, bottom, top)
    body = []
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        body += [line(left, y(tick), right, y(tick), "grid"), line(x(tick), bottom, x(tick), top, "grid")]
        body.append(text(left - 8, y(tick) + 4, f"{round(100 * tick)} %", anchor="end", kind="faint"))
        body.append(text(x(tick), bottom + 19, f"{round(100 * tick)} %", anchor="middle", kind="faint"))
    for number, point in enumerate(points):
        tone, here = TONES[number % len(TONES)], (x(point.across.share), y(point.up.share))
        body.append(path([(x(point.across.low), here[1]), (x(point.across.high), here[1])], f"line {tone}"))
        body.append(path([(here[0], y(point.up.low)), (here[0], y(point.up.high))], f"line {tone}"))
        body.append(text(left, 18.0 * (number + 1) - 4, point.name, kind=f"label {tone}"))
    body.append(text((left + right) / 2, bottom + 42, across, anchor="middle", kind="faint"))
    body.append(text(13, (bottom + top) / 2, up, anchor="middle", kind="faint", turn=True))
    return figure(NARROW, bottom + 50, body, title)
