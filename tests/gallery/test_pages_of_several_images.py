"""Galleries of runs with several images per class: pages, sheets and time-lapses."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configs import edit_config
from pages import data_of
from prints import write_elites
from runs import Capture, assert_refused, json_lines, run_cli, small_evolve

import evofool
from evofool.errors import RunError
from evofool.gallery.elite_lines import surest_per_class
from evofool.gallery.pages.run_page import write_gallery, write_run_page
from evofool.gallery.pages.run_source import MAX_PICTURES, read_run
from evofool.gallery.prints.sheet import contact_sheet
from evofool.gallery.prints.timelapse import write_timelapse

KINDS: dict[str, dict[str, Any]] = {
    "grid": {"descriptors": "brightness,complexity", "bins": 3},
    "pixels": {"novelty": "pixels", "bins": 3, "apart": 0.2},
    "features": {"novelty": "features", "bins": 4},
}


def evolve(out: Path, kind: str = "grid", **options: Any) -> evofool.Result:
    return small_evolve(out, **{"classes": "3,5,8", **KINDS[kind], **options})


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_has_a_grid_a_class_with_every_picture_once(kind: str, tmp_path: Path) -> None:
    result = evolve(tmp_path / "run", kind, encoding="cppn")
    html = write_run_page(tmp_path / "run").read_text(encoding="utf-8")
    classes = len(set(result.indices.tolist()))
    assert html.count('<div class="places"') == classes
    assert html.count('<button type="button" class="tile"') == len(result.classes)
    assert html.count('<span class="hole">') == result.niches - len(result.classes)
    assert ("<span>dark</span>" in html, "<span>busy</span>" in html) == ((kind == "grid"),) * 2
    assert f"in {result.niches} niches" in html


def test_the_sheet_has_a_panel_a_class(tmp_path: Path) -> None:
    result = evolve(tmp_path / "run", encoding="cppn")
    sheet = contact_sheet(tmp_path / "run").picture
    plain = small_evolve(tmp_path / "plain", classes="3,5,8", encoding="cppn")
    assert len(result.classes) > len(plain.classes)
    assert sheet.width >= 720
    colours = np.asarray(sheet).reshape(-1, 3)
    assert (colours == (44, 46, 52)).all(1).any() == (len(result.classes) < result.niches)  # empty places are framed


def test_too_many_pictures_are_shown_by_the_surest_of_each_class(tmp_path: Path) -> None:
    run = tmp_path / "run"
    evolve(run)
    best, count = surest_per_class(json_lines(run / "elites.jsonl")), MAX_PICTURES // 3 + 1
    edit_config(run, {"options.bins": 64})
    shutil.rmtree(run / "history")  # It belongs to the run with other bins.
    lines = [
        {**line, "niche": 64**2 * row + number, "cell": [number // 64, number % 64], "score": line["score"] * share}
        for row, line in enumerate(best)
        for number, share in enumerate(np.linspace(0.1, 1, count).tolist())
    ]
    write_elites(run, lines)
    source = read_run(run)
    assert [tile.score for tile in source.tiles] == [line["score"] for line in best]
    assert source.cells is None
    assert f"Of {3 * count:,} pictures the surest of each class" in source.lead
    assert "--class NAME" in source.lead
    some = read_run(run, str(best[0]["index"]))
    assert len(some.tiles) == count
    assert some.lead == ""


def test_a_page_of_some_classes(tmp_path: Path, capsys: Capture) -> None:
    result = evolve(tmp_path / "run")
    outcome = run_cli(capsys, "gallery", tmp_path / "run", "--class", "3,8")
    assert outcome.code == 0, outcome.err
    tiles = data_of(tmp_path / "run" / "3-8.html")["tiles"]
    assert len(tiles) == sum(result.indices != 5)
    assert {tile["i"] for tile in tiles} == {3, 8}
    assert_refused(run_cli(capsys, "gallery", tmp_path / "run", "--class", "4"), "class 4 is not there: indices are")
    assert_refused(run_cli(capsys, "gallery", "cifar10-cppn", "--class", "cat"), "--class", "cifar10-cppn")


def test_side_by_side_stand_the_surest(tmp_path: Path) -> None:
    evolve(tmp_path / "a")
    small_evolve(tmp_path / "b", classes="3,5,8")
    page = write_gallery([tmp_path / "a", tmp_path / "b"], tmp_path / "both.html")
    assert len(data_of(page)["tiles"]) == 6


def test_a_time_lapse_shows_the_surest(tmp_path: Path) -> None:
    evolve(tmp_path / "run", generations=5)
    assert write_timelapse(tmp_path / "run", tmp_path / "a.gif", size=32).frames == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"bins": 0}, {"bins": "3"}, {"bins": 10**9}, {"descriptors": "brightness"}, {"descriptors": [3]},
        {"descriptors": ["brightness"]}, {"descriptors": ["brightness"] * 60},
    ],
)  # fmt: skip
def test_a_config_that_lies_about_niches_is_named(changes: dict[str, Any], tmp_path: Path) -> None:
    evolve(tmp_path / "run")
    edit_config(tmp_path / "run", {f"options.{name}": value for name, value in changes.items()})
    for show in (contact_sheet, write_run_page):
        with pytest.raises(RunError, match=r"damaged|of another run"):
            show(tmp_path / "run")
