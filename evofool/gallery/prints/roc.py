"""ROC curves as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from .plots import NARROW
from .svg import TONES, figure, line, linear, path, text

LEFT, RIGHT, BOTTOM, LINE = 68.0, 26.0, 52.0, 18.0
"""Room beside the curves for the labels of shares, room below them, and the height of a curve's name."""


def roc_curves(curves: Sequence[tuple[str, Sequence[tuple[float, float]]]], title: str) -> str:
    """Draw how many fooling images are stopped against how many real ones are, for all thresholds of some scores.

    Args:
        curves: At most as many as there are tones, each with its name and its corners: shares of real and of fooling
            images.
        title: What screen readers say.
    """
    above, size = LINE * len(curves) + 10, NARROW - LEFT - RIGHT
    x, y = linear(0, 1, LEFT, LEFT + size), linear(0, 1, above + size, above)
    body = []
    for share in (step / 5 for step in range(6)):
        words = f"{round(100 * share)} %"
        body.append(line(LEFT, y(share), LEFT + size, y(share), "grid"))
        body.append(text(LEFT - 8, y(share) + 4, words, anchor="end", kind="faint"))
        if share:
            body.append(text(x(share), y(0) + 19, words, anchor="middle", kind="faint"))
    body.append(line(x(0), y(0), x(1), y(1), "line z dash"))
    for tone, (number, (name, points)) in zip(TONES, enumerate(curves), strict=False):
        body.append(path([(x(real), y(fooling)) for real, fooling in points], f"line {tone}"))
        body.append(text(LEFT, LINE * (number + 1) - 4, name, kind=f"label {tone}"))
    body.append(line(LEFT, y(0), LEFT + size, y(0), "axis"))
    body.append(text(LEFT + size / 2, y(0) + 42, "real images stopped", anchor="middle", kind="faint"))
    body.append(text(13, y(0.5), "fooling images stopped", anchor="middle", kind="faint", turn=True))
    return figure(NARROW, above + size + BOTTOM, body, title)
