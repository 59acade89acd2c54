"""Typefaces: one for a whole print as far as there is one, and letters that no font has are named."""

from __future__ import annotations

import pytest
from PIL import ImageFont

from evofool.gallery.prints import lettering
from evofool.gallery.prints.lettering import DARK, LIGHT, missing_letters, typeset

UNKNOWN = "\U0010fffd"
"""A letter of no script."""


def has_system_font() -> bool:
    try:
        ImageFont.truetype("DejaVuSans.ttf", 12)
    except OSError:
        return False
    return True


needs_font = pytest.mark.skipif(not has_system_font(), reason="DejaVu Sans is not installed")


def family(text: str, face: str) -> str:
    return str(typeset(text, 20, face)[1].getname()[0])  # type: ignore[union-attr]


@needs_font
def test_one_letter_that_the_built_in_font_lacks_sets_all_in_another() -> None:
    texts = ["What cifar10 is sure about", "Bären – und mehr", "cat"]
    style = DARK.for_texts(texts)
    assert {family(text, style.face) for text in [*texts, "99.98 %"]} == {"DejaVu Sans"}


def test_plain_letters_are_set_in_the_built_in_font() -> None:
    texts = ["What cifar10 is sure about", "cat", "99.98 %"]
    style = LIGHT.for_texts(texts)
    assert style.face == ""
    assert len({family(text, style.face) for text in texts}) == 1


def test_letters_that_no_font_has_are_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_has_letter", lambda _, letter: letter.isascii())
    lettering._choose_font.cache_clear()
    try:
        texts = ["猫 and 犬", "猫", "line\nbreak\x1b"]
        assert missing_letters(texts, DARK.for_texts(texts)) == "猫犬"
        assert typeset("a猫b", 12)[0] == "a?b"
        assert missing_letters(["cat"], DARK) == ""
    finally:
        lettering._choose_font.cache_clear()


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return the contrast of two colours (WCAG 2.1, 1.4.3)."""

    def luminance(colour: tuple[int, ...]) -> float:
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("style", [DARK, LIGHT])
def test_text_can_be_read_on_its_paper(style: lettering.Style) -> None:
    assert contrast(style.ink, style.paper) > 12
    assert contrast(style.faint, style.paper) > 4.5
    assert contrast(style.sure, style.paper) > 3
    assert contrast(style.unsure, style.paper) > 3
