"""Figures of audits, as SVG: two histograms of scores in one, and a reliability diagram."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .plots import NARROW
from .svg import figure, line, linear, rect, text

LEFT, BOTTOM, LABELS = 52.0, 52.0, 40.0
"""Room for the labels of shares, for those below the axis, and for the names above the figure."""


def two_histograms(
    edges: Sequence[float],
    first: tuple[str, Sequence[int]],
    second: tuple[str, Sequence[int]],
    axis: str,
    title: str,
    mark: tuple[float, str] | None = None,
) -> str:
    """Draw how two kinds of images are spread over a score, each as shares of its kind.

    Args:
        edges: Ends of the bars, one more than there are bars.
        first, second: Their names, and how many of each are in each bar.
        axis: What the score is.
        title: What screen readers say.
        mark: A score that a line stands at, and what it is.
    """
    width, height = NARROW, 310.0
    shares = {
        tone: np.asarray(counts, float) / max(1, sum(counts))
        for tone, (_, counts) in zip("ba", (first, second), strict=True)
    }
    top = max(0.05, *(float(values.max(initial=0)) for values in shares.values()))
    x = linear(edges[0], max(edges[-1], edges[0] + 1e-9), LEFT, width - 14)
    y = linear(0, top, height - BOTTOM, LABELS + 14)
    body = []
    for step in range(5):
        body.append(line(LEFT, y(top * step / 4), width - 10, y(top * step / 4), "grid"))
        body.append(text(LEFT - 8, y(top * step / 4) + 4, f"{100 * top * step / 4:.0f} %", anchor="end", kind="faint"))
    for tone, values in shares.items():
        for share, start, end in zip(values.tolist(), edges[:-1], edges[1:], strict=True):
            if share:
                bar = f'class="fill {tone}" opacity=".55"'
                body.append(rect(x(start) + 0.5, y(share), x(end) - x(start) - 1, y(0) - y(share), bar))
    if mark:
        at, words = mark
        body.append(line(x(at), y(0), x(at), LABELS + 8, "axis"))
        side = "end" if x(at) > (LEFT + width) / 2 else "start"
        body.append(text(x(at) + (-5 if side == "end" else 5), LABELS + 18, words, anchor=side, kind="faint"))
    body.append(text(LEFT, 13, first[0], kind="label b"))
    body.append(text(LEFT, 31, second[0], kind="label a"))
    for place in range(5):
        value = edges[0] + (edges[-1] - edges[0]) * place / 4
        body.append(
            text(x(value), height - BOTTOM + 19, _tick(value, edges[-1] - edges[0]), anchor="middle", kind="faint")
        )
    body.append(line(LEFT, y(0), width - 10, y(0), "axis"))
    body.append(text((LEFT + width) / 2, height - 8, axis, anchor="middle", kind="faint"))
    return figure(width, height, body, title)


def reliability(bins: Sequence[tuple[float, float, float, int]], title: str) -> str:
    """Draw accuracy against confidence; where both agree, bars end at the diagonal.

    Args:
        bins: Lower and upper end of a bin of confidence, its accuracy, and how many images it has.
        title: What screen readers say.
    """
    size = NARROW
    left, right = LEFT + 14, size - 24  # Beside the name of the axis, and before the end of the last label.
    x, y = linear(0, 1, left, right), linear(0, 1, size - BOTTOM, 16)
    most, body = max((n for *_, n in bins), default=1), []
    for share in (step / 5 for step in range(6)):
        body.append(line(left, y(share), right, y(share), "grid"))
        body.append(text(left - 8, y(share) + 4, f"{round(100 * share)} %", anchor="end", kind="faint"))
        if share:
            body.append(text(x(share), size - BOTTOM + 19, f"{round(100 * share)} %", anchor="middle", kind="faint"))
    for low, high, accuracy, n in bins:
        strength = f'class="fill b" opacity="{0.25 + 0.65 * n / most:.2f}"'
        body.append(rect(x(low) + 1, y(accuracy), x(high) - x(low) - 2, y(0) - y(accuracy), strength))
    body.append(line(x(0), y(0), x(1), y(1), "line a dash"))
    body.append(line(left, y(0), right, y(0), "axis"))
    body.append(text((left + right) / 2, size - 8, "confidence; darker: more images", anchor="middle", kind="faint"))
    body.append(text(13, y(0.5), "accuracy", anchor="middle", kind="faint", turn=True))
    return figure(size, size, body, title)


def _tick(value: float, width: float) -> str:
    """Write a number on an axis of some width: three digits, and 0 for what rounding left of it."""
    return "0" if abs(value) < width / 1000 else f"{value:.3g}".replace("-", "−")
