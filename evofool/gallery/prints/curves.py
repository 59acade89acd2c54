"""Figures of experiments, as SVG: shares against a size, and histograms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .plots import NARROW
from .svg import TONES, figure, line, linear, path, rect, round_ticks, share_grid, text

BINS = 20
"""Bars of a histogram."""


@dataclass(frozen=True)
class Curve:
    """A share that depends on a size.

    Attributes:
        name: What its label says.
        points: Size, share, and the ends of the share's interval.
        singles: Lines of what the share is the mean of, each with a size and a share at every point.
    """

    name: str
    points: Sequence[tuple[float, float, float, float]]
    singles: Sequence[Sequence[tuple[float, float]]] = ()


def share_curves(curves: Sequence[Curve], axis: str, title: str, label: Callable[[float], str]) -> str:
    """Draw shares in [0, 1] against sizes, each with its interval as a band.

    Args:
        curves: At least one, each with at least one point.
        axis: What the sizes are.
        title: What screen readers say.
        label: Writes a size.
    """
    above = 18.0 * len(curves)
    width, left, right, bottom = NARROW, 52.0, NARROW - 18, above + 250
    sizes = sorted({size for curve in curves for size, *_ in curve.points})
    x, y = linear(0, max(sizes[-1], 1e-9), left, right), linear(0, 1, bottom, above + 12)
    body = share_grid(y, left, right)
    shown = -np.inf
    for size in sizes:
        if x(size) - shown >= 44:
            body.append(text(x(size), bottom + 19, label(size), anchor="middle", kind="faint"))
            shown = x(size)
    for index, curve in enumerate(curves):
        tone = TONES[index % len(TONES)]
        low = [(x(size), y(bound)) for size, _, bound, _ in curve.points]
        high = [(x(size), y(bound)) for size, _, _, bound in curve.points]
        body += [path([(x(size), y(share)) for size, share in single], f"thin {tone}") for single in curve.singles]
        body.append(path(low + high[::-1], f"band {tone}", close=True))
        body.append(path([(x(size), y(share)) for size, share, _, _ in curve.points], f"line {tone}"))
        body.append(text(left, 18.0 * (index + 1) - 4, curve.name, kind=f"label {tone}"))
    body.append(line(left, bottom, right, bottom, "axis"))
    body.append(text((left + right) / 2, bottom + 42, axis, anchor="middle", kind="faint"))
    return figure(width, bottom + 50, body, title)


def histogram(values: Sequence[float], axis: str, title: str) -> str:
    """Draw how often values of at least 0 occur, in ``BINS`` bars; ``axis`` says what they are."""
    width, height, left, bottom = NARROW, 260.0, 52.0, 50.0
    counts, edges = np.histogram(values, BINS, (0, max([*values, 1e-9])))
    ticks = round_ticks(max(1, int(counts.max())), 4)
    x, y = linear(0, float(edges[-1]), left, width - 24), linear(0, ticks[-1], height - bottom, 14)
    body = [line(left, y(tick), width - 10, y(tick), "grid") for tick in ticks]
    body += [text(left - 8, y(tick) + 4, f"{tick:,}", anchor="end", kind="faint") for tick in ticks]
    for count, start, end in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        body.append(rect(x(start) + 1, y(count), x(end) - x(start) - 2, y(0) - y(count), 'class="fill a" rx="2"'))
    for edge in edges[:: BINS // 4].tolist():
        body.append(text(x(edge), height - bottom + 19, f"{edge:.2g}", anchor="middle", kind="faint"))
    body.append(line(left, y(0), width - 10, y(0), "axis"))
    body.append(text((left + width) / 2, height - 8, axis, anchor="middle", kind="faint"))
    return figure(width, height, body, title)
