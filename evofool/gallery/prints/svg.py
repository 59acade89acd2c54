"""Building blocks of figures in SVG: marks, scales and ticks."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from html import escape

STYLE = """
.fig{font:13px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;color:var(--ink,#1c1e21)}
.fig text{fill:var(--ink,#1c1e21)}.fig .faint{fill:var(--faint,#5d6470)}
.fig .axis{stroke:var(--faint,#5d6470);stroke-width:1;fill:none}
.fig .grid{stroke:var(--rule,#dfe2e7);stroke-width:1}
.fig .a{--tone:var(--one,#c2410c)}.fig .b{--tone:var(--two,#1d5fb8)}.fig .c{--tone:var(--three,#3f7d2a)}
.fig .d{--tone:var(--four,#8a3ab9)}.fig .e{--tone:var(--five,#0f766e)}.fig .f{--tone:var(--six,#a1246b)}
.fig .z{--tone:var(--faint,#5d6470)}
.fig .line{stroke:var(--tone);stroke-width:2.2;fill:none;stroke-linejoin:round}
.fig .thin{stroke:var(--tone);stroke-width:1;fill:none;opacity:.35}
.fig .dash{stroke-dasharray:5 4}.fig .band{fill:var(--tone);opacity:.13}.fig .fill{fill:var(--tone)}
.fig .label{fill:var(--tone);font-weight:600}.fig .cell{fill:var(--one,#c2410c)}
.fig .blank{fill:var(--blank,#f1f3f5)}.fig .on{fill:#fff}
"""
"""Style of all figures. Classes a to f colour curves, z is for what they are compared with.

Pages set the variables for light and dark.
"""

TONES = "abcdef"
"""The classes that colour curves, in order."""

Scale = Callable[[float], float]
"""A function from values to pixels."""


def figure(width: float, height: float, body: Sequence[str], title: str, screen: str = "") -> str:
    """Return an ``<svg>`` that scales with the room it has.

    Args:
        width, height: The size at which letters have 13 pixels.
        body: What is drawn.
        title: What screen readers say.
        screen: ``wide`` or ``narrow`` where there is another figure for the other screens; empty where it is for all.
    """
    return (
        f'<svg class="{f"fig {screen}".strip()}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'style="max-width:{1.15 * width:.0f}px" role="img" aria-label="{escape(title)}">' + "".join(body) + "</svg>"
    )


def standalone(svg: str) -> str:
    """Return the same figure as a file of its own: with its size and its style, on white."""
    head, rest = svg.split(">", 1)
    width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head)[0]
    size = f'width="{width}" height="{height}"'
    return f'{head} {size}><style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>{rest}\n'


def text(x: float, y: float, words: str, *, anchor: str = "start", kind: str = "", turn: bool = False) -> str:
    """Return words at a position; turned, they read upwards. Control characters become replacement characters."""
    turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
    style = f' class="{kind}"' if kind else ""
    words = "".join("�" if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in words)
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}{turned}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a straight line of a style's class."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def share_grid(y: Scale, left: float, right: float, gap: float = 8.0) -> list[str]:
    """Return a line and a label for every fifth of a share from 0 to 1, from the bottom up.

    Args:
        y: The height of a share.
        left, right: Where the lines begin and end.
        gap: Distance of the labels from the lines.
    """
    body = []
    for share in (step / 5 for step in range(6)):
        body.append(line(left, y(share), right, y(share), "grid"))
        body.append(text(left - gap, y(share) + 4, f"{round(100 * share)} %", anchor="end", kind="faint"))
    return body


def apart(heights: Sequence[float], lowest: float, gap: float = 17.0) -> list[float]:
    """Return the heights of labels from the top down, moved down where they would overlap, and up at the bottom.

    Args:
        heights: Sorted heights.
        lowest: The largest height that a label may have.
        gap: Least distance of two labels.
    """
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + gap) if moved else height)
    for position in reversed(range(len(moved))):
        moved[position] = min(moved[position], lowest)
        lowest = moved[position] - gap
    return moved


def rect(x: float, y: float, width: float, height: float, attributes: str) -> str:
    """Return a rectangle; a negative size becomes 0."""
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(0.0, width):.2f}" height="{max(0.0, height):.2f}" {attributes}/>'


def path(points: Sequence[tuple[float, float]], kind: str, *, close: bool = False) -> str:
    """Return straight lines through points."""
    steps = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="M{steps}{"Z" if close else ""}" class="{kind}"/>'


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """Return the linear scale from ``low`` at ``start`` to ``high`` at ``end``."""
    return lambda value: start + (value - low) / (high - low) * (end - start)


def logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """Return the logarithmic scale from ``low`` at ``start`` to ``high`` at ``end``; values must be above 0."""
    inner = linear(math.log10(low), math.log10(high), start, end)
    return lambda value: inner(math.log10(value))


def decades(high: float) -> list[int]:
    """Return 1, 10, 100 … up to the first power of ten, at least 10, that is not below ``high``."""
    return [10**power for power in range(max(1, math.ceil(math.log10(max(2, high)))) + 1)]


def round_ticks(high: float, wanted: int = 5) -> list[int]:
    """Return whole numbers from 0 to at least ``high``, in steps of 1, 2 or 5 times a power of ten."""
    raw = max(1.0, high / wanted)
    power = 10 ** math.floor(math.log10(raw))
    step = next(int(m * power) for m in (1, 2, 5, 10) if m * power >= raw)
    return list(range(0, math.ceil(max(1, high) / step) * step + 1, step))
