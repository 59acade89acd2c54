"""Runs with several images a class, from the command line to the page: folders, resuming, pictures, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from deap import algorithms
from evofool.gallery.pages.cells import Cells, cells_of
from evofool.jobs.inspect import inspect_run
from PIL import Image
from runs import (
    EVOLVE,
    Capture,
    Killed,
    assert_refused,
    assert_same_run,
    change_config,
    json_lines,
    kill,
    run_cli,
    small_evolve,
)
from support import assert_same_arrays, build, frozen, tiny_target

from evofool import load_target
from evofool.errors import ConfigError, RunError
from evofool.gallery.pages import exhibit
from evofool.gallery.pages.run_page import write_gallery, write_run_page
from evofool.gallery.prints.sheet import contact_sheet
from evofool.gallery.prints.timelapse import write_timelapse
from evofool.jobs import run as session
from evofool.jobs import run_session as sitting
from evofool.search.diversity import Diversity, Grid, Novelty
from evofool.search.evolution import Evolution
from evofool.search.progress import Progress
from evofool.store.run import RunFolder

KINDS: dict[str, dict[str, Any]] = {
    "grid": {"descriptors": "brightness,complexity", "bins": 3},
    "pixels": {"novelty": "pixels", "bins": 3, "apart": 0.2},
    "features": {"novelty": "features", "bins": 4},
}


def evolve(out: Path, kind: str = "grid", **options: Any) -> session.Result:
    return small_evolve(out, **{"classes": "3,5,8", **KINDS[kind], **options})


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
@pytest.mark.parametrize("kind", KINDS)
def test_stopped_in_between_it_ends_with_the_same_bytes(
    kind: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitting, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(sitting, "CHECKPOINT_SHARE", float("inf"))
    options = {"encoding": encoding, "generations": 6}

    def observe(progress: Progress, _: Evolution) -> None:
        if progress.generation == 4:
            kill()

    with pytest.raises(Killed):
        evolve(tmp_path / "a", kind, observer=observe, **options)
    session.resume(tmp_path / "a")
    evolve(tmp_path / "b", kind, **options)
    assert_same_run(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_what_its_line_says(kind: str, tmp_path: Path) -> None:
    result = evolve(tmp_path / "run", kind, encoding="cppn")
    run, target = RunFolder.open(tmp_path / "run"), load_target("digits", device="cpu")
    lines = run.elites()
    assert len(lines) == len(result.classes) <= result.niches
    places = set()
    for line in lines:
        image = torch.from_numpy(np.asarray(Image.open(run.picture(line))).copy())[None, None]
        assert float(target.confirm(image)[0, line["index"]]) == pytest.approx(line["score"], abs=1e-4)
        places.add((line["index"], *line["cell"]))
        if kind == "grid":
            grid = Grid(("brightness", "complexity"), 3)
            measures = grid.measure(target, image, None)
            assert measures[0].tolist() == pytest.approx(list(line["descriptors"].values()), abs=1e-6)
            assert int(grid.cell(measures)) == line["cell"][0] * 3 + line["cell"][1]
    assert len(places) == len(lines)
    assert {line["index"] for line in lines} == {3, 5, 8}


@pytest.mark.parametrize("space", ["pixels", "features"])
def test_images_of_a_class_are_as_far_apart_as_asked(space: str, tmp_path: Path) -> None:
    novelty = Novelty(space, 4, 0.15)
    small_evolve(tmp_path / "run", novelty=space, bins=4, apart=0.15, generations=10, encoding="cppn")
    run, target = RunFolder.open(tmp_path / "run"), load_target("digits", device="cpu")
    by_class: dict[int, list[torch.Tensor]] = {}
    for line in run.elites():
        image = torch.from_numpy(np.asarray(Image.open(run.picture(line))).copy())[None, None]
        by_class.setdefault(line["index"], []).append(novelty.measure(target, image, None)[0])
    assert sum(map(len, by_class.values())) > len(by_class)
    for points in by_class.values():
        apart = torch.cdist(torch.stack(points), torch.stack(points))
        assert float((apart + 9 * torch.eye(len(points))).min()) >= novelty.least * (1 - 1e-5)


def test_the_surest_of_each_class_is_as_good_as_without(tmp_path: Path) -> None:
    """Nobody who would be best of a class is kept out, generation by generation, while parents are the same."""
    several = evolve(tmp_path / "a", generations=1)
    one = small_evolve(tmp_path / "b", classes="3,5,8", generations=1)
    assert several.confidence[several.surest()].tolist() == one.confidence.tolist()
    assert several.summary()["median"] == one.summary()["median"]


@pytest.mark.parametrize("kinds", [None, Grid(("brightness",), 4), Novelty("features", 3, 0.2)])
def test_deaps_own_loop_ends_with_the_same_archive(kinds: Diversity | None) -> None:
    def evolution() -> Evolution:
        return Evolution(
            tiny_target(), build("cppn", "default"), niches=np.arange(4), batch=16, seed=3, diversity=kinds,
            emitters=("vary", "restart", "refine"),
        )  # fmt: skip

    ours, theirs = evolution(), evolution()
    for _ in range(5):
        ours.step()
    algorithms.eaGenerateUpdate(theirs.toolbox, ngen=5, verbose=False)
    assert_same_arrays(frozen(ours.archive.state()), frozen(theirs.archive.state()))


def test_the_record_of_a_generation_is_over_the_classes(tmp_path: Path) -> None:
    result = evolve(tmp_path / "run", generations=2)
    last = json_lines(tmp_path / "run" / "metrics.jsonl")[-1]
    best = result.confidence[result.surest()]
    assert len(best) == 3
    assert (last["median"], last["min"]) == pytest.approx((float(np.median(best)), float(best.min())))
    assert last["elites"] == len(result.classes)
    assert last["qd_score"] == pytest.approx(float(result.confidence.sum()))


@pytest.mark.parametrize("kind", KINDS)
def test_generations_without_any_contender_change_nothing(kind: str, tmp_path: Path) -> None:
    """Full niches that no child can enter any more: nobody is measured."""
    few = {"classes": "3", "batch": 8, "generations": 40, "bins": 2, "encoding": "cppn"}
    apart = {} if kind == "grid" else {"apart": 0.01}
    evolve(tmp_path / "run", kind, **{**few, **apart})
    lines = json_lines(tmp_path / "run" / "metrics.jsonl")
    assert any(line["improved"] == 0 for line in lines)
    session.resume(tmp_path / "run", generations=45)


def test_until_waits_for_the_classes_and_not_for_every_niche(tmp_path: Path) -> None:
    result = evolve(tmp_path / "run", until=0.5, generations=None)
    assert float(np.median(result.confidence[result.surest()])) >= 0.5
    assert result.confidence.min() < 0.5


def test_inspect_tells_of_the_niches(tmp_path: Path, capsys: Capture) -> None:
    result = evolve(tmp_path / "run")
    facts = inspect_run(tmp_path / "run")
    assert facts["descriptors"] == ["brightness", "complexity"]
    assert facts["bins"] == 3
    assert facts["pictures"] == len(result.classes) == len(facts["elites"])
    outcome = run_cli(capsys, "inspect", tmp_path / "run", "--json")
    assert json.loads(outcome.out)["qd_score"] == pytest.approx(float(result.confidence.sum()), abs=1e-6)


@pytest.mark.parametrize("emitters", ["vary,refine", "vary,refine@30", "vary,tweak@30", "vary,restart"])
def test_a_run_is_made_again_from_its_config(emitters: str, tmp_path: Path, capsys: Capture) -> None:
    evolve(tmp_path / "a", "features", encoding="cppn", emitters=emitters)
    assert json.loads((tmp_path / "a" / "config.json").read_text())["emitters"] == emitters.split(",")
    outcome = run_cli(capsys, "evolve", "--config", tmp_path / "a", "--out", tmp_path / "b", "--quiet")
    assert outcome.code == 0, outcome.err
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_another_kind_of_niches_replaces_the_recorded_one(tmp_path: Path, capsys: Capture) -> None:
    evolve(tmp_path / "a", "features")
    given = ("--descriptors", "symmetry", "--generations", "1", "--quiet")
    outcome = run_cli(capsys, "evolve", "--config", tmp_path / "a", "--out", tmp_path / "b", *given)
    assert outcome.code == 0, outcome.err
    config = json.loads((tmp_path / "b" / "config.json").read_text())
    assert [config[name] for name in ("descriptors", "novelty", "bins", "apart")] == [["symmetry"], None, 5, None]


@pytest.mark.parametrize(
    "changes", [{"bins": 4}, {"descriptors": ["brightness"]}, {"descriptors": None, "novelty": "pixels"}]
)
def test_a_folder_with_other_niches_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    evolve(tmp_path / "run")
    change_config(tmp_path / "run", **changes)
    with pytest.raises(RunError):
        session.resume(tmp_path / "run", generations=5)


# Pictures


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
    cells = Cells(9, ("colour", "complexity"), 3, 3)
    assert cells.arranged([([0, 0], 0.5), ([2, 1], 0.5)]) == [None, 1, None, None, None, None, 0, None, None]
    assert (cells.across, cells.up) == (("plain", "busy"), ("grey", "colourful"))
    with pytest.raises(ValueError, match="none of the grid's"):
        cells.arranged([([0, 3], 0.5)])
    with pytest.raises(ValueError, match="two pictures"):
        cells.arranged([([0, 1], 0.5), ([0, 1], 0.6)])
    row = Cells(3, (), 3, 1)
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
    monkeypatch.setattr(exhibit, "MOST", len(result.classes) - 1)
    source = exhibit.from_run(tmp_path / "run")
    assert [tile.score for tile in source.tiles] == pytest.approx(result.confidence[result.surest()].tolist())
    assert "--class NAME" in source.lead
    assert len(exhibit.from_run(tmp_path / "run", "5").tiles) == sum(result.indices == 5)


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
    change_config(tmp_path / "run", **changes)
    for show in (contact_sheet, write_run_page):
        with pytest.raises(RunError, match=r"damaged|of another run"):
            show(tmp_path / "run")


def test_cells_of_a_config() -> None:
    assert cells_of({}) is None
    assert cells_of({"bins": None, "descriptors": None}) is None
    assert cells_of({"bins": 20, "descriptors": None}) == Cells(20, (), 8, 3)
    assert cells_of({"bins": 4, "descriptors": ["hue"]}) == Cells(4, ("hue",), 4, 1)
    assert cells_of({"bins": 3, "descriptors": ["hue", "size", "slope"]}) == Cells(27, ("hue", "size", "slope"), 3, 9)


# At the prompt


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ("--descriptors colour", ["grey images", "no colour"]),
        ("--descriptors complxity", ['did you mean "complexity"']),
        ("--descriptors brightness --novelty pixels", ["choose one"]),
        ("--novelty pixel", ['did you mean "pixels"']),
        ("--bins 4", ["--bins needs --descriptors"]),
        ("--descriptors brightness --bins 1", ["2 to 64"]),
        ("--descriptors brightness,complexity,slope --bins 64", ["niches", "fewer --classes, --bins"]),
        ("--novelty pixels --apart 2", ["--apart", "at most 1"]),
        ("--encoding direct --descriptors size", ["one size"]),
        ("--emitters refin", ['did you mean "refine"']),
        ("--encoding direct --emitters vary,refine", ["weights of CPPNs"]),
        ("--encoding direct --emitters vary,tweak", ["emitter tweak", "small changes to CPPNs"]),
        ("--emitters tweak@5000", ["begin at once"]),
        ("--emitters vary,refine@soon", ["number of evaluations", "refine@100000"]),
    ],
)
def test_refused_before_anything_is_written(options: str, parts: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert_refused(run_cli(capsys, *EVOLVE, "--out", tmp_path / "run", *options.split(" ")), *parts)
    assert list(tmp_path.iterdir()) == []


def test_the_summary_tells_how_full_the_niches_are(tmp_path: Path, capsys: Capture) -> None:
    given = ("--descriptors", "brightness,symmetry", "--bins", "2", "--out", tmp_path / "run")
    outcome = run_cli(capsys, *EVOLVE, *given)
    assert outcome.code == 0, outcome.err
    assert "of 40 niches" in outcome.out
    assert "QD score" in outcome.out
    assert "of 10 classes" in outcome.out


def test_a_network_without_features_is_refused_by_name(tmp_path: Path) -> None:
    class Means(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.mean((2, 3)) @ torch.linspace(-1, 1, 12).view(3, 4)

    from evofool import Target

    target = Target(Means(), classes=list("abcd"), image_shape=(3, 8, 8), device="cpu", precision="float32")
    with pytest.raises(Exception, match="choose --novelty pixels") as refusal:
        session.evolve(target, "direct", novelty="features", generations=1, out=tmp_path / "run")
    assert not isinstance(refusal.value, ConfigError)
    assert not (tmp_path / "run").exists()
