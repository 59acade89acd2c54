"""Runs with several images per class: resumed, recorded, made again from their config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from configs import edit_config
from PIL import Image
from runs import Capture, Killed, assert_same_run, checkpoint, json_lines, kill, run_cli, small_evolve
from support import assert_same_arrays

import evofool
from evofool.errors import RunError, TargetError
from evofool.jobs.run import RunStep
from evofool.search.grid_archive import Grid
from evofool.search.novelty_archive import Novelty
from evofool.store.run import RunFolder

KINDS: dict[str, dict[str, Any]] = {
    "grid": {"descriptors": "brightness,complexity", "bins": 3},
    "pixels": {"novelty": "pixels", "bins": 3, "apart": 0.2},
    "features": {"novelty": "features", "bins": 4},
}


def evolve(out: Path, kind: str = "grid", **options: Any) -> evofool.Result:
    return small_evolve(out, **{"classes": "3,5,8", **KINDS[kind], **options})


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("encoding", ["direct", "cppn"])
@pytest.mark.parametrize("kind", KINDS)
def test_stopped_in_between_it_ends_with_the_same_bytes(kind: str, encoding: str, tmp_path: Path) -> None:
    options = {"encoding": encoding, "generations": 6}

    def observe(step: RunStep) -> None:
        if step.progress.generation == 4:
            kill()

    with pytest.raises(Killed):
        evolve(tmp_path / "a", kind, observer=observe, **options)
    evofool.resume(tmp_path / "a")
    evolve(tmp_path / "b", kind, **options)
    assert_same_run(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_what_its_line_says(kind: str, tmp_path: Path) -> None:
    result = evolve(tmp_path / "run", kind, encoding="cppn")
    run, target = RunFolder.open(tmp_path / "run"), evofool.load_target("digits", device="cpu")
    lines = run.elites()
    assert len(lines) == len(result.classes) <= result.niches
    seen = set()
    for line in lines:
        image = torch.from_numpy(np.asarray(Image.open(run.picture(line))).copy())[None, None]
        assert float(target.confirm(image)[0, line["index"]]) == pytest.approx(line["score"], abs=1e-4)
        seen.add((line["index"], *line["cell"]))
        if kind == "grid":
            grid = Grid(("brightness", "complexity"), 3)
            measures = grid.measure(target, image, None)
            assert measures[0].tolist() == pytest.approx(list(line["descriptors"].values()), abs=1e-6)
            assert int(grid.cell(measures)) == line["cell"][0] * 3 + line["cell"][1]
    assert len(seen) == len(lines)
    assert {line["index"] for line in lines} == {3, 5, 8}


@pytest.mark.parametrize("space", ["pixels", "features"])
def test_images_of_a_class_are_as_far_apart_as_asked(space: str, tmp_path: Path) -> None:
    novelty = Novelty(space, 4, 0.15)
    small_evolve(tmp_path / "run", novelty=space, bins=4, apart=0.15, generations=10, encoding="cppn")
    run, target = RunFolder.open(tmp_path / "run"), evofool.load_target("digits", device="cpu")
    by_class: dict[int, list[torch.Tensor]] = {}
    for line in run.elites():
        image = torch.from_numpy(np.asarray(Image.open(run.picture(line))).copy())[None, None]
        by_class.setdefault(line["index"], []).append(novelty.measure(target, image, None)[0])
    assert sum(map(len, by_class.values())) > len(by_class)
    for points in by_class.values():
        apart = torch.cdist(torch.stack(points), torch.stack(points))
        assert float((apart + 9 * torch.eye(len(points))).min()) >= novelty.least_distance * (1 - 1e-5)


def test_the_surest_of_each_class_is_as_good_as_without(tmp_path: Path) -> None:
    """Nobody who would be best of a class is kept out, generation by generation, while parents are the same."""
    several = evolve(tmp_path / "a", generations=1)
    one = small_evolve(tmp_path / "b", classes="3,5,8", generations=1)
    assert several.confidence[several.surest()].tolist() == one.confidence.tolist()
    assert several.summary()["median"] == one.summary()["median"]


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
    evofool.resume(tmp_path / "run", generations=45)


def test_until_waits_for_the_classes_and_not_for_every_niche(tmp_path: Path) -> None:
    result = evolve(tmp_path / "run", until=0.5, generations=None)
    assert float(np.median(result.confidence[result.surest()])) >= 0.5
    assert result.confidence.min() < 0.5


def test_inspect_tells_of_the_niches(tmp_path: Path, capsys: Capture) -> None:
    result = evolve(tmp_path / "run")
    facts = evofool.inspect(tmp_path / "run")
    assert facts["descriptors"] == ["brightness", "complexity"]
    assert facts["bins"] == 3
    assert facts["pictures"] == len(result.classes) == len(facts["elites"])
    outcome = run_cli(capsys, "inspect", tmp_path / "run", "--json")
    assert json.loads(outcome.out)["qd_score"] == pytest.approx(float(result.confidence.sum()), abs=1e-6)


@pytest.mark.parametrize("emitters", ["vary,refine", "vary,refine@30", "vary,tweak@30", "vary,restart"])
def test_a_run_is_made_again_from_its_config(emitters: str, tmp_path: Path, capsys: Capture) -> None:
    evolve(tmp_path / "a", "features", encoding="cppn", emitters=emitters)
    assert json.loads((tmp_path / "a" / "config.json").read_text())["options"]["emitters"] == emitters.split(",")
    outcome = run_cli(capsys, "evolve", "--config", tmp_path / "a", "--out", tmp_path / "b", "--quiet")
    assert outcome.code == 0, outcome.err
    a, b = tmp_path / "a", tmp_path / "b"
    assert_same_arrays(checkpoint(a), checkpoint(b))
    assert json_lines(a / "elites.jsonl") == json_lines(b / "elites.jsonl")


def test_another_kind_of_niches_replaces_the_recorded_one(tmp_path: Path, capsys: Capture) -> None:
    evolve(tmp_path / "a", "features")
    given = ("--descriptors", "symmetry", "--generations", "1", "--quiet")
    outcome = run_cli(capsys, "evolve", "--config", tmp_path / "a", "--out", tmp_path / "b", *given)
    assert outcome.code == 0, outcome.err
    options = json.loads((tmp_path / "b" / "config.json").read_text())["options"]
    assert [options[name] for name in ("descriptors", "novelty", "bins", "apart")] == [["symmetry"], None, 5, None]


@pytest.mark.parametrize(
    "changes",
    [
        {"options.bins": 4},
        {"options.descriptors": ["brightness"]},
        {"options.descriptors": None, "options.novelty": "pixels", "options.apart": 0.3},
    ],
)
def test_a_folder_with_other_niches_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    evolve(tmp_path / "run")
    edit_config(tmp_path / "run", changes)
    with pytest.raises(RunError):
        evofool.resume(tmp_path / "run", generations=5)


def test_a_network_without_features_is_refused_by_name(tmp_path: Path) -> None:
    class Means(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.mean((2, 3)) @ torch.linspace(-1, 1, 12).view(3, 4)

    target = evofool.Target(Means(), classes=list("abcd"), image_shape=(3, 8, 8), device="cpu", precision="float32")
    with pytest.raises(TargetError, match="`novelty=pixels`"):
        evofool.evolve(target, "direct", novelty="features", generations=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
