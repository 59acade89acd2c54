"""The page's grid in a browser: tiles, filter, order, keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import (
    Open,
    as_rgb,
    canvas,
    elites,
    focused,
    named_target,
    open_tile,
    pixels,
    ready,
    rendered,
    shown,
    until,
)

from evofool import evolve
from evofool.encodings import genome_file
from evofool.gallery.pages.run_page import write_run_page
from evofool.text import percent

if TYPE_CHECKING:
    from playwright.sync_api import Page

COUNT = 10
SHARP = f"document.querySelectorAll('.shot.sharp canvas').length === {COUNT}"


def test_every_class_has_its_tile(opened: Open, run: Path) -> None:
    page, lines = opened(run / "index.html"), elites(run)
    assert sorted(shown(page)) == list(range(COUNT))
    assert page.locator("#count").inner_text() == f"{COUNT} pictures"
    for number, line in enumerate(lines):
        tile = page.locator(f'.tile[data-n="{number}"]')
        assert tile.locator(".what").inner_text() == line["class"]
        assert tile.locator(".said .sure").inner_text() == percent(line["score"])
        sizes = tile.locator("img").evaluate(
            "async (image) => (await image.decode(), [image.naturalHeight, image.naturalWidth])"
        )
        assert sizes == list(pixels(run / line["file"]).shape[:2])


def test_cppns_are_drawn_sharp_with_what_was_seen_inset(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    until(page, SHARP)
    for number in range(COUNT):
        shot = page.locator(f'.tile[data-n="{number}"] .shot')
        inset, whole = shot.locator("img").bounding_box(), shot.bounding_box()
        assert inset is not None
        assert whole is not None
        assert 0.2 < inset["width"] / whole["width"] < 0.35
        assert abs(inset["x"] + inset["width"] - whole["x"] - whole["width"]) < 1
        assert abs(inset["y"] + inset["height"] - whole["y"] - whole["height"]) < 1
        side = shot.locator("canvas").evaluate("canvas => canvas.width")
        assert side >= whole["width"] - 1


def test_a_sharp_tile_is_the_genome_at_that_size(opened: Open, colours: Path) -> None:
    page = opened(colours / "index.html")
    until(page, SHARP)
    for number, line in enumerate(elites(colours)):
        genome = genome_file.read(colours / line["genome"])
        drawn = canvas(page, f'.tile[data-n="{number}"] canvas')
        expected = as_rgb(genome.encoding.decode_at(genome.genomes, drawn.shape[:2]).numpy())[0]
        assert (abs(drawn.astype(int) - expected).max(2) <= 2).mean() > 0.99


def test_as_the_network_saw_it_leaves_its_pixels(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    until(page, SHARP)
    page.locator("#look label", has_text="as the network saw it").click()
    assert page.locator("#grid canvas").count() == page.locator("#grid .sharp").count() == 0
    shot, image = page.locator(".shot").first, page.locator(".shot img").first
    assert shot.bounding_box() == image.bounding_box()
    assert image.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
    page.locator("#look label", has_text="sharp").click()
    until(page, SHARP)


def test_raw_pixels_have_nothing_to_sharpen(opened: Open, raw: Path) -> None:
    page = opened(raw / "index.html")
    assert page.locator("#look:visible").count() == 0
    page.wait_for_timeout(100)
    assert page.locator("#grid canvas").count() == 0


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose classes have capitals, diacritics and spaces; read only."""
    run = tmp_path_factory.mktemp("named") / "run"
    target = named_target(["Café noir", "cafe crème", "Ångström", "naïve CAT", "dog 12", "Straße", "Ελλάδα", "猫"])
    evolve(target, "cppn", generations=2, out=run, gallery=False)
    write_run_page(run)
    return run


@pytest.mark.parametrize(
    ("words", "matches"),
    [
        ("cafe", {0, 1}), ("CAFÉ", {0, 1}), ("café creme", {1}), ("angstrom", {2}), ("ÅNG", {2}), ("cat", {3}),
        ("NAIVE", {3}), ("dog", {4}), ("12", {4}), ("ελλαδα", {6}), ("猫", {7}), ("noir cafe", {0}),
        ("  ", set(range(8))), ("cafe\u0301", {0, 1}), ("STRASSE", set()), ("no such thing", set()),
    ],
)  # fmt: skip
def test_the_filter_finds_words_however_written(opened: Open, named: Path, words: str, matches: set[int]) -> None:
    page = opened(named / "index.html")
    page.locator("#filter").press_sequentially(words)
    assert set(shown(page)) == matches
    assert page.locator("#count").inner_text() == ("8 pictures" if len(matches) == 8 else f"{len(matches)} of 8")
    assert page.locator("#none").is_visible() == (not matches)


def test_the_filter_follows_every_letter(opened: Open, named: Path) -> None:
    page = opened(named / "index.html")
    page.locator("#filter").focus()
    for letter, left in zip("caf", (3, 3, 2), strict=True):
        page.keyboard.press(letter)
        assert len(shown(page)) == left
    page.keyboard.press("Backspace")
    assert len(shown(page)) == 3


LEVELS = {
    "": lambda score: True,
    "0.999-": lambda score: score >= 0.999,
    "0.99-": lambda score: score >= 0.99,
    "0.9-": lambda score: score >= 0.9,
    "0.5-": lambda score: score >= 0.5,
    "-0.99": lambda score: score < 0.99,
    "-0.5": lambda score: score < 0.5,
}


def test_confidence_levels(opened: Open, run: Path) -> None:
    page, lines = opened(run / "index.html"), elites(run)
    values = page.locator("#level option").evaluate_all("options => options.map((option) => option.value)")
    assert values == list(LEVELS)
    for value, fits in LEVELS.items():
        page.locator("#level").select_option(value)
        assert set(shown(page)) == {n for n, line in enumerate(lines) if fits(line["score"])}


def test_orders(opened: Open, run: Path) -> None:
    page, lines = opened(run / "index.html"), elites(run)
    by_score = sorted(range(COUNT), key=lambda n: -lines[n]["score"])
    assert shown(page) == by_score
    expected = {
        "class": sorted(range(COUNT), key=lambda n: lines[n]["class"]),
        "index": sorted(range(COUNT), key=lambda n: lines[n]["index"]),
        "generation": sorted(by_score, key=lambda n: -lines[n]["generation"]),
        "size": sorted(by_score, key=lambda n: -lines[n]["size"]),
        "confidence": by_score,
    }
    for key, order in expected.items():
        page.locator("#sort").select_option(key)
        assert shown(page) == order, key


def test_slash_goes_to_the_filter_and_escape_clears_it(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "filter"
    page.keyboard.type("7/")
    assert page.locator("#filter").input_value() == "7/"
    page.keyboard.press("Backspace")
    assert shown(page) == [7]
    page.keyboard.press("Escape")
    assert page.locator("#filter").input_value() == ""
    assert len(shown(page)) == COUNT
    assert focused(page) == shown(page)[0]


def columns(page: Page) -> int:
    """Return the number of tiles in the first row."""
    tops = page.eval_on_selector_all(
        ".tile", "tiles => tiles.map((tile) => Math.round(tile.getBoundingClientRect().top))"
    )
    return tops.count(tops[0])


@pytest.mark.parametrize("width", [375, 700, 1280])
def test_arrows_move_in_two_dimensions(opened: Open, digits: Path, width: int) -> None:
    page = opened(digits / "index.html", viewport={"width": width, "height": 900})
    order, across = shown(page), columns(page)
    assert 1 < across < COUNT
    page.locator(".tile").first.focus()
    moves = [
        ("ArrowRight", 1), ("ArrowDown", 1 + across), ("ArrowLeft", across), ("ArrowUp", 0), ("ArrowUp", 0),
        ("ArrowLeft", 0), ("End", COUNT - 1), ("ArrowRight", COUNT - 1), ("ArrowDown", COUNT - 1), ("Home", 0),
    ]  # fmt: skip
    for key, to in moves:
        page.keyboard.press(key)
        assert focused(page) == order[to], key


def test_arrows_pass_over_what_is_filtered_out(opened: Open, digits: Path) -> None:
    page, lines = opened(digits / "index.html"), elites(digits)
    middle = sorted(line["score"] for line in lines)[5]
    page.locator("#sort").select_option("index")
    level = next(value for value in ("0.999-", "0.99-", "0.9-", "0.5-", "") if LEVELS[value](middle))
    page.locator("#level").select_option(level)
    order = shown(page)
    page.locator(f'.tile[data-n="{order[0]}"]').focus()
    for number in order[1:]:
        page.keyboard.press("ArrowRight")
        assert focused(page) == number


def test_enter_opens_escape_closes_and_the_focus_comes_back(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    page.locator(".tile").first.focus()
    page.keyboard.press("ArrowRight")
    number = focused(page)
    assert number == shown(page)[1]
    page.keyboard.press("Enter")
    ready(page, number)
    assert page.evaluate("location.hash") == f"#{number}"
    page.keyboard.press("Escape")
    page.wait_for_selector("#closer", state="hidden")
    assert focused(page) == number
    assert page.evaluate("location.hash") == ""


def test_left_and_right_step_through_what_is_shown(opened: Open, digits: Path) -> None:
    page, lines = opened(digits / "index.html"), elites(digits)
    page.locator("#sort").select_option("size")
    order = shown(page)
    open_tile(page, order[0])
    assert page.locator("#previous").is_disabled()
    page.keyboard.press("ArrowLeft")
    for at, number in enumerate(order):
        ready(page, number)
        assert page.locator("#name").inner_text() == lines[number]["class"]
        assert page.locator("#position").inner_text() == f"{at + 1} of {COUNT}"
        page.keyboard.press("ArrowRight")
    assert page.locator("#next").is_disabled()
    page.keyboard.press("ArrowLeft")
    ready(page, order[-2])
    page.keyboard.press("Escape")
    page.wait_for_selector("#closer", state="hidden")
    assert focused(page) == order[-2]


def test_an_address_with_a_number_opens_that_tile(opened: Open, digits: Path) -> None:
    page = opened()
    page.goto(f"{(digits / 'index.html').as_uri()}#4")
    ready(page, 4)
    assert page.locator("#name").inner_text() == elites(digits)[4]["class"]


def test_the_focus_is_seen(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    seen = set()
    for _ in range(10):
        page.keyboard.press("Tab")
        style = page.evaluate(
            """() => {
              const active = document.activeElement;
              const drawn = active.type === "radio" ? active.nextElementSibling : active;
              const {outlineStyle, outlineWidth} = getComputedStyle(drawn);
              return [active.id || active.className || active.value, outlineStyle, parseFloat(outlineWidth)];
            }"""
        )
        seen.add(style[0])
        assert style[1] != "none", style
        assert style[2] >= 2, style
    assert {"theme", "filter", "level", "sort", "tile"} <= seen


def test_the_page_renders_the_genomes_it_holds(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    for line in elites(digits):
        genome = genome_file.read(digits / line["genome"])
        frame = {"shape": [1, 8, 8], "xy": genome.coordinates, "colour": genome.colour}
        (drawn,) = rendered(page, [{"file": genome.content, "frame": frame, "w": 8, "h": 8}])
        assert abs(drawn.astype(int) - pixels(digits / line["file"])).max() <= 1
