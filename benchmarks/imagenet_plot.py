"""The figure of ``imagenet``: medians against evaluations and time, classes at 99 %, and all classes sorted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evofool.gallery.prints.svg import TONES, figure, line, linear, path, round_ticks, text

from .common import Row

WIDE, HIGH, LEFT, TOP, BETWEEN = 330.0, 220.0, 56.0, 34.0, 164.0
"""Width and height of a panel, margins at the left and top, and the room between panels, in pixels."""

PAPER = ((0.8811, "paper, CPPN, 2,000,000"), (0.2159, "paper, direct, 4,000,000"))
"""Medians of Nguyen et al. 2015, with their evaluations."""

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One of the four panels.

    Attributes:
        title, axis: What is shown, and what it is shown against.
        curves: The points of each run's curve, with shares upwards.
        whole: What the shares are of: ``%``, or a number.
        marks: Shares to compare with, and what they are.
    """

    title: str
    axis: str
    curves: dict[str, Points]
    whole: str = "%"
    marks: tuple[tuple[float, str], ...] = ()


def plot(rows: list[Row]) -> str:
    """Draw the rows of ``imagenet`` as SVG. Colours are by run; curves that a row doesn't have are left out."""
    names = [str(row["run"]) for row in rows]
    panels = [
        Panel("median confidence over 1,000 classes", "evaluations", _curves(rows, 0, 2), marks=PAPER),
        Panel("median confidence over 1,000 classes", "minutes", _curves(rows, 1, 2)),
        Panel("classes at 99 % or more", "evaluations", _curves(rows, 0, 3), "1000"),
        Panel("confidence of every class, sorted", "classes", _sorted(rows)),
    ]
    body: list[str] = []
    for number, panel in enumerate(panels):
        x0, y0 = LEFT + (number % 2) * (WIDE + BETWEEN), TOP + (number // 2) * (HIGH + 84)
        body += _panel(panel, names, x0, y0)
    return figure(LEFT + 2 * WIDE + BETWEEN + 100, TOP + 2 * HIGH + 84 + 52, body, "ImageNet: the runs' progress")


def _curves(rows: list[Row], across: int, up: int) -> dict[str, Points]:
    """Return each run's curve by two columns of its moments: evaluations, seconds, median, classes at 99 %."""
    curves: dict[str, Points] = {}
    for row in rows:
        moments: list[Any] = _list(row["curve"])
        if len(moments[0]) > up:
            scale = (1.0, 60.0)[across], (1.0, 1.0, 1.0, 1000.0)[up]
            curves[str(row["run"])] = [(moment[across] / scale[0], moment[up] / scale[1]) for moment in moments]
    return curves


def _sorted(rows: list[Row]) -> dict[str, Points]:
    """Return each run's confidences by their rank."""
    return {
        str(row["run"]): [(float(rank), value) for rank, value in _list(row["sorted"])]
        for row in rows
        if "sorted" in row
    }


def _panel(panel: Panel, names: list[str], x0: float, y0: float) -> list[str]:
    """Draw a panel whose axes begin at (x0, y0 + ``HIGH``)."""
    body: list[str] = [text(x0, y0 - 14, panel.title, kind="faint")]
    ticks = round_ticks(max((point[0] for curve in panel.curves.values() for point in curve), default=1))
    x, y = linear(0, ticks[-1], x0, x0 + WIDE), linear(0, 1, y0 + HIGH, y0)
    for share in (0, 0.25, 0.5, 0.75, 1):
        words = f"{100 * share:g} %" if panel.whole == "%" else f"{share * int(panel.whole):,.0f}"
        body += [line(x0, y(share), x0 + WIDE, y(share), "grid")]
        body += [text(x0 - 8, y(share) + 4, words, anchor="end", kind="faint")]
    body += [text(x(tick), y0 + HIGH + 18, f"{tick:,}", anchor="middle", kind="faint") for tick in ticks]
    body.append(text(x0 + WIDE / 2, y0 + HIGH + 38, panel.axis, anchor="middle"))
    for share, words in panel.marks:
        body += [path([(x0, y(share)), (x0 + WIDE, y(share))], "line z dash")]
        body += [text(x0 + WIDE, y(share) + 15, words, anchor="end", kind="faint")]
    lowest = y0 - 12.0
    for name, curve in sorted(panel.curves.items(), key=lambda item: -item[1][-1][1]):
        tone, points = TONES[names.index(name) % len(TONES)], [(x(across), y(up)) for across, up in curve]
        body.append(path(points, f"line {tone}"))
        lowest = max(points[-1][1] + 4, lowest + 16)
        body.append(text(points[-1][0] + 6, lowest, label(name), kind=f"label {tone}"))
    return body


def label(run: str) -> str:
    """Return ``cppn, seed 2`` for ``imagenet-cppn-2``."""
    return run.removeprefix("imagenet-").replace("-", ", seed ", 1).partition(" of ")[0]


def _list(value: object) -> list[Any]:
    assert isinstance(value, list)
    return value
