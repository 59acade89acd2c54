"""The page of ``evofool breed`` for everyone: names, contrast, widths, light and dark, no motion."""

from __future__ import annotations

from pathlib import Path

import pytest
from breeding import look_closer, settled
from browsing import Open, overflow, still
from test_accessible import LOW_CONTRAST, NAMELESS

import evofool


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that begins with the same pictures every time."""
    return evofool.breed("digits", tmp_path_factory.mktemp("breed") / "page.html", seed=2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read(opened: Open, file: Path, scheme: str) -> None:
    page = settled(opened(file, color_scheme=scheme, reduced_motion="reduce"))
    page.locator("#nursery .pick").nth(1).click()
    low, looked = page.evaluate(LOW_CONTRAST)
    assert low == []
    assert looked > 100
    page.locator("#theme").click()
    assert page.evaluate(LOW_CONTRAST)[0] == []
    look_closer(page, 2)
    assert page.evaluate(LOW_CONTRAST)[0] == []
    page.locator("#close").click()
    page.locator("#ask").click()
    low, more = page.evaluate(LOW_CONTRAST)
    assert low == []
    assert more > looked + 15


def test_everything_has_a_name(opened: Open, file: Path) -> None:
    page = settled(opened(file))
    look_closer(page, 2)
    assert page.evaluate(NAMELESS) == []
    assert page.locator("h1").count() == 1
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("width", [320, 768, 1280, 2560])
def test_nothing_sticks_out(opened: Open, file: Path, width: int) -> None:
    page = settled(opened(file, viewport={"width": width, "height": 900}, has_touch=width < 800))
    assert overflow(page) == []
    page.locator("#nursery .pick").first.click()
    assert overflow(page) == []
    for button in page.locator("#tray button, #tray select, #pictures button, #collection button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
    look_closer(page, 3)
    still(page)
    assert overflow(page) == []
    page.locator("#close").click()
    page.locator("#ask").click()
    assert overflow(page) == []


def test_pictures_are_chosen_by_touch(opened: Open, file: Path) -> None:
    page = settled(opened(file, viewport={"width": 375, "height": 800}, has_touch=True, is_mobile=True))
    page.locator("#nursery .pick").nth(2).tap()
    assert page.locator("#nursery .pick").nth(2).get_attribute("aria-pressed") == "true"
    page.locator("#breed").tap()
    settled(page)
    assert page.locator("#generation").inner_text() == "generation 2"
    page.locator("#nursery .closer").first.tap()
    assert page.evaluate("document.getElementById('closer').open")


def test_still_for_those_who_want_it_still(opened: Open, file: Path) -> None:
    page = settled(opened(file, reduced_motion="reduce"))
    assert page.evaluate("document.getAnimations().length") == 0
