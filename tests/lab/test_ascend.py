"""The experiment ``ascend``: what it reaches, what it writes, and that it goes on as if it had never stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from runs import Capture, Killed, assert_refused, interrupt, kill, run_cli, succeed, tree
from support import global_random_untouched, tiny_target

import evofool
from evofool.errors import EvofoolError, RunError, TargetError
from evofool.jobs import life
from evofool.lab.ascend import Ascend
from evofool.lab.job import ExperimentStep
from evofool.lab.result import ExperimentResult
from evofool.store.experiment import ExperimentFolder
from evofool.store.records import AscendResult

SMALL: dict[str, Any] = {"classes": [0, 2, 3], "batch": 1, "steps": 12, "until": 0.995, "decay": 0.001}
"""A small experiment: three parts of one class each."""


def ascended(out: Path, **options: Any) -> ExperimentResult:
    return evofool.ascend(out=out, **({"target": tiny_target()} | SMALL | options))


def resumed(path: Path, **options: Any) -> ExperimentResult:
    result: ExperimentResult = evofool.resume(path, target=tiny_target(), **options)
    return result


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    """An experiment that nobody disturbed."""
    return ascended(tmp_path_factory.mktemp("whole") / "lab")


@pytest.mark.parametrize("parametrisation", ["pixel", "fourier"])
def test_noise_reaches_every_class_of_digits(parametrisation: str, tmp_path: Path) -> None:
    result = evofool.ascend("digits", out=tmp_path / "lab", parametrisation=parametrisation, device="cpu", until=0.995)
    summary = json.loads(json.dumps(result.summary()))
    assert {"experiment", "target", "seconds", "seed", "run", "median", "min", "at_99"} <= summary.keys()
    assert (summary["experiment"], summary["classes"], summary["at_99"]) == ("ascend", 10, 10)
    assert 0.99 <= summary["min"] <= summary["median"] <= 1


def test_recorded_scores_are_those_of_the_saved_8_bit_pictures(whole: ExperimentResult) -> None:
    folder, target = ExperimentFolder.open(whole.path), tiny_target()
    seen = []
    for part, results in folder.results(AscendResult):
        scores = target.confirm(torch.from_numpy(folder.pictures(part)))
        for result, row in zip(results, scores, strict=True):
            assert float(row[result["class_index"]]) == pytest.approx(result["confidence"], abs=1e-4)
            assert int(row.argmax()) == result["final_index"]
            seen.append(result["confidence"])
    summary = whole.summary()
    assert len(seen) == 3
    assert (summary["median"], summary["min"]) == (np.median(seen), min(seen))
    assert summary["at_99"] == sum(value >= 0.99 for value in seen)


@pytest.mark.parametrize("parametrisation", ["pixel", "cppn"])
def test_the_same_seed_gives_the_same_bytes_and_leaves_global_generators_alone(
    parametrisation: str, tmp_path: Path
) -> None:
    with global_random_untouched():
        trees = [tree(ascended(tmp_path / name, parametrisation=parametrisation).path) for name in ("one", "two")]
    assert trees[0] == trees[1]


def test_a_target_that_gives_its_images_other_scores_now_is_refused(tmp_path: Path) -> None:
    out, target = tmp_path / "lab", tiny_target()
    ascended(out, target=target)
    scale = target.confirm
    target.confirm = lambda images, **options: scale(images, **options).square()  # type: ignore[method-assign]
    with pytest.raises(EvofoolError, match="scores"):
        evofool.resume(out, target=target)


def test_another_seed_begins_with_other_noise(whole: ExperimentResult, tmp_path: Path) -> None:
    other = ascended(tmp_path / "lab", seed=1)
    assert tree(other.path)["pictures/00000.npy"] != tree(whole.path)["pictures/00000.npy"]


@pytest.mark.parametrize("end", [kill, interrupt], ids=["killed", "stopped"])
def test_ended_after_any_part_it_goes_on_to_the_same_bytes(
    end: Callable[[], None], whole: ExperimentResult, tmp_path: Path
) -> None:
    out = tmp_path / "lab"

    def observe(step: ExperimentStep) -> None:
        if step.done < step.parts:
            end()

    sessions = 0
    while not (out / "config.json").exists() or life.inspect(out)["done"] < 3:
        sessions += 1
        try:
            if sessions == 1:
                ascended(out, observer=observe)
            else:
                resumed(out, observer=observe)
        except Killed:
            pass
    assert sessions == 3
    resumed(out)
    assert tree(out) == tree(whole.path)


def test_cppns_go_on_with_the_genomes_they_began_with_or_not_at_all(tmp_path: Path) -> None:
    run = evofool.evolve(tiny_target(), out=tmp_path / "run", batch=20, evaluations=40, seed=1)
    out, begun = tmp_path / "lab", run.run
    assert begun is not None

    def stop(step: ExperimentStep) -> None:
        kill()

    with pytest.raises(Killed):
        ascended(out, parametrisation="cppn", init=str(begun), observer=stop)
    config = ExperimentFolder.open(out).config
    assert len(config.options.init_rows) == 3
    genomes = sorted((begun / "elites").glob("*.json"))
    kept = genomes[0].read_bytes()
    genomes[0].unlink()
    with pytest.raises(EvofoolError, match=r"are not those that the experiment began with; put these back"):
        resumed(out)
    genomes[0].write_bytes(kept)
    assert not resumed(out).interrupted
    results = [entry for _, part in ExperimentFolder.open(out).results(AscendResult) for entry in part]
    assert all(entry["confidence"] >= entry["start"] - 1e-4 for entry in results)
    assert all(entry["genome"] is not None for entry in results)


def test_damaged_parts_are_found_taken_out_and_made_again(whole: ExperimentResult, tmp_path: Path) -> None:
    out = tmp_path / "lab"
    ascended(out)
    lines = (out / "results.jsonl").read_text().splitlines(keepends=True)
    (out / "results.jsonl").write_text("".join([lines[0], lines[1].replace('"steps"', '"stabs"'), lines[2]]))
    with pytest.raises(RunError, match=r"line 2 of .* is damaged"):
        resumed(out)
    assert evofool.repair(out) == [f"2 lines of {out / 'results.jsonl'}: taken out"]
    resumed(out)
    assert tree(out) == tree(whole.path)


class Plain:
    """A target without gradients."""

    name, classes, image_shape = "plain", ["a", "b"], (3, 8, 8)

    def scores(self, images: Any) -> Any:
        return torch.full((len(images), 2), 0.5)

    confirm = scores


def test_a_target_without_gradients_is_told_which_doors_give_them(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"target plain gives neither gradients nor features; take one that runs in"):
        ascended(tmp_path / "lab", target=Plain(), classes=None)
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parametrisation": "pixels"}, r"`parametrisation` must be one of pixel, fourier, cppn \(did you mean"),
        ({"parametrisation": "cppn", "blur": 1.0}, "`blur` is for `parametrisation=pixel` and `parametrisation=four"),
        ({"parametrisation": "fourier", "clip": 0.1}, "`clip` is for `parametrisation=pixel`; leave it out"),
        ({"init": "imagenet-cppn"}, "`init` is for `parametrisation=cppn`; leave it out"),
        ({"parametrisation": "cppn", "init": "nowhere"}, "nothing at `init=nowhere`"),
        ({"parametrisation": "cppn", "init": "mnist-cppn"}, "has colour grey"),
        ({"until": 99}, "`until` must be a number above 0 and at most 1, got 99"),
        ({"decay": 1}, "`decay` must be a number"),
        ({"steps": 0}, "`steps` must be a whole number of at least 1"),
        ({"step_size": 0}, "`step_size` must be a number above 0"),
        ({"classes": "nope"}, '`classes`: no class is called "nope"'),
        ({"max_queries": 5}, "`max_queries` is for classifiers that are asked for scores"),
    ],
)
def test_options_that_cannot_be_are_named(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(EvofoolError, match=message):
        ascended(tmp_path / "lab", **options)
    assert not (tmp_path / "lab").exists()


def test_its_page_needs_no_other_file_and_shows_every_class(whole: ExperimentResult) -> None:
    page = whole.report.read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    for words in ("Does the gradient lead", "class 0", "class 2", "class 3", "forward passes", "at least 99", "<svg"):
        assert words in page
    assert "init_rows" not in page
    assert (whole.path / "plots" / "sure.svg").exists()


def test_a_page_of_an_experiment_that_has_not_begun_says_so(whole: ExperimentResult, tmp_path: Path) -> None:
    folder = ExperimentFolder.create(tmp_path / "lab", ExperimentFolder.open(whole.path).config, ())
    assert "has not begun" in Ascend.findings(folder).page.title


def test_the_command_line_runs_inspects_and_resumes(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "lab"
    words = ["--target", "digits", "--class", "3,7", "--parametrisation", "fourier", "--device", "cpu"]
    told = json.loads(succeed(capsys, "lab", "ascend", *words, "--out", out, "--json").out)
    assert (told["classes"], told["at_99"]) == (2, 2)
    assert json.loads(succeed(capsys, "inspect", out, "--json").out)["finished"] is True
    again = json.loads(succeed(capsys, "resume", out, "--json").out)
    assert {**again, "seconds": 0} == {**told, "seconds": 0}
    assert "forward passes" in succeed(capsys, "resume", out).out
    assert_refused(run_cli(capsys, "lab", "ascend", *words, "--until", 2), "--until must be a number above 0")
