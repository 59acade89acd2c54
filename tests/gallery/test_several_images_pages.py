"""Galleries of runs with several images per class: pages, sheets and time-lapses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configs import edit_config
from runs import Capture, assert_refused, run_cli, small_evolve

import evofool
from evofool.config.evolve import EvolveOptions
from evofool.errors import RunError
from evofool.gallery.cells import CellGrid, cell_grid
from evofool.gallery.pages import run_source
from evofool.gallery.pages.run_page import write_gallery, write_run_page
from evofool.gallery.prints.sheet import contact_sheet
from evofool.gallery.prints.timelapse import write_timelapse

KINDS: dict[str, dict[str, Any]] = {
    "grid": {"descriptors": "brightness,complexity", "bins": 3},
    "pixels": {"novelty": "pixels", "bins": 3, "apart": 0.2},
    "features": {"novelty": "features", "bins": 4},
}


def evolve(out: Path, kind: str = "grid", **options: Any) -> evofool.Result:
    return small_evolve(out, **{"classes": "3,5,8", **KINDS[kind], **options})


def page_data(html: Path) -> dict[str, Any]:
    _, _, rest = html.read_text(encoding="utf-8").partition('<script type="application/json" id="data">')
    return json.loads(rest.partition("</script>")[0])


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


def test_cells_stand_as_on_axes() -> None:
    cells = CellGrid(9, ("colour", "complexity"), 3, 3)
    assert cells.arranged([([0, 0], 0.5), ([2, 1], 0.5)]) == [None, 1, None, None, None, None, 0, None, None]
    assert (cells.across, cells.up) == (("plain", "busy"), ("grey", "colourful"))
    with pytest.raises(ValueError, match="none of the grid's"):
        cells.arranged([([0, 3], 0.5)])
    with pytest.raises(ValueError, match="two pictures"):
        cells.arranged([([0, 1], 0.5), ([0, 1], 0.6)])
    row = CellGrid(3, (), 3, 1)
    assert row.arranged([([0], 0.5), ([2], 0.9)]) == [1, 0, None]
    assert row.across is row.up is None


def test_the_sheet_has_a_panel_a_class(tmp_path: Path) -> None:
    result = evolve(tmp_path / "run", encoding="cppn")
    sheet = contact_sheet(tmp_path / "run")
    plain = small_evolve(tmp_path / "plain", classes="3,5,8", encoding="cppn")
    assert len(result.classes) > len(plain.classes)
    assert sheet.width >= 720
    colours = np.asarray(sheet).reshape(-1, 3)
    assert (colours == (44, 46, 52)).all(1).any() == (len(result.classes) < result.niches)  # empty places are framed


def test_too_many_pictures_are_shown_by_the_surest_of_each_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = evolve(tmp_path / "run")
    monkeypatch.setattr(run_source, "MAX_PICTURES", len(result.classes) - 1)
    source = run_source.read_run(tmp_path / "run")
    assert [tile.score for tile in source.tiles] == pytest.approx(result.confidence[result.surest()].tolist())
    assert "--class NAME" in source.lead
    assert len(run_source.read_run(tmp_path / "run", "5").tiles) == sum(result.indices == 5)


def test_a_page_of_some_classes(tmp_path: Path, capsys: Capture) -> None:
    result = evolve(tmp_path / "run")
    outcome = run_cli(capsys, "gallery", tmp_path / "run", "--class", "3,8")
    assert outcome.code == 0, outcome.err
    tiles = page_data(tmp_path / "run" / "3-8.html")["tiles"]
    assert len(tiles) == sum(result.indices != 5)
    assert {tile["i"] for tile in tiles} == {3, 8}
    assert_refused(run_cli(capsys, "gallery", tmp_path / "run", "--class", "4"), "class 4 is not in this run")
    assert_refused(run_cli(capsys, "gallery", "cifar10-cppn", "--class", "cat"), "--class", "cifar10-cppn")


def test_side_by_side_stand_the_surest(tmp_path: Path) -> None:
    evolve(tmp_path / "a")
    small_evolve(tmp_path / "b", classes="3,5,8")
    page = write_gallery([tmp_path / "a", tmp_path / "b"])
    assert len(page_data(page)["tiles"]) == 6


def test_a_time_lapse_shows_the_surest(tmp_path: Path) -> None:
    evolve(tmp_path / "run", generations=5)
    assert write_timelapse(tmp_path / "run", tmp_path / "a.gif", size=32) == 5


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


def test_cells_of_options() -> None:
    assert cell_grid(EvolveOptions()) is None
    assert cell_grid(EvolveOptions(novelty="pixels", bins=20)) == CellGrid(20, (), 8, 3)
    assert cell_grid(EvolveOptions(descriptors=("hue",), bins=4)) == CellGrid(4, ("hue",), 4, 1)
    names = ("hue", "size", "slope")
    assert cell_grid(EvolveOptions(descriptors=names, bins=3)) == CellGrid(27, names, 3, 9)
    with pytest.raises(ValueError, match="more than 1,048,576 cells"):
        cell_grid(EvolveOptions(descriptors=names * 2, bins=64))
