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
