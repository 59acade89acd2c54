"""The page for everyone: names, contrast, widths, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import Open, open_tile, overflow

LOW_CONTRAST = """() => {
  const rgba = (words) => {
    const v = words.match(/[\\d.]+/g).map(Number);
    return [v[0], v[1], v[2], v[3] ?? 1];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const low = [], looked = [];
  for (const element of document.querySelectorAll("body *")) {
    const texts = [...element.childNodes].filter((node) => node.nodeType === 3);
    const words = texts.map((node) => node.data.trim()).join("");
    if (!words || /SCRIPT|OPTION|STYLE|TITLE/i.test(element.tagName)) continue;
    if (!element.checkVisibility({visibilityProperty: true})) continue;
    if (element.closest(":disabled, .hidden, .idle")) continue;
    const style = getComputedStyle(element), ground = behind(element);
    const ink = over(rgba(element.namespaceURI.endsWith("svg") ? style.fill : style.color), ground);
    const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    looked.push(words);
    const name = `${element.tagName}.${element.getAttribute("class")} ${words.slice(0, 30)}`;
    if (ratio < (large ? 3 : 4.5)) low.push(`${ratio.toFixed(2)} ${name}`);
  }
  return [low, looked.length];
}"""

NAMELESS = """() => [...document.querySelectorAll(
  "button, a, input, select, canvas:not([aria-hidden]), svg[role=img], dialog")]
  .filter((element) => {
    const label = element.getAttribute("aria-label") || element.textContent.trim() || element.getAttribute("title")
      || [...(element.labels || [])].map((label) => label.textContent).join("").trim()
      || document.getElementById(element.getAttribute("aria-labelledby"))?.textContent;
    return !label;
  }).map((element) => `${element.tagName}#${element.id}.${element.className}`)"""


@pytest.fixture(params=["digits", "colours", "raw", "several"])
def run(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read(opened: Open, run: Path, scheme: str) -> None:
    page = opened(run / "index.html", color_scheme=scheme)
    low, looked = page.evaluate(LOW_CONTRAST)
    assert low == []
    assert looked > 40
    open_tile(page, 4)
    low, more = page.evaluate(LOW_CONTRAST)
    assert low == []
    assert more > looked + 15


def test_everything_has_a_name(opened: Open, run: Path) -> None:
    page = opened(run / "index.html")
    assert page.locator("img:not([alt]), #grid img[alt='']").count() == 0
    open_tile(page, 4)
    assert page.evaluate(NAMELESS) == []
    assert page.locator("img:not([alt])").count() == 0
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").count() == 1
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    assert page.evaluate(
        "[...document.querySelectorAll('[aria-labelledby]')].map((e) => e.getAttribute('aria-labelledby'))"
        ".every((id) => document.getElementById(id))"
    )


@pytest.mark.parametrize("width", [320, 375, 768, 861, 1280, 2560])
def test_nothing_sticks_out(opened: Open, colours: Path, width: int) -> None:
    page = opened(colours / "index.html", viewport={"width": width, "height": 900})
    assert overflow(page) == []
    open_tile(page, 4)
    assert overflow(page) == []
    box = page.locator("#closer").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert page.evaluate(
        "(({scrollWidth, clientWidth}) => scrollWidth <= clientWidth)(document.getElementById('closer'))"
    )
    stage = page.locator("#stage").bounding_box()
    assert stage is not None
    assert min(stage["width"], stage["height"]) >= 200
    close = page.locator("#close").bounding_box()
    assert close is not None
    assert min(close["width"], close["height"]) >= 24


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_switched_and_remembered(opened: Open, digits: Path, scheme: str) -> None:
    page = opened(digits / "index.html", color_scheme=scheme)
    ground = lambda: page.evaluate("getComputedStyle(document.body).backgroundColor")  # noqa: E731
    first = ground()
    page.locator("#theme").click()
    other = ground()
    assert other != first
    for _ in range(3):  # The browser keeps it beside the page, and may be busy.
        page.reload()
        if ground() == other:
            break
    assert ground() == other
    assert page.evaluate(LOW_CONTRAST)[0] == []
    page.locator("#theme").click()
    assert ground() == first
    page.reload()
    assert ground() == first


def test_all_of_it_can_be_done_with_keys(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html")
    open_tile(page, 4)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"stage", "in", "out", "fit", "close", "wire", "weight", "reset", "download", "CODE"} <= reached
    assert page.evaluate("document.getElementById('closer').open")


def test_still_for_those_who_want_it_still(opened: Open, digits: Path) -> None:
    page = opened(digits / "index.html", reduced_motion="reduce")
    assert page.evaluate("document.getAnimations().length") == 0
