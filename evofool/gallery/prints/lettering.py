"""What the pictures for print and screen share: colours, fonts, lines of text that fit, captions."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import ImageDraw, ImageFont

from ...text import percent

INK, PAPER = (236, 236, 232), (16, 17, 20)
FAINT, RULE = (140, 142, 148), (44, 46, 52)
FRAME = (92, 94, 102)
SURE, UNSURE = (120, 214, 160), (232, 150, 90)

SMALLEST = 11
"""font size, in pixels, below which nobody reads"""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


SYSTEM = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "arial.ttf",
    "ArialHB.ttc", "NotoSansCJK-Regular.ttc", "PingFang.ttc", "msyh.ttc", "msgothic.ttc", "wqy-zenhei.ttc",
    "NotoSansArabic-Regular.ttf", "NotoSansHebrew-Regular.ttf", "NotoSansDevanagari-Regular.ttf",
)  # fmt: skip
"""fonts that are looked for, in this order, where the built-in one lacks a letter"""

MISSING = "?"
"""stands for a letter that no font has"""


@lru_cache(maxsize=512)
def _load(name: str, size: int) -> Font | None:
    """A font by its file's name, the built-in one for none; None where the system hasn't got it."""
    try:
        return ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
    except OSError:
        return None


@lru_cache(maxsize=16384)
def _has(name: str, letter: str) -> bool:
    """Whether a font has a letter, and not just the box that stands for all it hasn't."""
    font = _load(name, 24)
    if font is None:
        return False
    if letter.isspace() or unicodedata.combining(letter) or unicodedata.category(letter) == "Cf":
        return True
    mask, box = font.getmask(letter), font.getmask("\U0010fffd")
    return bool(mask.size != box.size or bytes(mask) != bytes(box))


@lru_cache(maxsize=4096)
def _chosen(text: str) -> tuple[str, str]:
    """The first font that has all letters, or else the one that has most, and the text as it can set it."""
    lacking = {name: sum(not _has(name, letter) for letter in text) for name in ("", *SYSTEM) if _load(name, 24)}
    best = min(lacking, key=lacking.__getitem__)
    if not lacking[best]:
        return best, text
    return best, "".join(letter if _has(best, letter) else _plainer(best, letter) for letter in text)


def _plainer(name: str, letter: str) -> str:
    """A letter without its marks, where the font has that."""
    plain = unicodedata.normalize("NFKD", letter)[0]
    return plain if _has(name, plain) else MISSING


def set_in(text: str, size: int) -> tuple[str, Font]:
    """A line of text as it can be set, and the font that sets it, ``size`` in pixels."""
    name, text = _chosen(" ".join(text.split()))
    font = _load(name, size)
    assert font is not None
    return text, font


def shortened(draw: ImageDraw.ImageDraw, text: str, font: Font, room: float) -> str:
    """The text on one line, cut with an ellipsis where it is wider than ``room`` pixels."""
    if draw.textlength(text, font) <= room:
        return text
    while text and draw.textlength(text + "…", font) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def fitted(draw: ImageDraw.ImageDraw, text: str, room: float, size: int) -> tuple[str, Font]:
    """One line of text that fits: set smaller, down to ``SMALLEST``, then cut."""
    words, font = set_in(text, size)
    while size > SMALLEST and draw.textlength(words, font) > room:
        size -= 1
        words, font = set_in(text, size)
    return shortened(draw, words, font, room), font


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
    x, y = place
    told, plain = set_in("" if score is None else percent(score, fine=False), text)
    room = width - draw.textlength(told, plain) - text / 2
    name, font = set_in(name, text)
    draw.text((x, y), shortened(draw, name, font, room), INK, font)
    if told:
        draw.text((x + width, y), told, FAINT, plain, anchor="ra")


def how_sure(scores: Sequence[float], things: str = "classes") -> str:
    """``10 classes · median confidence 99.99 % · 9 of 10 at 99 % or more · lowest 98.21 %``."""
    sure = sum(score >= 0.99 for score in scores)
    return (
        f"{len(scores)} {things} · median confidence {percent(float(np.median(scores)), fine=False)} · "
        f"{sure} of {len(scores)} at 99 % or more · lowest {percent(min(scores), fine=False)}"
    )
