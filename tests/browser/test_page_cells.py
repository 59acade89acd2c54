"""The page of a run with several images per class, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import Open, elites, focused, open_tile, overflow, shown

CELL = """(button) => {
  const places = button.closest(".places"), box = button.getBoundingClientRect(), all = places.getBoundingClientRect();
  return [Math.floor(3 * (all.bottom - (box.top + box.bottom) / 2) / all.height),
          Math.floor(3 * ((box.left + box.right) / 2 - all.left) / all.width)];
}"""


def test_every_picture_stands_in_its_cell(opened: Open, several: Path) -> None:
    page, lines = opened(several / "index.html"), elites(several)
    assert sorted(shown(page)) == list(range(len(lines)))
    for number, line in enumerate(lines):
        assert page.locator(f'.tile[data-n="{number}"]').evaluate(CELL) == line["cell"]
    assert page.locator(".hole").count() == 90 - len(lines)


def test_classes_are_filtered_and_counted_as_classes(opened: Open, several: Path) -> None:
    page, lines = opened(several / "index.html"), elites(several)
    assert page.locator("#count").inner_text() == "10 classes"
    page.fill("#filter", "3")
    assert page.locator("#count").inner_text() == "1 of 10"
    assert sorted(shown(page)) == [number for number, line in enumerate(lines) if line["class"] == "3"]


def test_a_picture_tells_its_descriptors(opened: Open, several: Path) -> None:
    page, lines = opened(several / "index.html"), elites(several)
    open_tile(page, 0)
    facts = page.locator("#more").inner_text()
    for name, value in lines[0]["descriptors"].items():
        assert f"{name.capitalize()}\n{value:.3g}" in facts


@pytest.mark.parametrize("width", [320, 768, 2560])
def test_nothing_sticks_out(opened: Open, several: Path, width: int) -> None:
    assert overflow(opened(several / "index.html", viewport={"width": width, "height": 900})) == []


def test_arrows_go_through_the_grid(opened: Open, several: Path) -> None:
    page = opened(several / "index.html")
    first, second = shown(page)[:2]
    page.locator(f'.tile[data-n="{first}"]').focus()
    page.keyboard.press("ArrowRight")
    assert focused(page) == second
    page.keyboard.press("ArrowDown")
    assert focused(page) not in (first, second)


def test_pictures_whose_first_guess_is_another_class_can_be_hidden(opened: Open, several: Path) -> None:
    page, lines = opened(several / "index.html"), elites(several)
    others = [number for number, line in enumerate(lines) if line["top5"][0][0] != line["class"]]
    assert 0 < len(others) < len(lines)
    assert f"hide {len(others)} whose first guess is another class" in page.locator("#controls").inner_text()
    before = page.locator('.tile[data-n="0"]').bounding_box()
    page.check("#own")
    hidden = [n for n in range(len(lines)) if page.locator(f'.tile[data-n="{n}"] img').is_hidden()]
    assert hidden == others
    assert page.locator('.tile[data-n="0"]').bounding_box() == before  # the others stay in their cells
    page.locator(f'.tile[data-n="{others[0]}"]').click(force=True)
    assert page.locator("#closer").is_hidden()
    page.reload()
    assert page.locator("#own").is_checked()
    page.uncheck("#own")
    assert page.locator(f'.tile[data-n="{others[0]}"] img').is_visible()
