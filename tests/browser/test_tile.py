"""An opened tile shows what the run's folder holds."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from browsing import (
    Open,
    after,
    as_rgb,
    at_centres,
    canvas,
    elites,
    lineage,
    longest,
    open_tile,
    pixels,
)
from runs import Capture, run_cli

from evofool.encodings import genome_file
from evofool.store.run import RunFolder
from evofool.text import percent

if TYPE_CHECKING:
    from playwright.sync_api import Page


def mode(page: Page, words: str) -> None:
    page.locator("#mode label", has_text=words).click()


def test_what_is_told_is_what_was_recorded(opened: Open, run: Path) -> None:
    page = opened(run / "index.html")
    for number, line in list(enumerate(elites(run)))[::3]:
        open_tile(page, number)
        assert page.locator("#name").inner_text() == line["class"]
        assert page.locator("#said b").inner_text() == percent(line["score"])
        top = page.locator("#top li").evaluate_all(
            "rows => rows.map((row) => [...row.children].slice(0, 2).map((e) => e.textContent))"
        )
        assert top == [[name, percent(score)] for name, score in line["top5"]]
        current = page.locator("#top .current b").all_inner_texts()
        assert current == [line["class"]] * (line["class"] in [name for name, _ in line["top5"]])
        told = facts(page)
        assert told["Generation"] == f"{line['generation']:,}"
        assert told["Evaluation"] == f"{line['evaluation']:,}"
        assert told["Connections" if "genome" in line else "Genes"] == f"{line['size']:,}"
        page.keyboard.press("Escape")


def test_the_film_strip_is_the_lineage(opened: Open, run: Path) -> None:
    page, number = opened(run / "index.html"), longest(run)
    line = lineage(run, number)
    assert len(line) >= 3
    open_tile(page, number)
    labels = page.locator("#line button").evaluate_all("all => all.map((button) => button.getAttribute('aria-label'))")
    assert labels == [f"generation {g}: {name}, {percent(score)}" for g, name, score in line]
    assert page.locator("#ancestors").inner_text() == f"{len(line) - 1} ancestors"
    assert page.locator("#line [aria-current=true]").count() == 1


def test_an_ancestor_comes_to_the_stage_and_goes(opened: Open, run: Path) -> None:
    page, number = opened(run / "index.html"), longest(run)
    line = lineage(run, number)
    open_tile(page, number)
    original, buttons = canvas(page), page.locator("#line button")
    first = after(page, buttons.first.click)
    assert (first != original).mean() > 0.05
    name = f"class {line[0][1]}" if line[0][1].isdigit() else line[0][1]
    assert page.locator("#note").inner_text() == f"Generation {line[0][0]}: {percent(line[0][2])} {name}."
    assert page.locator("#line [aria-current=true]").get_attribute("aria-label") == buttons.first.get_attribute(
        "aria-label"
    )
    np.testing.assert_array_equal(after(page, buttons.last.click), original)


def test_an_ancestor_has_its_own_facts_and_no_commands(opened: Open, run: Path) -> None:
    page, number = opened(run / "index.html"), longest(run)
    open_tile(page, number)
    own, commands = facts(page), page.locator("#commands code").all_inner_texts()
    history, line = RunFolder.open(run).history, elites(run)[number]
    changes = history.changes()
    row = changes.lineage(line["evaluation"], line["niche"])[0]
    evaluation = int(changes.evaluation_id[row])
    ((_, arrays),) = history.genomes({evaluation})
    size = int((arrays["source"] >= 0).sum()) if "source" in arrays else line["size"]
    after(page, page.locator("#line button").first.click)
    unit = "Connections" if "source" in arrays else "Genes"
    assert facts(page) == {
        "Generation": f"{int(changes.generation[row]):,}", "Evaluation": f"{evaluation:,}", unit: f"{size:,}"
    }  # fmt: skip
    assert page.locator("#commands code").count() == 0
    assert "no command renders or scores this one" in page.locator("#again").inner_text()
    after(page, page.locator("#line button").last.click)
    assert facts(page) == own
    assert page.locator("#commands code").all_inner_texts() == commands
    assert not page.locator("#fileless").is_visible()


def facts(page: Page) -> dict[str, str]:
    """Return the names and values of what is told of the opened tile."""
    return dict(zip(*(page.locator(f"#more {tag}").all_inner_texts() for tag in ("dt", "dd")), strict=True))


@pytest.mark.parametrize("kind", ["digits", "colours"])
def test_an_ancestor_as_the_network_saw_it_is_the_ancestor(
    opened: Open, kind: str, request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(kind)
    page, number = opened(run / "index.html"), longest(run)
    line = lineage(run, number)
    open_tile(page, number)
    after(page, page.locator("#line button").first.click)
    seen = after(page, lambda: page.locator("#mode label", has_text="as the network saw it").click())
    height, width = pixels(run / elites(run)[number]["file"]).shape[:2]
    history, evaluation = RunFolder.open(run).history, elites(run)[number]["evaluation"]
    child = next(int(c) for c in history.changes().lineage(evaluation, number))
    evaluation_id = int(history.changes().evaluation_id[child])
    ((_, arrays),) = history.genomes({evaluation_id})
    encoding = genome_file.read(run / elites(run)[number]["genome"]).encoding
    drawn = as_rgb(encoding.decode(encoding.load(arrays)).numpy())[0]
    apart = np.abs(at_centres(seen, width, height).astype(int) - drawn)
    assert (apart <= 2).mean() >= 0.99
    assert page.locator("#note").inner_text().startswith(f"Generation {line[0][0]}: ")
    assert f"Drawn anew at {width} × {height} pixels." in page.locator("#note").inner_text()


def test_as_the_network_saw_it_is_the_png(opened: Open, run: Path) -> None:
    page = opened(run / "index.html")
    for number in (0, 6):
        open_tile(page, number)
        picture = pixels(run / elites(run)[number]["file"])
        if page.locator("#mode").is_visible():
            after(page, lambda: mode(page, "as the network saw it"))
        centres = at_centres(canvas(page), picture.shape[1], picture.shape[0])
        np.testing.assert_array_equal(centres, picture)
        page.keyboard.press("Escape")


def test_what_the_network_saw_stands_beside_the_sharp_picture(opened: Open, colours: Path) -> None:
    page = opened(colours / "index.html", viewport={"width": 375, "height": 812})
    open_tile(page, 6)
    np.testing.assert_array_equal(canvas(page, "#saw canvas"), pixels(colours / elites(colours)[6]["file"]))
    stage, small = (page.locator(selector).bounding_box() for selector in ("#stage", "#saw canvas"))
    assert stage is not None
    assert small is not None
    assert stage["y"] + stage["height"] < small["y"] < 812 - small["height"]
    sharp = canvas(page)
    seen = after(page, page.locator("#saw").click)
    np.testing.assert_array_equal(at_centres(seen, 32, 32), canvas(page, "#saw canvas"))
    assert page.locator("#saw").get_attribute("aria-pressed") == "true"
    np.testing.assert_array_equal(after(page, page.locator("#saw").click), sharp)


def test_the_commands_are_right_and_run(
    opened: Open, digits: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, line = opened(digits / "index.html"), elites(digits)[2]
    open_tile(page, 2)
    commands = [shlex.split(words) for words in page.locator("#commands code").all_inner_texts()]
    genome = digits / line["genome"]
    assert commands == [
        ["evofool", "render", str(genome), "--size", "2048", "--out", f"{genome.stem}-2048.png"],
        ["evofool", "score", str(genome), "--target", "digits"],
    ]
    monkeypatch.chdir(tmp_path)
    commands[0][commands[0].index("2048")] = "64"  # smaller is faster
    assert run_cli(capsys, *commands[0][1:]).code == 0
    assert pixels(tmp_path / f"{genome.stem}-2048.png").shape == (64, 64, 3)
    scored = run_cli(capsys, *commands[1][1:])
    assert scored.code == 0
    assert percent(line["score"])[:5] in scored.out


def test_raw_pixels_have_no_genome_to_turn(opened: Open, raw: Path) -> None:
    page = opened(raw / "index.html")
    open_tile(page, 1)
    assert not page.locator("#network").is_visible()
    assert not page.locator("#mode").is_visible()
    assert not page.locator("#saw").is_visible()
    (command,) = [words for words in page.locator("#commands code").all_inner_texts() if "score" in words]
    assert elites(raw)[1]["file"] in command


def test_the_commands_of_raw_pixels_run(
    opened: Open, raw: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = opened(raw / "index.html")
    open_tile(page, 1)
    for words in page.locator("#commands code").all_inner_texts():
        assert run_cli(capsys, *shlex.split(words)[1:]).code == 0, words
