"""What the pictures for print and screen share: colours, fonts, lines of text that fit, captions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import ImageDraw, ImageFont

from ..text import percent

INK, PAPER = (236, 236, 232), (16, 17, 20)
FAINT, RULE = (140, 142, 148), (44, 46, 52)
FRAME = (92, 94, 102)
SURE, UNSURE = (120, 214, 160), (232, 150, 90)

SMALLEST = 11
"""font size, in pixels, below which nobody reads"""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=64)
def font_of(size: int) -> Font:
    """The one typeface, ``size`` in pixels."""
    return ImageFont.load_default(size)


def shortened(draw: ImageDraw.ImageDraw, text: str, font: Font, room: float) -> str:
    """The text on one line, cut with an ellipsis where it is wider than ``room`` pixels."""
    text = " ".join(text.split())
    if draw.textlength(text, font) <= room:
        return text
    while text and draw.textlength(text + "…", font) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def fitted(draw: ImageDraw.ImageDraw, text: str, room: float, size: int) -> tuple[str, Font]:
    """One line of text that fits: set smaller, down to ``SMALLEST``, then cut."""
    text = " ".join(text.split())
    while size > SMALLEST and draw.textlength(text, font_of(size)) > room:
        size -= 1
    return shortened(draw, text, font_of(size), room), font_of(size)


def line(
    draw: ImageDraw.ImageDraw,
    text: str,
    place: tuple[float, float],
    room: float,
    size: int,
    colour: tuple[int, int, int],
    anchor: str = "la",
) -> None:
    """Draw a line of text that fits; see :func:`fitted`."""
    text, font = fitted(draw, text, room, size)
    draw.text(place, text, colour, font, anchor=anchor)


def caption(
    draw: ImageDraw.ImageDraw, name: str, score: float | None, place: tuple[int, int], width: int, text: int
) -> None:
    """A bar as long as the score, and below it the name and the score in per cent.

    Args:
        draw: where to.
        name: of the class.
        score: in [0, 1]; None where it isn't known.
        place: left and top.
        width: of the picture above, in pixels.
        text: font size.
    """
    (x, y), thick = place, thickness(width)
    bar(draw, score, (x, y + thick), width)
    label(draw, name, score, (x, y + 2 * thick + text * 0.35), width, text)


def bar(draw: ImageDraw.ImageDraw, score: float | None, place: tuple[int, int], width: int) -> None:
    """A bar below a picture, filled as far as the score goes; see :func:`caption`."""
    (x, y), thick = place, thickness(width)
    draw.rectangle((x, y, x + width - 1, y + thick - 1), fill=RULE)
    share = round(width * max(0.0, min(1.0, score or 0.0)))
    if score is not None and share:
        draw.rectangle((x, y, x + share - 1, y + thick - 1), fill=SURE if score >= 0.99 else UNSURE)


def thickness(width: int) -> int:
    """Height of the bar below a picture."""
    return max(2, width // 90)


def label(
    draw: ImageDraw.ImageDraw, name: str, score: float | None, place: tuple[int, float], width: int, text: int
) -> None:
    """A name, and at the right a score; see :func:`caption`."""
    (x, y), font = place, font_of(text)
    told = "" if score is None else percent(score, fine=False)
    room = width - draw.textlength(told, font) - text / 2
    draw.text((x, y), shortened(draw, name, font, room), INK, font)
    if told:
        draw.text((x + width, y), told, FAINT, font, anchor="ra")


def how_sure(scores: Sequence[float]) -> str:
    """``10 classes · median confidence 99.99 % · 9 of 10 at 99 % or more · lowest 98.21 %``."""
    sure = sum(score >= 0.99 for score in scores)
    return (
        f"{len(scores)} classes · median confidence {percent(float(np.median(scores)), fine=False)} · "
        f"{sure} of {len(scores)} at 99 % or more · lowest {percent(min(scores), fine=False)}"
    )
