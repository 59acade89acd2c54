"""The experiment ``perturb``: what it finds, what it writes, and that it goes on as if it had never stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from campaigns import archive
from runs import Capture, Killed, assert_refused, assert_same_experiment, interrupt, kill, run_cli, succeed, tree
from support import global_random_untouched, tiny_target

import evofool
from evofool.config.perturb import METHODS
from evofool.errors import ConfigError, RunError, TargetError
from evofool.jobs import life
from evofool.lab.job import ExperimentStep
from evofool.lab.perturb_arms import EPSILONS
from evofool.lab.registry import EXPERIMENTS
from evofool.lab.result import ExperimentResult
from evofool.store.experiment import ExperimentFolder

SMALL: dict[str, Any] = {
    "count": 6, "batch": 4, "steps": 4, "restarts": 2, "iterations": 4, "searches": 3, "epsilon": (4 / 255, 0.03),
    "epsilon_l2": (0.5,),
}  # fmt: skip
"""A small experiment: eight arms of two batches each."""

PARTS = 16


def perturbed(out: Path, **options: Any) -> ExperimentResult:
    """Perturb six random images against the tests' tiny network."""
    data = out.parent / "images.npz"
    if not data.exists():
        archive(data)
    return evofool.perturb(out=out, **({"target": tiny_target(), "data": data} | SMALL | options))


def resumed(path: Path, **options: Any) -> ExperimentResult:
    result: ExperimentResult = evofool.resume(path, target=tiny_target(), **options)
    return result


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    """An experiment that nobody disturbed."""
    return perturbed(tmp_path_factory.mktemp("whole") / "lab")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    """The experiment on the embedded digits, with fewer steps than its default has."""
    out = tmp_path_factory.mktemp("digits") / "lab"
    return evofool.perturb("digits", out=out, count=24, device="cpu", steps=8, iterations=8, searches=6)


def test_figures_are_told_by_method_and_size(digits: ExperimentResult) -> None:
    summary = json.loads(json.dumps(digits.summary()))
    assert {"experiment", "target", "seconds", "seed", "run", "clean", "accuracy", "rounded_away", "distortion"} <= set(
        summary
    )
    assert (summary["experiment"], summary["target"], summary["seed"]) == ("perturb", "digits", 0)
    assert list(summary["accuracy"]) == list(METHODS)
    assert list(summary["accuracy"]["fgsm"]) == ["0.05", "0.1", "0.15", "0.25"]
    assert list(summary["accuracy"]["lbfgs"]) == ["smallest"]
    assert len(summary["table"]) == 4 * 3 + 3 + 1


def test_pgds_accuracy_is_at_most_fgsms_at_every_epsilon(digits: ExperimentResult) -> None:
    accuracy = digits.summary()["accuracy"]
    for epsilon in map(str, EPSILONS[1]):
        assert accuracy["pgd"][epsilon] <= accuracy["fgsm"][epsilon]
        assert accuracy["pgd"][epsilon] <= digits.summary()["clean"]
    assert accuracy["fgsm"]["0.25"] < 0.15


def test_lbfgs_finds_smaller_distortions_than_fgsm_on_the_images_that_both_win(digits: ExperimentResult) -> None:
    nearest = digits.summary()["nearest"]
    assert nearest["images"] >= 20
    assert nearest["lbfgs"] < nearest["fgsm"]
    assert nearest["lbfgs_smaller"] == nearest["images"]


def test_figures_are_those_of_the_saved_pictures(whole: ExperimentResult) -> None:
    """Accuracy, distortion and what rounding undid, counted anew from the 8-bit pictures."""
    folder, target = ExperimentFolder.open(whole.path), tiny_target()
    subjects, table = list(folder.subjects), whole.summary()["table"]
    right = [subject.prediction == subject.label for subject in subjects]
    assert whole.summary()["clean"] == np.mean(right)
    for number, row in enumerate(table):
        pictures = np.concatenate([folder.pictures(2 * number), folder.pictures(2 * number + 1)])
        guesses = target.confirm(torch.from_numpy(pictures)).argmax(1).numpy()
        labels = np.array([subject.label for subject in subjects])
        assert row["accuracy"] == pytest.approx(np.mean(guesses == labels))
        won = (guesses != labels) & right
        change = (pictures.astype(float) - np.stack([subject.image for subject in subjects])) / 255
        sizes = np.sqrt((change**2).mean((1, 2, 3)))[won]
        assert row["distortion"] == (pytest.approx(sizes.mean()) if won.any() else None)
        if row["epsilon"] in ("4/255", "0.03"):
            most = {"4/255": 4, "0.03": 7}[row["epsilon"]]
            assert np.abs(255 * change).max() <= most + 1e-6


def test_recorded_scores_are_those_of_the_saved_pictures(whole: ExperimentResult) -> None:
    folder, target = ExperimentFolder.open(whole.path), tiny_target()
    from evofool.store.records import PerturbResult

    for part, results in folder.results(PerturbResult):
        scores = target.confirm(torch.from_numpy(folder.pictures(part)))
        for result, row in zip(results, scores, strict=True):
            assert float(row[result["final_index"]]) == pytest.approx(result["confidence"], abs=1e-4)


def test_the_same_seed_gives_the_same_bytes_and_leaves_global_generators_alone(
    whole: ExperimentResult, tmp_path: Path
) -> None:
    with global_random_untouched():
        again = perturbed(tmp_path / "lab")
    assert_same_experiment(again.path, whole.path)
    other = perturbed(tmp_path / "other", seed=1, methods=("pgd",))
    assert tree(other.path)["pictures/00000.npy"] != tree(whole.path)["pictures/00008.npy"]


@pytest.mark.parametrize("end", [kill, interrupt], ids=["killed", "stopped"])
def test_ended_after_any_part_it_goes_on_to_the_same_bytes(
    end: Callable[[], None], whole: ExperimentResult, tmp_path: Path
) -> None:
    out = tmp_path / "lab"

    def observe(step: ExperimentStep) -> None:
        if step.done in (1, 7, 12):
            end()

    sessions = 0
    while not (out / "config.json").exists() or life.inspect(out)["done"] < PARTS:
        sessions += 1
        try:
            if sessions == 1:
                perturbed(out, observer=observe)
            else:
                resumed(out, observer=observe)
        except Killed:
            pass
    assert sessions == 4
    assert not resumed(out).interrupted
    assert_same_experiment(out, whole.path)


def test_killed_between_a_parts_pictures_and_its_line_it_goes_on_to_the_same_bytes(
    whole: ExperimentResult, tmp_path: Path
) -> None:
    out = tmp_path / "lab"
    perturbed(out)
    results = out / "results.jsonl"
    lines = results.read_bytes().splitlines(keepends=True)
    results.write_bytes(b"".join(lines[:5]) + lines[5][:40])  # torn
    assert not resumed(out).interrupted
    assert_same_experiment(out, whole.path)


def test_damaged_parts_are_found_taken_out_and_made_again(whole: ExperimentResult, tmp_path: Path) -> None:
    out = tmp_path / "lab"
    perturbed(out)
    picture = out / "pictures" / "00003.npy"
    picture.write_bytes(picture.read_bytes()[:-1] + b"\x55")
    results = out / "results.jsonl"
    lines = results.read_bytes().splitlines(keepends=True)
    results.write_bytes(b"".join([*lines[:9], lines[9].replace(b'"found"', b'"fount"'), *lines[10:]]))
    with pytest.raises(RunError, match=r"line 10 of .* is damaged or of another job"):
        resumed(out)
    assert evofool.repair(out) == [f"13 lines of {results}: taken out"]
    assert evofool.repair(out) == []
    resumed(out)
    assert_same_experiment(out, whole.path)


def test_a_targeted_experiment_reaches_the_class_asked_for(tmp_path: Path) -> None:
    result = perturbed(tmp_path / "lab", criterion="class 2", methods=("pgd",), epsilon=(0.2,), steps=10)
    folder = ExperimentFolder.open(result.path)
    assert 2 not in {subject.label for subject in folder.subjects}
    assert result.summary()["table"][0]["success"] == 1
    guesses = tiny_target().confirm(torch.from_numpy(folder.pictures(0))).argmax(1)
    assert set(guesses.tolist()) == {2}


def test_random_classes_are_others_than_the_images_own_and_the_same_for_all_methods(tmp_path: Path) -> None:
    result = perturbed(tmp_path / "lab", criterion="random", methods=("fgsm", "lbfgs"), epsilon=(0.1,))
    lines = [json.loads(line) for line in (result.path / "results.jsonl").read_text().splitlines()]
    wanted = [[entry["wanted"] for entry in line["results"]] for line in lines]
    labels = [subject.label for subject in ExperimentFolder.open(result.path).subjects]
    assert wanted[:2] == wanted[2:]
    assert all(one != label for one, label in zip([*wanted[0], *wanted[1]], labels, strict=True))


def test_images_can_be_chosen_by_class(tmp_path: Path) -> None:
    result = perturbed(tmp_path / "lab", classes=["class 1", 3], methods=("fgsm",))
    assert {subject.label for subject in ExperimentFolder.open(result.path).subjects} <= {1, 3}


class Plain:
    """A target without gradients."""

    name, classes, image_shape = "plain", ["a", "b"], (3, 8, 8)

    def scores(self, images: Any) -> Any:
        return torch.full((len(images), 2), 0.5)

    confirm = scores


def test_a_target_without_gradients_is_told_which_doors_give_them(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"target plain gives neither gradients nor features; take one that runs in"):
        perturbed(tmp_path / "lab", target=Plain())
    assert not (tmp_path / "lab").exists()


def test_a_target_whose_gradients_are_zero_leaves_no_folder(tmp_path: Path) -> None:
    class Rounding(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = tiny_target().network

        def forward(self, images: torch.Tensor) -> Any:
            return self.inner((4 * images).round())

    target = evofool.Target(Rounding(), classes=list("abcd"), image_shape=(3, 8, 8), name="steps", device="cpu")
    with pytest.raises(TargetError, match="target steps gives gradients that are zero for all of 4 images"):
        perturbed(tmp_path / "lab", target=target)
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilon": "0"}, "`epsilon` must be rising numbers above 0 and at most 1"),
        ({"epsilon": "2/255,1/255"}, "`epsilon` must be rising numbers"),
        ({"epsilon": "1/0"}, "`epsilon` must be one or more numbers"),
        ({"epsilon_l2": "-1"}, "`epsilon_l2` must be rising numbers"),
        ({"methods": "pdg"}, r"`methods`: there is no \"pdg\" \(did you mean \"pgd\"\?\)"),
        ({"methods": "pgd,pgd"}, "`methods` must be different ones"),
        ({"criterion": "nope"}, '`criterion`: no class is called "nope"'),
        ({"classes": "class 1", "criterion": "class 1"}, "`classes` are only the class to reach"),
        ({"max_queries": 5}, "`max_queries` is for classifiers that are asked for scores"),
        ({"steps": 0}, "`steps` must be a whole number of at least 1"),
    ],
)
def test_options_that_cannot_be_are_named(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        perturbed(tmp_path / "lab", **options)
    assert not (tmp_path / "lab").exists()


def test_its_page_needs_no_other_file_and_shows_what_was_found(whole: ExperimentResult) -> None:
    page = whole.report.read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    for words in ("How small a change", "fgsm 4/255", "lbfgs smallest", "rounded away", "Smallest distortions", "<svg"):
        assert words in page
    assert {file.name for file in (whole.path / "plots").iterdir()} >= {"accuracy-linf.svg", "accuracy-l2.svg"}


def test_the_command_line_lists_runs_inspects_and_resumes(capsys: Capture, tmp_path: Path) -> None:
    assert "perturb" in succeed(capsys, "lab").out
    assert list(json.loads(succeed(capsys, "lab", "--json").out)) == list(EXPERIMENTS)
    out = tmp_path / "lab"
    words = ["--target", "digits", "--count", 5, "--methods", "fgsm", "--epsilon", "8/255,0.1", "--device", "cpu"]
    told = json.loads(succeed(capsys, "lab", "perturb", *words, "--out", out, "--json").out)
    assert list(told["accuracy"]["fgsm"]) == ["8/255", "0.1"]
    assert json.loads(succeed(capsys, "inspect", out, "--json").out)["finished"] is True
    again = json.loads(succeed(capsys, "resume", out, "--json").out)
    assert {**again, "seconds": 0} == {**told, "seconds": 0}
    assert "accuracy" in succeed(capsys, "resume", out).out
    assert_refused(run_cli(capsys, "resume", out, "--generations", 3), "leave the limits out")
    assert_refused(run_cli(capsys, "gallery", out), "expected a run")
