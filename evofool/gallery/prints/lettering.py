"""Text in pictures for print and screen: colours, fonts, lines that fit, captions."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import ImageDraw, ImageFont

from ...text import percent

INK, PAPER = (236, 236, 232), (16, 17, 20)
"""Colours of text and of the background."""

FAINT, RULE = (140, 142, 148), (44, 46, 52)
"""Colours of secondary text, and of empty bars and places."""

FRAME = (92, 94, 102)
"""Colour of the frame around an inset."""

SURE, UNSURE = (120, 214, 160), (232, 150, 90)
"""Colours of the bar of a confidence: from ``HIGH_CONFIDENCE`` on, and below."""

HIGH_CONFIDENCE = 0.99
"""Confidence from which a network counts as sure."""

MIN_FONT_SIZE = 11
"""Smallest font size of text that is made to fit, in pixels; smaller text can't be read."""

SYSTEM_FONTS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "arial.ttf",
    "ArialHB.ttc", "NotoSansCJK-Regular.ttc", "PingFang.ttc", "msyh.ttc", "msgothic.ttc", "wqy-zenhei.ttc",
    "NotoSansArabic-Regular.ttf", "NotoSansHebrew-Regular.ttf", "NotoSansDevanagari-Regular.ttf",
)  # fmt: skip
"""Fonts that are tried, in this order, where the built-in one lacks a letter."""

MISSING_LETTER = "?"
"""What is set instead of a letter that no font has."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Colour = tuple[int, int, int]


def typeset(text: str, size: int) -> tuple[str, Font]:
    """Return a line of text as it can be set, and the font that sets it, ``size`` in pixels."""
    name, text = _choose_font(" ".join(text.split()))
    font = _load(name, size)
    assert font is not None
    return text, font


def shorten(draw: ImageDraw.ImageDraw, text: str, font: Font, width: float) -> str:
    """Return a line of text, cut and ended with an ellipsis where it is wider than ``width`` pixels."""
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(text + "…", font) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def fit_text(draw: ImageDraw.ImageDraw, text: str, width: float, size: int) -> tuple[str, Font]:
    """Return a line of text that fits and its font: it is set smaller, down to ``MIN_FONT_SIZE``, then cut."""
    line, font = typeset(text, size)
    while size > MIN_FONT_SIZE and draw.textlength(line, font) > width:
        size -= 1
        line, font = typeset(text, size)
    return shorten(draw, line, font, width), font


def draw_line(
    draw: ImageDraw.ImageDraw,
    text: str,
    position: tuple[float, float],
    width: float,
    size: int,
    colour: Colour,
    anchor: str = "la",
) -> None:
    """Draw a line of text, made to fit by :func:`fit_text`."""
    text, font = fit_text(draw, text, width, size)
    draw.text(position, text, colour, font, anchor=anchor)


def draw_caption(
    draw: ImageDraw.ImageDraw, name: str, score: float | None, corner: tuple[int, int], width: int, size: int
) -> None:
    """Draw a bar as long as a score, and below it a name and the score in per cent.

    Args:
        draw: What to draw on.
        name: The name of the class.
        score: The score in [0, 1]; None where there is no picture yet.
        corner: Left and top of the caption.
        width: Width of the picture above, in pixels.
        size: Font size, in pixels.
    """
    (x, y), thick = corner, bar_height(width)
    draw_bar(draw, score, (x, y + thick), width)
    draw_label(draw, name, "" if score is None else percent(score), (x, y + 2 * thick + size * 0.35), width, size)


def draw_bar(draw: ImageDraw.ImageDraw, score: float | None, corner: tuple[int, int], width: int) -> None:
    """Draw the bar of a caption, filled as far as the score goes; arguments as in :func:`draw_caption`."""
    (x, y), thick = corner, bar_height(width)
    draw.rectangle((x, y, x + width - 1, y + thick - 1), fill=RULE)
    filled = round(width * max(0.0, min(1.0, score or 0.0)))
    if score is not None and filled:
        draw.rectangle((x, y, x + filled - 1, y + thick - 1), fill=SURE if score >= HIGH_CONFIDENCE else UNSURE)


def bar_height(width: int) -> int:
    """Return the height of the bar below a picture of some width, in pixels."""
    return max(2, width // 90)


def draw_label(
    draw: ImageDraw.ImageDraw, name: str, share: str, corner: tuple[int, float], width: int, size: int
) -> None:
    """Draw the name of a caption and, at the right, its score as a text; else as :func:`draw_caption`."""
    x, y = corner
    share, share_font = typeset(share, size)
    room = width - draw.textlength(share, share_font) - size / 2
    name, font = typeset(name, size)
    draw.text((x, y), shorten(draw, name, font, room), INK, font)
    if share:
        draw.text((x + width, y), share, FAINT, share_font, anchor="ra")


def confidence_summary(scores: Sequence[float], things: str = "classes") -> str:
    """Return ``10 classes · median confidence 99.99 % · 9 of 10 at 99 % or more · lowest 98.21 %``."""
    sure = sum(score >= HIGH_CONFIDENCE for score in scores)
    return (
        f"{len(scores)} {things} · median confidence {percent(float(np.median(scores)))} · "
        f"{sure} of {len(scores)} at 99 % or more · lowest {percent(min(scores))}"
    )


@lru_cache(maxsize=512)
def _load(name: str, size: int) -> Font | None:
    """Return a font by its file's name, the built-in one for an empty name; None where the system doesn't have it."""
    try:
        return ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
    except OSError:
        return None


@lru_cache(maxsize=16384)
def _has_letter(name: str, letter: str) -> bool:
    """Return whether a font has a letter, and not just the box that stands for letters it lacks."""
    font = _load(name, 24)
    if font is None:
        return False
    if letter.isspace() or unicodedata.combining(letter) or unicodedata.category(letter) == "Cf":
        return True
    mask, box = font.getmask(letter), font.getmask("\U0010fffd")
    return bool(mask.size != box.size or bytes(mask) != bytes(box))


@lru_cache(maxsize=4096)
def _choose_font(text: str) -> tuple[str, str]:
    """Return the first font that has all letters, or else the one that has most, and the text as it can set it."""
    lacking = {
        name: sum(not _has_letter(name, letter) for letter in text) for name in ("", *SYSTEM_FONTS) if _load(name, 24)
    }
    best = min(lacking, key=lacking.__getitem__)
    if not lacking[best]:
        return best, text
    return best, "".join(letter if _has_letter(best, letter) else _plain_letter(best, letter) for letter in text)


def _plain_letter(name: str, letter: str) -> str:
    """Return a letter without its marks, or ``MISSING_LETTER`` where the font lacks that too."""
    plain = unicodedata.normalize("NFKD", letter)[0]
    return plain if _has_letter(name, plain) else MISSING_LETTER
