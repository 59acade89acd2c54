"""Pages of campaigns, of several runs, of names that mean ill, and of a thousand classes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browsing import (
    Open,
    after,
    at_centres,
    canvas,
    elites,
    named_target,
    open_tile,
    overflow,
    pixels,
    ready,
    shown,
    until,
)
from runs import json_lines
from support import tiny_target

from evofool import attack, evolve
from evofool.gallery.pages.run_page import write_gallery, write_run_page
from evofool.store.campaign import CampaignFolder

if TYPE_CHECKING:
    from playwright.sync_api import Page


# Campaigns


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits attacked with up to three pixels; read only."""
    out = tmp_path_factory.mktemp("campaign") / "campaign"
    attack("digits", "digits", out=out, count=12, pixels=3, queries=300, device="cpu")
    write_gallery([out])
    return out


def test_a_campaign_s_tiles_are_its_successes(opened: Open, campaign: Path) -> None:
    wins = [outcome for outcome in json_lines(campaign / "outcomes.jsonl") if outcome["success"]]
    page = opened(campaign / "index.html")
    assert len(wins) >= 2
    assert len(shown(page)) == len(wins)
    names = page.locator(".tile").evaluate_all("tiles => tiles.map((tile) => tile.querySelector('.what').textContent)")
    assert sorted(names) == sorted(f"{outcome['class']} → {outcome['final']}" for outcome in wins)
    assert all(count >= 1 for count in page.locator(".shot").evaluate_all(
        "shots => shots.map((shot) => shot.querySelectorAll('circle.ring:not(.back)').length)"
    ))  # fmt: skip
    assert page.locator("#look").count() == 0
    assert page.locator("#sort option").evaluate_all("all => all.map((option) => option.value)") == [
        "confidence",
        "class",
        "size",
    ]
    queries = page.locator("#sort").select_option("size") and [
        int(page.evaluate("n => JSON.parse(document.getElementById('data').textContent).tiles[n].z", n))
        for n in shown(page)
    ]
    assert queries == sorted((outcome["queries_to_success"] for outcome in wins), reverse=True)


def test_an_attacked_image_before_and_after(opened: Open, campaign: Path) -> None:
    page, subjects = opened(campaign / "index.html"), CampaignFolder.open(campaign).subjects
    wins = {str(v["id"]): v for v in json_lines(campaign / "outcomes.jsonl") if v["success"]}
    for number in shown(page)[:2]:
        open_tile(page, number)
        facts = dict(zip(*(page.locator(f"#more {tag}").all_inner_texts() for tag in ("dt", "dd")), strict=True))
        outcome = wins[facts["Image"]]
        assert facts["Was"] == outcome["class"]
        assert facts["Queries"] == f"{outcome['queries_to_success']:,}"
        edited = canvas(page)
        before = after(page, page.locator("#mode label", has_text="before").click)
        image = subjects[outcome["image"]].image
        np.testing.assert_array_equal(at_centres(before, 8, 8)[..., 0], image[0])
        assert page.locator("#note").inner_text() == "As it was."
        assert (edited != before).any()
        np.testing.assert_array_equal(after(page, page.locator("#mode label", has_text="after").click), edited)
        closer = after(page, page.locator("#in").click)
        assert (closer != edited).any()
        page.keyboard.press("Escape")


# Several runs


def test_two_runs_side_by_side(opened: Open, digits: Path, raw: Path, tmp_path: Path) -> None:
    runs = [tmp_path / "one", tmp_path / "another"]
    for source, copy in zip((raw, digits), runs, strict=True):
        shutil.copytree(source, copy)
    page = opened(write_gallery(runs, tmp_path / "three.html"))
    assert page.locator(".card").count() == 10
    labels = page.locator(".card").evaluate_all(
        "cards => cards.map((c) => [...c.querySelectorAll('.what')].map((w) => w.textContent))"
    )
    assert labels == [["one", "another"]] * 10
    for number, line in enumerate(elites(runs[0]) + elites(runs[1])):
        tile = page.locator(f'.tile[data-n="{number}"]')
        card = tile.evaluate("tile => tile.closest('.card').querySelector('.name').textContent")
        assert card == line["class"]
    assert page.locator("thead bdi").all_inner_texts() == ["one", "another"]
    assert page.locator("#medians .line").count() == 2
    assert page.locator("#strip").count() == 0
    assert page.locator("#count").inner_text() == "10 classes"
    assert "side by side" in page.locator("h1").inner_text()
    until(page, "document.querySelectorAll('.shot.sharp canvas').length > 0")
    open_tile(page, 13)
    facts = dict(zip(*(page.locator(f"#more {tag}").all_inner_texts() for tag in ("dt", "dd")), strict=True))
    assert facts["From"] == "another"
    assert page.locator("#network").is_visible()
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector('#closer[data-ready="3"]')
    assert page.locator("#network").is_hidden()


def test_what_has_no_class_in_common_is_in_one_grid(opened: Open, digits: Path, tmp_path: Path) -> None:
    evolve(tiny_target(), "direct", generations=3, batch=20, out=tmp_path / "tiny", gallery=False)
    page = opened(write_gallery([digits, tmp_path / "tiny"], tmp_path / "both.html"))
    assert len(shown(page)) == page.locator(".card").count() == 14
    assert page.locator("#count").inner_text() == "14 pictures"


# Names that mean ill

HOSTILE = [
    "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", '"onmouseover="alert(1)',
    "مرحبا بالعالم\u202e", "🦊🐈\u200d⬛",
    "w" * 300, "Z\u0351\u036b\u0343\u036a\u0342" * 8, "\ud800",
    "two\nlines\r\nand\ttabs", "",
    "<!-- ]]> --><style>*{display:none}</style>", "&lt;b&gt; &amp; 'c' ${1} `x`", "__proto__",
    "0" * 40 + " " + "long words " * 20,
]  # fmt: skip
TITLE = '</title></script><img src=x onerror="alert(1)">' + "y" * 200


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of such classes, in a folder with a hostile name; read only."""
    run = tmp_path_factory.mktemp("hostile") / '"onmouseover="x<img src=x onerror=alert(1)> مرحبا 🦊 #1?%41'
    evolve(named_target(HOSTILE), "cppn", generations=3, batch=30, out=run, gallery=False)
    write_run_page(run, title=TITLE)
    return run


@pytest.mark.parametrize("width", [375, 1280])
def test_names_are_words_and_nothing_else(opened: Open, hostile: Path, digits: Path, width: int) -> None:
    page = opened(hostile / "index.html", viewport={"width": width, "height": 900})
    assert page.locator("h1").text_content() == TITLE
    assert page.title() == TITLE
    assert overflow(page) == []
    assert page.evaluate("document.scripts.length") == opened(digits / "index.html").evaluate("document.scripts.length")
    assert page.locator("[onerror], [onmouseover], img[src=x], #grid style, #grid script").count() == 0
    assert len(shown(page)) == len(HOSTILE)
    same = """() => {
      const {tiles} = JSON.parse(document.getElementById("data").textContent);
      return tiles.map(({n}) => n);
    }"""
    assert page.evaluate(f"JSON.stringify(({same})())") is not None
    for number in range(0, len(HOSTILE), 1 if width == 375 else 4):
        page.evaluate("n => document.querySelector(`.tile[data-n='${n}']`).click()", number)
        ready(page, number)
        assert page.evaluate(f"n => document.getElementById('name').textContent === ({same})()[n]", number)
        assert overflow(page) == []
        assert page.evaluate(
            "[...document.querySelectorAll('.about')].every((e) => e.scrollWidth <= e.clientWidth + 1)"
        ), number
        page.keyboard.press("Escape")
    page.locator("#filter").fill("<script>")
    assert shown(page) == [0]


@pytest.mark.parametrize("width", [375, 1280])
def test_names_of_runs_and_titles_are_words_too(opened: Open, hostile: Path, tmp_path: Path, width: int) -> None:
    other = tmp_path / "<b>other</b>".replace("/", "∕")
    evolve(named_target(HOSTILE), "direct", generations=2, batch=30, out=other, gallery=False)
    page = opened(write_gallery([hostile, other], tmp_path / "both.html"), viewport={"width": width, "height": 900})
    assert overflow(page) == []
    assert page.locator("thead bdi").evaluate_all("all => all.map((head) => head.textContent)") == [
        hostile.name,
        other.name,
    ]
    assert page.locator("[onerror], [onmouseover], img[src=x], main b:not(dialog b)").count() == 0
    assert page.locator(".card").count() == len(HOSTILE)


# A thousand classes


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 1,000 classes of 3×16×16 images, with its page; read only."""
    run = tmp_path_factory.mktemp("thousand") / "run"
    options: dict[str, Any] = {"init": "random", "generations": 4, "batch": 200}  # so that elites have ancestors
    evolve(tiny_target(classes=1000, size=16), "cppn", out=run, gallery=False, **options)
    write_run_page(run)
    return run


SCROLL = """async () => {
  const long = [], frames = [];
  new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => entry.duration)))
    .observe({type: "longtask"});
  const most = document.documentElement.scrollHeight - innerHeight, steps = 120;
  for (let i = 0, last = performance.now(); i <= steps; i++) {
    scrollTo(0, (most * i) / steps);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
  }
  return [frames, long, scrollY, most];
}"""
"""Scrolls from the top to the end in 120 frames; tells the ms of each, the long tasks, where it ended and the end."""


def paint(page: Page) -> float:
    """Return the milliseconds until something was on the screen."""
    until(page, "performance.getEntriesByName('first-contentful-paint').length")
    milliseconds: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return milliseconds


def test_a_thousand_tiles_are_there_at_once_and_scroll(opened: Open, thousand: Path, record_property: Any) -> None:
    page = opened()
    times = []
    for _ in range(3):  # other work on the machine comes and goes: the best of three, here and below
        page.goto((thousand / "index.html").as_uri())
        times.append(paint(page))
        if times[-1] < 1000:
            break
    assert min(times) < 1000, times
    assert page.locator(".tile").count() == 1000
    assert page.locator("#count").inner_text() == "1,000 pictures"
    assert page.locator('.tile img[loading="lazy"]').count() == 1000
    for _ in range(3):
        frames, long, at, most = page.evaluate(SCROLL)
        if np.median(frames) < 200:
            break
    record_property("first_paint_ms", min(times))
    record_property("median_frame_ms", float(np.median(frames)))
    record_property("slowest_frame_ms", max(frames))
    record_property("long_tasks_ms", str(sorted(map(round, long))[-5:]))
    assert at > 0.8 * most
    assert np.median(frames) < 200, frames
    started = page.evaluate("performance.now()")
    page.locator("#filter").fill("class 99")
    record_property("filter_ms", page.evaluate("performance.now()") - started)
    assert len(shown(page)) == 19
    page.locator("#sort").select_option("index")
    assert shown(page) == [n for n in range(1000) if "99" in str(n)]


def test_details_of_a_thousand_come_when_they_are_looked_at(opened: Open, thousand: Path, record_property: Any) -> None:
    page, asked = opened(), []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[1]))
    page.goto((thousand / "index.html").as_uri())
    page.wait_for_selector("#grid canvas")
    early = [name for name in asked if name.endswith(".js")]
    assert 0 < len(early) < 300, "details that nobody sees are loaded"
    assert len([name for name in asked if name.endswith(".png")]) < 500, "pictures that nobody sees are loaded"
    page.locator("#filter").fill("class 700")
    open_tile(page, 700)
    assert page.locator("#name").inner_text() == "class 700"
    assert page.locator("#graph .node").count() > 6
    assert page.locator("#line button").count() >= 2
    page.locator("#line button").first.click()
    page.locator('#line [aria-current="true"]').wait_for()
    page.keyboard.press("Escape")
    open_tile(page, 700)
    assert asked.count("00700.js") == 1
    assert len([name for name in asked if name.endswith(".js")]) < 300
    html = (thousand / "index.html").stat().st_size
    beside = [file.stat().st_size for file in (thousand / "index-files").iterdir()]
    record_property("html_bytes", html)
    record_property("beside_bytes", sum(beside))
    assert html < 2_000_000
    assert sum(beside) < 20_000_000
    assert len(beside) == 1000


def test_what_was_seen_of_a_thousand_is_the_png(opened: Open, thousand: Path) -> None:
    page, line = opened(thousand / "index.html"), elites(thousand)[5]
    page.locator("#filter").fill("class 5")
    page.locator('.tile[data-n="5"] img').scroll_into_view_if_needed()
    url = page.locator('.tile[data-n="5"] img').evaluate("image => image.src")
    assert url == (thousand / line["file"]).as_uri()
    assert pixels(thousand / line["file"]).shape == (16, 16, 3)
