"""How sure of its images a network became while they evolved, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from .plots import BOTTOM, HEIGHT, LEFT, TOP, WIDTH
from .svg import TONES, apart, figure, line, linear, path, round_ticks, share_grid, standalone, text

GROWTH = "growth"
"""What the figure is called."""

NAMES = {"median": "median", "min": "lowest"}
"""What the figures of a single run are called."""

MOST_POINTS = 400
"""Largest number of points of a curve."""


def growth_curves(runs: Mapping[str, Sequence[Mapping[str, Any]]], title: str) -> str:
    """Draw the median confidence of runs against their evaluations.

    Args:
        runs: Lines of ``metrics.jsonl`` by the run's name; of a single run, the lowest confidence is drawn as well.
        title: What screen readers say.

    Returns:
        The figure, with its style, on white.
    """
    figures = ("median", "min") if len(runs) == 1 else ("median",)
    longest = max((lines[-1]["evaluations"] for lines in runs.values() if lines), default=1)
    right, bottom = WIDTH - 120, HEIGHT - BOTTOM
    ticks = round_ticks(longest)
    x, y = linear(0, ticks[-1], LEFT, right), linear(0, 1, bottom, TOP)
    body = share_grid(y, LEFT, right, gap=10)
    body += [text(x(tick), bottom + 20, f"{tick:,}", anchor="middle", kind="faint") for tick in ticks]
    several, ends = len(runs) > 1, []
    curves = [(name, lines, figured) for name, lines in runs.items() for figured in figures]
    for (name, lines, figured), tone in zip(curves, cycle(TONES)):
        thinned = [*lines[:: max(1, len(lines) // MOST_POINTS)], *lines[-1:]]
        if points := [(x(each["evaluations"]), y(each[figured])) for each in thinned]:
            body.append(path(points, f"line {tone}"))
            ends.append((points[-1][1] + 4, name if several else NAMES[figured], tone))
    ends.sort()
    for height, (_, name, tone) in zip(apart([end for end, *_ in ends], bottom + 4), ends, strict=True):
        body.append(text(right + 8, height, name, kind=f"label {tone}"))
    body.append(line(LEFT, bottom, right, bottom, "axis"))
    body.append(text((LEFT + right) / 2, bottom + 42, "evaluations", anchor="middle", kind="faint"))
    return standalone(figure(WIDTH, HEIGHT, body, title))
