"""The experiment ``probe``: what it finds, what it writes, and that it goes on as if it had never stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from campaigns import archive
from runs import Capture, Killed, assert_same_experiment, interrupt, kill, succeed
from support import global_random_untouched, tiny_target

import evofool
from evofool.errors import RunError
from evofool.jobs import life
from evofool.lab.job import ExperimentStep
from evofool.lab.probe_figures import Probed, SourceFigures
from evofool.lab.result import ExperimentResult
from evofool.store.experiment import ExperimentFolder
from evofool.store.probe_records import ProbeResult

SMALL: dict[str, Any] = {
    "count": 7, "samples": 20, "directions": 3, "iterations": 8, "searches": 5, "queries": 100, "evaluations": 100,
}  # fmt: skip
"""A small experiment: seven images in two parts, twice; and four classes in one."""

PARTS = 5


def probed(out: Path, **options: Any) -> ExperimentResult:
    """Probe seven random images of the tests' tiny network."""
    data = out.parent / "images.npz"
    if not data.exists():
        archive(data)
    return evofool.probe(out=out, **({"target": tiny_target(), "data": data} | SMALL | options))


def resumed(path: Path, **options: Any) -> ExperimentResult:
    result: ExperimentResult = evofool.resume(path, target=tiny_target(), **options)
    return result


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    """An experiment that nobody disturbed."""
    return probed(tmp_path_factory.mktemp("whole") / "lab")


def results_of(result: ExperimentResult) -> list[tuple[int, dict[str, Any], Any]]:
    """The part, each result and its picture."""
    folder = ExperimentFolder.open(result.path)
    return [
        (part, found, picture)
        for part, results in folder.results(ProbeResult)
        for found, picture in zip(results, folder.pictures(part), strict=True)
    ]


def test_figures_are_told_by_source_noise_and_start(whole: ExperimentResult) -> None:
    told = json.loads(json.dumps(whole.summary()))
    assert {"experiment", "target", "seconds", "seed", "run", "levels", "kept", "reverted"} <= set(told)
    assert (told["experiment"], told["target"], told["seed"]) == ("probe", "tiny", 0)
    assert told["levels"]["gaussian"] == [2.0**exponent for exponent in range(-5, 6)]
    assert set(told["kept"]) == {"lbfgs", "pixel", "fooling"}
    for source in told["kept"]:
        for noise in ("gaussian", "histogram"):
            for start in ("adversarial", "original"):
                kept, reverted = told["kept"][source][noise][start], told["reverted"][source][noise][start]
                assert len(kept) == len(reverted) == 11
                assert all(0 <= one + other <= 1 for one, other in zip(kept, reverted, strict=True))


def test_the_smallest_noise_changes_nothing_and_the_largest_most(whole: ExperimentResult) -> None:
    kept = whole.summary()["kept"]["lbfgs"]["gaussian"]
    reverted = whole.summary()["reverted"]["lbfgs"]["gaussian"]
    assert kept["adversarial"][0] > 0.95
    assert reverted["original"][0] > 0.95
    assert kept["adversarial"][0] > kept["adversarial"][-1]


def test_mean_shares_are_those_of_the_recorded_counts(whole: ExperimentResult) -> None:
    counts = [found["around"]["counts"] for part, found, _ in results_of(whole) if part < 2 and found["around"]]
    assert len(counts) == whole.summary()["sources"]["lbfgs"]["found"] > 0
    expected = np.mean([each[0]["kept"] for each in counts], axis=0) / SMALL["samples"]
    assert whole.summary()["kept"]["lbfgs"]["gaussian"]["adversarial"] == pytest.approx(expected.tolist())
    lines = whole.summary()["images_probed"]["lbfgs"]
    assert [line["kept"] for line in lines] == [[n / SMALL["samples"] for n in each[0]["kept"]] for each in counts]
    low, high = lines[0]["kept_interval95"][0]
    assert low <= lines[0]["kept"][0] <= high


def test_saved_pictures_are_taken_for_what_is_recorded(whole: ExperimentResult) -> None:
    """Edits of one pixel and fooling images are 8-bit images; L-BFGS's say whether rounding undoes them."""
    for part, found, picture in results_of(whole):
        label = int(tiny_target().confirm(torch.from_numpy(picture)[None]).argmax())
        if part >= 2:
            assert label == found["after"]
        elif found["around"]:
            assert (label == found["after"]) == found["around"]["rounded"]


def test_random_goals_are_other_classes_and_reached(whole: ExperimentResult) -> None:
    for part, found, _ in results_of(whole):
        if part < 2:
            assert found["goal"] != found["before"]
            assert (found["around"] is not None) == (found["after"] == found["goal"])


def test_the_map_of_an_edit_has_its_own_place_and_colour(whole: ExperimentResult) -> None:
    edits = [found for part, found, _ in results_of(whole) if part in (2, 3) and found["around"]]
    assert edits
    for found in edits:
        x, y, *_ = found["around"]["edits"]["edit"]
        assert found["around"]["edits"]["places"][8 * y + x] == found["after"]
    shares = whole.summary()["sources"]["pixel"]["edits"]
    assert 0 <= shares["places"] <= 1
    assert 0 <= shares["near"] <= 1


def test_a_fooling_image_is_compared_with_the_flat_image_of_its_mean_colour(whole: ExperimentResult) -> None:
    for part, found, picture in results_of(whole):
        if part == 4:
            flat = np.broadcast_to(picture.astype(float).mean((1, 2), keepdims=True).round(), picture.shape)
            label = int(tiny_target().confirm(torch.from_numpy(flat.astype(np.uint8))[None]).argmax())
            assert label == found["before"]
            assert "image" not in found


def test_half_lies_between_the_levels_where_the_mean_passes_it(whole: ExperimentResult) -> None:
    """80 % at own size and 20 % at twice that: half of the way on a logarithmic axis, where both images are counted."""
    folder = ExperimentFolder.open(whole.path)
    found = next(found for _, found, _ in results_of(whole) if found["around"])

    def image(at_own_size: int, at_twice: int) -> Probed:
        counts = [{**each, "kept": [20] * 5 + [at_own_size, at_twice] + [0] * 4} for each in found["around"]["counts"]]
        around = {
            **found["around"],
            "counts": counts,
            "norm": 2.0,
            "descent": 0.5,
            "ascent": None,
            "random": [1, 4, None],
        }
        return Probed(msgspec.convert({**found, "around": around}, ProbeResult), folder.subjects[0].image, None)

    figures = SourceFigures.of(folder.config, [image(20, 8), image(12, 0)])
    assert figures.half == pytest.approx(2**0.5)
    assert figures.majority == 2
    assert figures.radii() == {
        "random": {"distance": 4, "norms": 2},
        "descent": {"distance": 0.5, "norms": 0.25},
        "ascent": {"distance": None, "norms": None},
    }
    assert SourceFigures.of(folder.config, [image(20, 20)]).half == pytest.approx(2**1.5)


@pytest.mark.parametrize("end", [kill, interrupt], ids=["killed", "stopped"])
def test_ended_after_any_part_it_goes_on_to_the_same_bytes(
    end: Callable[[], None], whole: ExperimentResult, tmp_path: Path
) -> None:
    out = tmp_path / "lab"

    def observe(step: ExperimentStep) -> None:
        if step.done in (1, 3, 4):
            end()

    sessions = 0
    with global_random_untouched():
        while not (out / "config.json").exists() or life.inspect(out)["done"] < PARTS:
            sessions += 1
            try:
                if sessions == 1:
                    probed(out, observer=observe)
                else:
                    resumed(out, observer=observe)
            except Killed:
                pass
    assert sessions == 4
    assert not resumed(out).interrupted
    assert_same_experiment(out, whole.path)


def test_as_in_the_published_code_levels_shrink_and_own_values_have_one(tmp_path: Path) -> None:
    result = probed(tmp_path / "lab", as_published_code=True, sources="lbfgs", count=2)
    told = result.summary()
    assert told["levels"]["gaussian"][-1] == pytest.approx(11.158, abs=1e-3)
    assert told["levels"]["histogram"] == [1.0]
    assert len(told["kept"]["lbfgs"]["histogram"]["adversarial"]) == 1
    assert "authors' code" in result.report.read_text(encoding="utf-8").replace("&#39;", "'")


@pytest.mark.parametrize("change", ['"kept":[|"kept":[0,', '"random":[|"random":[0,', '"before":|"before":9'])
def test_results_that_cannot_be_are_refused(change: str, tmp_path: Path) -> None:
    """Lines of a stranger's file, sealed as they should be."""
    out = tmp_path / "lab"
    probed(out, sources="lbfgs", count=2)
    lines, pictures = (out / "results.jsonl").read_text().splitlines(), ExperimentFolder.open(out).pictures(0)
    text = json.dumps(json.loads(lines[0])["results"], separators=(",", ":"))
    (out / "results.jsonl").unlink()
    ExperimentFolder.open(out).append(json.loads(text.replace(*change.split("|"), 1)), pictures)
    with pytest.raises(RunError, match=r"line 1 of .* tells of other images than it must"):
        resumed(out)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sources": "lbfg"}, r"`sources`: there is no \"lbfg\" \(did you mean \"lbfgs\"\?\)"),
        ({"sources": "pixel,pixel"}, "`sources` must be different ones"),
        ({"distance_weight": 0}, "`distance_weight` must be a number above 0 and at most 1"),
        ({"samples": 0}, "`samples` must be a whole number of at least 1"),
        ({"encoding": "cpn"}, "cppn"),
        ({"init": "nowhere"}, "nothing at `init=nowhere`"),
        ({"criterion": "nope"}, '`criterion`: no class is called "nope"'),
    ],
)
def test_options_that_cannot_be_are_named(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(evofool.EvofoolError, match=message):
        probed(tmp_path / "lab", **options)
    assert not (tmp_path / "lab").exists()


def test_its_page_shows_lines_maps_and_the_question(whole: ExperimentResult) -> None:
    page = whole.report.read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    for words in ("isolated points", "one-pixel edits", "places that work too", 'class="thin a"', "random radius"):
        assert words in page
    assert {file.name for file in (whole.path / "plots").iterdir()} >= {"lbfgs-adversarial.svg", "pixel-original.svg"}


def test_the_command_line_runs_it(capsys: Capture, tmp_path: Path) -> None:
    words = ["--target", "digits", "--count", 2, "--samples", 5, "--sources", "lbfgs,fooling", "--evaluations", 100]
    out = tmp_path / "lab"
    told = json.loads(succeed(capsys, "lab", "probe", *words, "--device", "cpu", "--out", out, "--json").out)
    assert told["sources"]["lbfgs"]["tried"] == 2
    assert "noise of the perturbation's own size" in succeed(capsys, "resume", out).out
