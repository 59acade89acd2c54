"""Text in pictures for print and screen: colours, fonts, lines that fit, captions."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import median

from PIL import ImageDraw, ImageFont

from ...text import counted, percent

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Style:
    """Colours and typeface of a print.

    Attributes:
        ink, paper: Text and background.
        faint, rule: Secondary text, and empty bars and places.
        frame: The frame around an inset.
        sure, unsure: The bar of a confidence: from ``HIGH_CONFIDENCE`` on, and below.
        outline: A line around every picture, for light ones on light paper; None for no line.
        face: The font of all text that it has the letters for, as the name of its file; empty for the built-in one.
    """

    ink: Colour
    paper: Colour
    faint: Colour
    rule: Colour
    frame: Colour
    sure: Colour
    unsure: Colour
    outline: Colour | None = None
    face: str = ""

    def for_texts(self, texts: Iterable[str]) -> Style:
        """Return the same style in the typeface that sets these texts, all in one as far as there is one."""
        return replace(self, face=_choose_font("".join(sorted(set("".join(texts)))), "")[0])


DARK = Style(
    ink=(236, 236, 232), paper=(16, 17, 20), faint=(140, 142, 148), rule=(44, 46, 52), frame=(92, 94, 102),
    sure=(120, 214, 160), unsure=(232, 150, 90),
)  # fmt: skip
"""Light on dark, for screens and walls."""

LIGHT = Style(
    ink=(24, 25, 28), paper=(255, 255, 255), faint=(92, 96, 104), rule=(220, 222, 226), frame=(150, 153, 160),
    sure=(31, 122, 74), unsure=(180, 83, 9), outline=(200, 202, 208),
)  # fmt: skip
"""Dark on white, for paper: a printer needs little ink."""

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


def typeset(text: str, size: int, face: str = "") -> tuple[str, Font]:
    """Return a line of text as it can be set, and the font that sets it, ``size`` in pixels.

    Args:
        text: Any text.
        size: The font's size.
        face: The font to prefer; another one is used where that lacks a letter.
    """
    name, text = _choose_font(" ".join(text.split()), face)
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


def fit_text(draw: ImageDraw.ImageDraw, text: str, width: float, size: int, face: str = "") -> tuple[str, Font]:
    """Return a line of text that fits and its font: it is set smaller, down to ``MIN_FONT_SIZE``, then cut."""
    line, font = typeset(text, size, face)
    while size > MIN_FONT_SIZE and draw.textlength(line, font) > width:
        size -= 1
        line, font = typeset(text, size, face)
    return shorten(draw, line, font, width), font


def draw_line(
    draw: ImageDraw.ImageDraw,
    text: str,
    position: tuple[float, float],
    width: float,
    size: int,
    colour: Colour,
    anchor: str = "la",
    face: str = "",
) -> None:
    """Draw a line of text, made to fit by :func:`fit_text`."""
    text, font = fit_text(draw, text, width, size, face)
    draw.text(position, text, colour, font, anchor=anchor)


def draw_caption(
    draw: ImageDraw.ImageDraw,
    name: str,
    score: float | None,
    corner: tuple[int, int],
    width: int,
    size: int,
    style: Style = DARK,
) -> None:
    """Draw a bar as long as a score, and below it a name and the score in per cent.

    Args:
        draw: What to draw on.
        name: The name of the class.
        score: The score in [0, 1]; None where there is no picture yet.
        corner: Left and top of the caption.
        width: Width of the picture above, in pixels.
        size: Font size, in pixels.
        style: Colours and typeface.
    """
    (x, y), thick = corner, bar_height(width)
    draw_bar(draw, score, (x, y + thick), width, style)
    share = "" if score is None else percent(score)
    draw_label(draw, name, share, (x, y + 2 * thick + size * 0.35), width, size, style)


def draw_bar(
    draw: ImageDraw.ImageDraw, score: float | None, corner: tuple[int, int], width: int, style: Style = DARK
) -> None:
    """Draw the bar of a caption, filled as far as the score goes; arguments as in :func:`draw_caption`."""
    (x, y), thick = corner, bar_height(width)
    draw.rectangle((x, y, x + width - 1, y + thick - 1), fill=style.rule)
    filled = round(width * max(0.0, min(1.0, score or 0.0)))
    if score is not None and filled:
        draw.rectangle(
            (x, y, x + filled - 1, y + thick - 1), fill=style.sure if score >= HIGH_CONFIDENCE else style.unsure
        )


def bar_height(width: int) -> int:
    """Return the height of the bar below a picture of some width, in pixels."""
    return max(2, width // 90)


def draw_label(
    draw: ImageDraw.ImageDraw,
    name: str,
    share: str,
    corner: tuple[int, float],
    width: int,
    size: int,
    style: Style = DARK,
) -> None:
    """Draw the name of a caption and, at the right, its score as a text; else as :func:`draw_caption`."""
    x, y = corner
    share, share_font = typeset(share, size, style.face)
    room = width - draw.textlength(share, share_font) - size / 2
    name, font = typeset(name, size, style.face)
    draw.text((x, y), shorten(draw, name, font, room), style.ink, font)
    if share:
        draw.text((x + width, y), share, style.faint, share_font, anchor="ra")


def confidence_summary(scores: Sequence[float], thing: str = "class", unscored: int = 0) -> str:
    """Return ``10 classes · median confidence 99.99 % · 9 of 10 at 99 % or more · lowest 98.21 %``.

    Args:
        scores: The confidences.
        thing: What each is of.
        unscored: How many more there are that have none.
    """
    sure = sum(score >= HIGH_CONFIDENCE for score in scores)
    missing = f", {unscored:,} not scored" if unscored else ""
    return (
        f"{counted(len(scores) + unscored, thing)}{missing} · median confidence {percent(median(scores))} · "
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


def missing_letters(texts: Iterable[str], style: Style) -> str:
    """Return the letters of lines of text that can't be set as they are, each once."""
    missing: dict[str, None] = {}
    for text in texts:
        line = " ".join(text.split())
        name, _ = _choose_font(line, style.face)
        missing |= dict.fromkeys(letter for letter in line if letter.isprintable() and not _has_letter(name, letter))
    return "".join(missing)


@lru_cache(maxsize=4096)
def _choose_font(text: str, face: str) -> tuple[str, str]:
    """Return the first font that has all letters, or else the one that has most, and the text as it can set it.

    Args:
        text: One line of text.
        face: The font that comes before all others.
    """
    lacking = {
        name: sum(not _has_letter(name, letter) for letter in text)
        for name in dict.fromkeys((face, "", *SYSTEM_FONTS))
        if _load(name, 24)
    }
    best = min(lacking, key=lacking.__getitem__)
    if not lacking[best]:
        return best, text
    return best, "".join(letter if _has_letter(best, letter) else _plain_letter(best, letter) for letter in text)


def _plain_letter(name: str, letter: str) -> str:
    """Return a letter without its marks, or ``MISSING_LETTER`` where the font lacks that too."""
    plain = unicodedata.normalize("NFKD", letter)[0]
    return plain if _has_letter(name, plain) else MISSING_LETTER
