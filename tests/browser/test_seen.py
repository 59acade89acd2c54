"""What is drawn can be seen: inside its drawing, painted, not on top of other words, at any width, light and dark."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import Open, largest, named_target, overflow
from configs import edit_config
from PIL import Image
from sight import broken_words, outside, overlaps, smallest_letters, unpainted_strokes, unpainted_texts
from support import random_images

from evofool import attack
from evofool.gallery.pages.campaign_page import write_report
from evofool.gallery.pages.run_page import write_gallery

if TYPE_CHECKING:
    from playwright.sync_api import Page

LEGIBLE = 11
"""Least size of letters in a drawing, in pixels."""

SCREENS = pytest.mark.parametrize(("width", "scheme"), [(375, "dark"), (375, "light"), (1280, "light"), (2560, "dark")])


def opened_at(opened: Open, file: Path | None, width: int, scheme: str) -> Page:
    """Open a page in a window that is high enough for what is looked at."""
    return opened(file, viewport={"width": width, "height": 2400 if width < 500 else 1200}, color_scheme=scheme)


def assert_readable(page: Page) -> None:
    assert overflow(page) == []
    assert broken_words(page) == []


@SCREENS
def test_every_connection_node_and_label_of_a_graph(opened: Open, colours: Path, width: int, scheme: str) -> None:
    page = opened_at(opened, None, width, scheme)
    page.goto(f"{(colours / 'index.html').as_uri()}#{largest(colours)}")
    page.wait_for_selector("#closer[data-ready]")
    assert_readable(page)
    page.locator("#graph").evaluate("graph => graph.scrollIntoView({block: 'center'})")
    assert outside(page, "#graph", "svg") == []
    assert outside(page, "#graph svg", ".edge, .node, text") == []
    assert overlaps(page, "#graph text") == []
    assert smallest_letters(page, "#graph text, .legend") >= LEGIBLE
    assert page.locator("#graph .edge.plus").count() > 3
    assert page.locator("#graph .edge.minus").count() > 0
    assert unpainted_strokes(page, "#graph .edge") == []
    assert unpainted_strokes(page, "#graph .body, #graph .curve") == []
    assert unpainted_texts(page, "#graph text, .legend li, .legend p") == []


@SCREENS
def test_a_large_graph_lies_whole_inside_its_frame(opened: Open, founded: Path, width: int, scheme: str) -> None:
    page = opened_at(opened, None, width, scheme)
    page.goto(f"{(founded / 'index.html').as_uri()}#{largest(founded)}")
    page.wait_for_selector("#closer[data-ready]")
    assert_readable(page)
    page.locator("#graph").evaluate("graph => graph.scrollIntoView({block: 'center'})")
    assert page.locator("#graph .edge").count() > 60
    assert outside(page, "#graph", "svg") == []
    assert outside(page, "#graph svg", ".edge, .node, text") == []
    assert overlaps(page, "#graph text") == []
    assert smallest_letters(page, "#graph text, .legend") >= LEGIBLE


SPENT = [(1, 1e6), (90, 12_000), (100, 1e9), (300, 900), (5e5, 6e5)]
"""First and last number of evaluations of curves."""

CURVE = """([first, last]) => {
  const strip = {key: 0, group: 0, evaluations: [first, last], medians: [0, 1]};
  Curves.draw(document.getElementById("medians"), [strip], "evaluations");
}"""


@SCREENS
def test_the_curve_and_the_strip(opened: Open, digits: Path, width: int, scheme: str) -> None:
    page = opened_at(opened, digits / "index.html", width, scheme)
    assert_readable(page)
    for axis in ("time", "evaluations"):
        page.locator(f"#across [value={axis}]").check(force=True)
        assert outside(page, "#medians svg", "text, line, path") == []
        assert overlaps(page, "#medians text") == []
        assert page.locator("#medians text").count() >= 6
    for spent in SPENT:
        page.evaluate(CURVE, spent)
        assert outside(page, "#medians svg", "text, line, path") == []
        assert overlaps(page, "#medians text") == []
        assert page.locator("#medians text").count() >= 6
    assert smallest_letters(page, "#medians text") >= LEGIBLE
    assert unpainted_strokes(page, "#medians .line, #medians .axis") == []
    assert unpainted_texts(page, "#medians text, #how figcaption, #scale span") == []
    assert outside(page, "#how", "#strip, #medians, figcaption, #scale span") == []


@pytest.fixture(scope="module")
def campaigns(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two campaigns on the same images of classes that have words for names, with reports; read only."""
    place = tmp_path_factory.mktemp("campaigns")
    for number, image in enumerate(random_images(14, (8, 8))):
        (place / "images").mkdir(exist_ok=True)
        Image.fromarray(image.numpy()).save(place / "images" / f"{number}.png")
    target = named_target(["Null", "Eins", "automobile", "black-footed ferret", "Donaudampfschiff", "Sechs"], (1, 8, 8))
    for name, pixels in (("vorher", 1), ("nachher, mit mehr Pixeln", 3)):
        attack(target, place / "images", out=place / name, count=14, pixels=pixels, queries=400, baseline=True)
    return [place / "vorher", place / "nachher, mit mehr Pixeln"]


@SCREENS
def test_a_grid_of_cells(opened: Open, several: Path, width: int, scheme: str) -> None:
    page = opened_at(opened, several / "index.html", width, scheme)
    assert_readable(page)
    assert outside(page, "#grid", ".card, .name, .tile, .hole, .ends span, .said .sure") == []
    assert outside(page, ".places", ".tile, .hole, .meter, .said .sure") == []
    assert overlaps(page, ".card .name, .ends span, .places") == []
    page.locator("#grid").evaluate("grid => grid.scrollIntoView()")
    card = ".card:first-child"
    assert unpainted_texts(page, f"{card} .name bdi, {card} .ends span, {card} .said .sure") == []
    (dark, bright), (plain, busy) = (page.locator(f"{card} .{kind} span").all() for kind in ("up", "across"))
    assert [end.inner_text() for end in (dark, bright, plain, busy)] == ["dark", "bright", "plain", "busy"]
    assert bright.bounding_box()["y"] < dark.bounding_box()["y"]
    assert plain.bounding_box()["x"] < busy.bounding_box()["x"]


CLIPPED = """[...document.querySelectorAll(".tile .part")]
  .filter((part) => part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1)
  .map((part) => part.textContent)"""


@SCREENS
def test_captions_keep_what_an_image_became(
    opened: Open, campaigns: list[Path], tmp_path: Path, width: int, scheme: str
) -> None:
    page = opened_at(opened, write_gallery(campaigns[1:], tmp_path / "gallery.html"), width, scheme)
    assert_readable(page)
    assert page.evaluate(CLIPPED) == []
    assert outside(page, ".card", ".tile, .shot, .meter, .part, .said .sure") == []
    assert outside(page, ".shot", "img") == []
    parts = page.locator(".tile").evaluate_all("all => all.map((tile) => tile.querySelectorAll('.part').length)")
    assert parts
    assert set(parts) == {2}
    assert unpainted_texts(page, ".card:first-child .part bdi, .card:first-child .said .sure") == []


@SCREENS
def test_runs_side_by_side(opened: Open, digits: Path, raw: Path, tmp_path: Path, width: int, scheme: str) -> None:
    page = opened_at(opened, write_gallery([digits, raw], tmp_path / "two.html"), width, scheme)
    assert_readable(page)
    assert outside(page, ".table", "th, td") == []
    rows = page.locator(".table tbody th").all_inner_texts()
    assert len(rows) == len(set(rows)) > 5
    assert unpainted_texts(page, ".table thead bdi, .table tbody th, .table td") == []
    assert outside(page, ".card", ".name, .tile, .part, .said .sure") == []


@SCREENS
def test_a_report_and_a_comparison(
    opened: Open, campaigns: list[Path], tmp_path: Path, width: int, scheme: str
) -> None:
    files = [write_report(campaigns[1:]).file, write_report(campaigns, tmp_path / "both.html").file]
    for file in files:
        page = opened_at(opened, file, width, scheme)
        assert_readable(page)
        assert page.locator(".fig:visible").count() >= 1
        assert outside(page, ".fig", "text, line, path, rect, circle") == []
        assert overlaps(page, ".fig text") == []
        assert smallest_letters(page, ".fig text, td, th, dt, dd, small, p, figcaption") >= LEGIBLE
        assert outside(page, ".table", "th, td") == []
        assert outside(page, ".wins", ".win, .shot, .to, .meta") == []


@SCREENS
def test_a_table_of_long_names(opened: Open, tmp_path: Path, digits: Path, width: int, scheme: str) -> None:
    """Three runs side by side, each with operators of its own."""
    runs = []
    for number, name in enumerate(("the_first_of_them_with_a_long_name", "another_with_a_name_of_its_own", "third")):
        run = Path(shutil.copytree(digits, tmp_path / name, ignore=shutil.ignore_patterns("history")))
        operators = {"select": f"package:the_weakest_of_all_elites(k={number})", "mutate": f"m:some_{number}"}
        edit_config(run, {"swapped": operators, "options.emitters": ["vary", f"tweak@{1500 + number}"]})
        runs.append(run)
    page = opened_at(opened, write_gallery(runs, tmp_path / "three.html"), width, scheme)
    assert overflow(page) == []
    assert broken_words(page) == []
    assert page.locator(".table").evaluate("table => table.scrollWidth <= table.clientWidth")
    assert outside(page, ".table", "tbody th, td") == []
    names = page.locator(".table tbody th").all_inner_texts()
    assert [name for name in names if name.startswith("operator")] == ["operator select", "operator mutate"]
    told = " ".join(page.locator(".table td").all_inner_texts())
    assert all(f"package:the_weakest_of_all_elites(k={number})" in told for number in range(3))


@pytest.mark.parametrize("width", [360, 390])
def test_a_table_of_two_runs_on_a_phone(opened: Open, tmp_path: Path, digits: Path, width: int) -> None:
    other = Path(shutil.copytree(digits, tmp_path / "other", ignore=shutil.ignore_patterns("history")))
    edit_config(other, {"options.emitters": ["vary", "tweak@1500"]})
    page = opened_at(opened, write_gallery([digits, other], tmp_path / "two.html"), width, "light")
    assert_readable(page)
    assert "evaluations" in page.locator(".table tbody th").all_inner_texts()
