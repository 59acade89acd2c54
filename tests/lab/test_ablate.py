"""The experiment ``ablate``: nodes, pairs, periods and copies are removed, and what stays is scored."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from plain import PlainTarget
from runs import Capture, Killed, assert_refused, interrupt, kill, run_cli, small_evolve, succeed, tree
from support import tiny_target

import evofool
from evofool.encodings.genome_file import parse
from evofool.errors import ConfigError, RunError
from evofool.jobs import life
from evofool.lab.job import ExperimentStep
from evofool.lab.result import ExperimentResult
from evofool.store.experiment import ExperimentFolder, Result
from evofool.store.records import AblateResult

X, Y, BIAS = 0, 1, 3
RED, WAVE, BELL, IDLE = 4, 7, 8, 9


def genome(frequency: float = 6.5) -> dict[str, Any]:
    """A CPPN for 8 × 8 RGB images: red is sin(frequency · x), with a bell across; a node that nothing reads."""
    nodes: list[dict[str, Any]] = [{"id": i, "name": name} for i, name in enumerate(("x", "y", "distance", "bias"))]
    nodes += [{"id": i, "name": f"colour{i - 4}", "activation": "linear"} for i in (4, 5, 6)]
    hidden = (("sin", 0.2), ("gauss", 0.3), ("cos", 0.4))
    nodes += [{"id": i, "activation": name, "position": place} for i, (name, place) in enumerate(hidden, WAVE)]
    edges = [
        (X, WAVE, frequency), (Y, BELL, 1.5), (X, IDLE, 20.0), (WAVE, RED, 2.5), (BELL, RED, 0.3), (BELL, 5, 1.0),
        (BIAS, 6, 0.5),
    ]  # fmt: skip
    return {
        "format": 2, "encoding": "cppn", "image_shape": [3, 8, 8], "coordinates": "unit", "colour": "rgb",
        "nodes": nodes, "connections": [{"from": a, "to": b, "weight": w} for a, b, w in edges],
    }  # fmt: skip


@pytest.fixture(scope="module")
def genomes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three genomes, whose waves have other lengths."""
    folder = tmp_path_factory.mktemp("genomes")
    files = [folder / f"{number}.json" for number in range(3)]
    for file, frequency in zip(files, (6.5, 7.5, 3.0), strict=True):
        file.write_text(json.dumps(genome(frequency)))
    return files


def ablated(files: list[Path], out: Path, **options: Any) -> ExperimentResult:
    return evofool.ablate(files, options.pop("target", None) or tiny_target(), out=out, **{"batch": 7, **options})


@pytest.fixture(scope="module")
def whole(genomes: list[Path], tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    """An experiment that nobody disturbed."""
    return ablated(genomes, tmp_path_factory.mktemp("whole") / "lab")


def results_of(result: ExperimentResult, image: int) -> list[Result]:
    """What was found of an image."""
    return dict(ExperimentFolder.open(result.path).results(AblateResult))[image]


def scored(images: np.ndarray) -> np.ndarray:
    return tiny_target().confirm(torch.from_numpy(images)).numpy()


def drawn(content: dict[str, Any]) -> np.ndarray:
    read = parse(content)
    return read.encoding.decode(read.genomes).numpy()


def test_every_node_that_matters_and_every_pair_of_them_is_removed_once(whole: ExperimentResult) -> None:
    needed = [X, Y, BIAS, 4, 5, 6, WAVE, BELL]
    found = results_of(whole, 0)
    assert [tuple(each["nodes"]) for each in found if each["kind"] == "node"] == [(node,) for node in needed]
    pairs = [tuple(each["nodes"]) for each in found if each["kind"] == "pair"]
    assert pairs == list(itertools.combinations(needed, 2))


def test_what_stays_without_a_node_is_the_score_of_a_genome_that_never_had_it(whole: ExperimentResult) -> None:
    """The genomes without are written by hand, as JSON."""
    label = ExperimentFolder.open(whole.path).subjects[0].label
    found = {tuple(each["nodes"]): each for each in results_of(whole, 0) if each["kind"] in ("node", "pair", "whole")}
    for nodes in [(), (X,), (WAVE,), (BELL,), (5,), (X, BELL), (WAVE, BELL)]:
        content = genome()
        content["connections"] = [
            edge for edge in content["connections"] if edge["from"] not in nodes and edge["to"] not in nodes
        ]
        score = scored(drawn(content))[0]
        assert found[nodes]["confidence"] == pytest.approx(float(score[label]), abs=1e-5)
        assert found[nodes]["first"] == int(score.argmax())


def test_one_period_of_a_wave_stays(whole: ExperimentResult) -> None:
    label = ExperimentFolder.open(whole.path).subjects[0].label
    (period,) = [each for each in results_of(whole, 0) if each["kind"] == "period"]
    assert (period["nodes"], period["copies"]) == ([WAVE], 2)  # 6.5 · 1.75 / 2π = 1.8
    image = drawn(genome())[0]
    x = (np.arange(8) + 0.5) / 4 - 1
    argument = 6.5 * x
    clamped = argument[4] + np.clip(argument - argument[4], -np.pi, np.pi)
    y = ((np.arange(8) + 0.5) / 4 - 1)[:, None]
    red = np.clip(2.5 * np.sin(clamped)[None] + 0.3 * np.exp(-((1.5 * y) ** 2)), -3, 3) / 3
    image[0] = np.floor((red + 1) / 2 * 255 + 0.5).astype(np.uint8)
    assert period["confidence"] == pytest.approx(float(scored(image[None])[0, label]), abs=2e-2)
    assert not [each for each in results_of(whole, 2) if each["kind"] == "period"]  # Its wave is shorter than one.


def test_copies_that_the_autocorrelation_finds_are_removed_and_left_alone(whole: ExperimentResult) -> None:
    folder = ExperimentFolder.open(whole.path)
    found = results_of(whole, 1)
    copies = [each for each in found if each["kind"] == "copy"]
    alone = [each for each in found if each["kind"] == "alone"]
    count = copies[0]["copies"]
    assert len(copies) == len(alone) == count >= 2
    image, pictures = folder.subjects[1].image, folder.pictures(1)
    (best,) = [each for each in alone if each["picture"] is not None]
    left = pictures[best["picture"]]
    colour = image.mean((1, 2)).round()
    kept = (left == image).all(0)
    assert (left[:, ~kept] == colour[:, None]).all()
    assert 0 < kept.mean() < 1 / count + 0.2


def test_recorded_confidences_are_those_of_the_saved_pictures(whole: ExperimentResult) -> None:
    folder = ExperimentFolder.open(whole.path)
    for part, found in folder.results(AblateResult):
        shown = {each["picture"]: each for each in found if each["picture"] is not None}
        scores = scored(folder.pictures(part))[:, folder.subjects[part].label]
        assert len(shown) == len(scores) >= 2
        for picture, each in shown.items():
            assert each["confidence"] == pytest.approx(float(scores[picture]), abs=1e-4)


def test_figures_are_means_over_the_images_of_how_much_stays(whole: ExperimentResult) -> None:
    summary = json.loads(json.dumps(whole.summary()))
    assert {"experiment", "target", "seconds", "seed", "run", "kept"} <= set(summary)
    nodes, worst, best = [], [], []
    for image in range(3):
        first, *found = results_of(whole, image)
        shares = {
            kind: [min(1, each["confidence"] / first["confidence"]) for each in found if each["kind"] == kind]
            for kind in ("node", "alone")
        }
        nodes.append(np.mean(shares["node"]))
        worst.append(min(shares["node"]))
        if shares["alone"]:
            best.append(max(shares["alone"]))
    assert summary["kept"]["node"] == pytest.approx(np.mean(nodes))
    assert summary["kept"]["worst_node"] == pytest.approx(np.mean(worst))
    assert summary["kept"]["alone"] == pytest.approx(np.mean(best))
    assert summary["elites_with"]["alone"] == len(best)
    for name, (low, high) in summary["kept_interval95"].items():
        assert low <= summary["kept"][name] <= high


@pytest.mark.parametrize("end", [kill, interrupt], ids=["killed", "stopped"])
def test_ended_after_any_image_it_goes_on_to_the_same_bytes(
    end: Callable[[], None], whole: ExperimentResult, genomes: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "lab"

    def observe(step: ExperimentStep) -> None:
        if step.done in (1, 2):
            end()

    sessions = 0
    while not (out / "config.json").exists() or life.inspect(out)["done"] < 3:
        sessions += 1
        try:
            if sessions == 1:
                ablated(genomes, out, observer=observe)
            else:
                evofool.resume(out, target=tiny_target(), observer=observe)
        except Killed:
            pass
    assert sessions == 3
    assert tree(evofool.resume(out, target=tiny_target()).path) == tree(whole.path)


def test_of_more_pairs_than_are_asked_for_the_seed_chooses(genomes: list[Path], tmp_path: Path) -> None:
    chosen = []
    for number, (seed, most) in enumerate([(0, 5), (0, 5), (1, 5), (0, 0)]):
        result = ablated(genomes[:1], tmp_path / str(number), pairs=most, seed=seed)
        chosen.append([each["nodes"] for each in results_of(result, 0) if each["kind"] == "pair"])
    assert chosen[0] == chosen[1] != chosen[2]
    assert list(map(len, chosen)) == [5, 5, 5, 0]
    assert result.summary()["kept"]["pair"] is None


def test_a_picture_has_no_nodes_and_any_target_will_do(tmp_path: Path) -> None:
    file = tmp_path / "stripes.png"
    stripes = np.tile(np.array([0, 90, 255, 90], np.uint8), (8, 2))
    Image.fromarray(np.stack([stripes] * 3, -1)).save(file)
    result = evofool.ablate(file, PlainTarget(), out=tmp_path / "lab")
    found = results_of(result, 0)
    assert {each["kind"] for each in found} == {"whole", "copy", "alone"}
    assert found[1]["copies"] == 3  # one in the middle, and two halves
    assert result.summary()["kept"]["node"] is None


def test_a_run_on_a_target_of_the_users_own_needs_it_again(tmp_path: Path) -> None:
    run = tmp_path / "run"
    evofool.evolve(PlainTarget(), generations=1, batch=10, out=run, gallery=False)
    with pytest.raises(ConfigError, match=r"was made with your own Target plain; call evofool\.ablate"):
        evofool.ablate(run, out=tmp_path / "lab")
    assert not (tmp_path / "lab").exists()
    assert evofool.ablate(run, PlainTarget(), out=tmp_path / "lab").summary()["images"] == 4


def test_a_genome_that_was_changed_in_the_folder_is_found(genomes: list[Path], tmp_path: Path) -> None:
    out = ablated(genomes[:1], tmp_path / "lab").path
    lines = out / "images.jsonl"
    lines.write_text(
        lines.read_text().replace('"weight": 6.5', '"weight": 6.4').replace('"weight":6.5', '"weight":6.4')
    )
    with pytest.raises(RunError, match=r"images\.jsonl"):
        evofool.resume(out, target=tiny_target())


@pytest.mark.parametrize(
    "wrong", [{"first": 4}, {"picture": 99}, {"nodes": [77]}, {"kind": "whole"}, {"kind": "nothing"}, {"image": 1}]
)
def test_results_that_lie_are_found(wrong: dict[str, Any], whole: ExperimentResult, tmp_path: Path) -> None:
    out = tmp_path / "lab"
    shutil.copytree(whole.path, out)
    folder = ExperimentFolder.open(out)
    found = results_of(whole, 0)
    worst = next(row for row, each in enumerate(found) if each["picture"] is not None)
    (out / "results.jsonl").unlink()
    folder = ExperimentFolder.open(out)
    folder.append(
        [{**each, **wrong} if row == worst else each for row, each in enumerate(found)],
        ExperimentFolder.open(whole.path).pictures(0),
    )
    with pytest.raises(RunError, match=r"line 1 of .* (is damaged|tells of other images)"):
        evofool.resume(out, target=tiny_target())


def test_the_command_line_shows_a_table_and_a_page(capsys: Capture, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "lab"
    small_evolve(run, encoding="cppn", gallery=False, generations=1)
    told = json.loads(succeed(capsys, "lab", "ablate", run, "--class", "3,7", "--out", out, "--json").out)
    assert (told["experiment"], told["target"], told["images"]) == ("ablate", "digits", 2)
    assert "the node that matters most" in succeed(capsys, "resume", out).out
    gallery = (out / "index.html").read_bytes()
    assert "gallery: " in succeed(capsys, "gallery", out).out
    assert (out / "index.html").read_bytes() == gallery
    assert_refused(run_cli(capsys, "gallery", out, "--class", "3"), "expected a run")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    for words in ("a node less", "one period of each wave", "the best copy alone", f"evofool lab ablate {run}"):
        assert words in page
