"""The experiment ``features``: what it finds, what it writes, and that it goes on as if it had never stopped."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from runs import Capture, Killed, assert_refused, kill, run_cli, succeed, tree
from safetensors.torch import load_file
from support import global_random_untouched

import evofool
from evofool.config.features import MADE, FeaturesOptions
from evofool.errors import ConfigError, RunError
from evofool.io.lines import SEAL, sealed_line
from evofool.jobs import life
from evofool.lab.features import Features
from evofool.lab.features_plan import networks, pieces, resolved
from evofool.lab.job import ExperimentStep
from evofool.lab.result import ExperimentResult
from evofool.store.experiment import ExperimentFolder
from evofool.targets.networks import DigitsNet
from evofool.targets.training import trainer

SMALL: dict[str, Any] = {
    "target": "digits", "device": "cpu", "size": 120, "count": 30, "batch": 60, "epochs": 2, "steps": 2,
    "match_steps": 3, "train_steps": 1, "learners": ("perceptron",), "runs": 1, "evaluations": 60,
}  # fmt: skip
"""A small experiment on the embedded digits, in which nothing is learnt."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    """An experiment that nobody disturbed."""
    return evofool.features(out=tmp_path_factory.mktemp("whole") / "lab", **SMALL)


def results(path: Path) -> list[dict[str, Any]]:
    lines = (path / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return [result for line in lines for result in json.loads(line)["results"]]


def network(path: Path, name: str) -> DigitsNet:
    """Return one of the digits' networks, read by safetensors alone."""
    module = DigitsNet()
    module.load_state_dict(load_file(path / "networks" / f"{name}.safetensors"))
    return module.eval()


def test_figures_are_told_by_data_set(whole: ExperimentResult) -> None:
    summary = json.loads(json.dumps(whole.summary()))
    assert list(summary["sets"]) == ["D", *MADE]
    for figures in [*summary["sets"].values(), summary["robust_network"]]:
        assert {"clean", "robust", "clean_interval95", "robust_interval95", "robust_at"} <= set(figures)
        assert list(figures["robust_at"]) == ["0.15", "0.3", "0.6"]
        assert figures["robust"] == figures["robust_at"]["0.3"]
    assert set(summary["learners"]) == {"digits", "perceptron"}
    assert set(summary["evolved"]) == {"standard", "robust"}
    assert set(summary["evolved"]["robust"]["direct"]["same"]) == {"standard", "robust", *MADE}
    assert summary["chance"] == 0.1


def test_accuracies_are_those_of_the_saved_weights(whole: ExperimentResult) -> None:
    """Clean accuracy counted anew; robust accuracy is no more than that, and falls with the size."""
    subjects = list(ExperimentFolder.open(whole.path).subjects)
    images = torch.from_numpy(np.stack([subject.image for subject in subjects])).float() / 255
    labels = torch.tensor([subject.label for subject in subjects])
    for name in ("standard", "robust", *MADE):
        with torch.no_grad():
            right = (network(whole.path, name)(images).argmax(1) == labels).double().mean()
        summary = whole.summary()
        figures = {**summary["sets"], "standard": summary["sets"]["D"], "robust": summary["robust_network"]}[name]
        assert figures["clean"] == pytest.approx(float(right))
        assert figures["clean"] >= figures["robust_at"]["0.15"] >= figures["robust_at"]["0.6"]


def test_sets_are_perturbed_or_matched_images_of_the_first_one_with_their_labels(whole: ExperimentResult) -> None:
    folder, planned = ExperimentFolder.open(whole.path), pieces(whole.config)
    batches = {
        name: [part for part, piece in enumerate(planned) if (piece.kind, piece.name) == ("set", name)]
        for name in ("D", *MADE)
    }
    images = {
        name: np.concatenate([folder.pictures(part) for part in parts]).astype(float) for name, parts in batches.items()
    }
    labels = {
        name: [label for result in results(whole.path) if result.get("set") == name for label in result["labels"]]
        for name in batches
    }
    assert {len(each) for each in [*images.values(), *labels.values()]} == {120}
    assert labels["D_R"] == labels["D_NR"] == labels["D"]
    assert labels["D_det"] == [(label + 1) % 10 for label in labels["D"]]
    slack = 0.5 / 255 * 8
    for name in ("D_rand", "D_det"):
        moved = np.sqrt((((images[name] - images["D"]) / 255) ** 2).sum((1, 2, 3)))
        assert (moved <= 1 + slack).all()
        assert moved.max() > 0.3


def test_the_network_takes_perturbed_images_for_what_is_recorded(whole: ExperimentResult) -> None:
    folder, planned = ExperimentFolder.open(whole.path), pieces(whole.config)
    maker = {"D_R": "robust"}
    for part, piece in enumerate(planned):
        if piece.kind == "set" and piece.name != "D":
            (result,) = json.loads((whole.path / "results.jsonl").read_text().splitlines()[part])["results"]
            pixels = torch.from_numpy(folder.pictures(part)).float() / 255
            with torch.no_grad():
                guesses = network(whole.path, maker.get(piece.name, "standard"))(pixels).argmax(1)
            assert result["taken"] == guesses.tolist()


def test_transfer_is_counted_over_what_each_network_gets_right(whole: ExperimentResult) -> None:
    found = {result["network"]: result for result in results(whole.path) if result["kind"] == "transfer"}
    clean = {result["network"]: result["clean"] for result in results(whole.path) if result["kind"] == "accuracy"}
    assert set(found) == {"standard", "digits on D", "perceptron on D"}
    assert all(result["right"] == clean[name] for name, result in found.items())


def test_killed_anywhere_it_goes_on_to_the_same_bytes(whole: ExperimentResult, tmp_path: Path) -> None:
    """Also between an epoch's state and its line: the state is ahead then, and the epoch is not done twice."""
    out = tmp_path / "lab"
    ends = iter((1, 2, 6, 11, 17, 30, 38))
    stop = [next(ends)]

    def observe(step: ExperimentStep) -> None:
        if step.done == stop[0]:
            stop[0] = next(ends, -1)
            kill()

    with global_random_untouched():
        sessions = 0
        while not (out / "config.json").exists() or not life.inspect(out)["finished"]:
            sessions += 1
            try:
                if sessions == 1:
                    evofool.features(out=out, observer=observe, **SMALL)
                else:
                    if sessions == 3:  # The second line was never written, but the epoch's state was.
                        file = out / "results.jsonl"
                        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:1]))
                    evofool.resume(out, observer=observe)
            except Killed:
                pass
    assert sessions == 8
    assert tree(out) == tree(whole.path)


class Stop(BaseException):
    """Stands for a kill in the middle of an epoch."""


def test_killed_within_an_epoch_it_goes_on_to_the_same_bytes(
    whole: ExperimentResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, steps = tmp_path / "lab", [0]
    moved = trainer.Training._average

    def average(self: trainer.Training) -> None:
        steps[0] += 1
        moved(self)
        if steps[0] in (2, 3):
            raise Stop

    monkeypatch.setattr(trainer, "SAVE_SECONDS", -1.0)
    monkeypatch.setattr(trainer.Training, "_average", average)
    with pytest.raises(Stop):
        evofool.features(out=out, **SMALL)
    with pytest.raises(Stop):
        evofool.resume(out)
    assert not evofool.resume(out).interrupted
    assert tree(out) == tree(whole.path)


def test_another_weights_file_is_refused(whole: ExperimentResult, tmp_path: Path) -> None:
    out = tmp_path / "lab"

    def observe(step: ExperimentStep) -> None:
        if step.done == 4:
            kill()

    with pytest.raises(Killed):
        evofool.features(out=out, observer=observe, **SMALL)
    weights = out / "networks" / "standard.safetensors"
    weights.write_bytes((whole.path / "networks" / "robust.safetensors").read_bytes())
    with pytest.raises(RunError, match=r"standard.safetensors is not what was trained; put that back"):
        evofool.resume(out)
    weights.unlink()
    with pytest.raises(RunError, match=r"standard.safetensors is missing"):
        evofool.resume(out)


def test_its_page_shows_what_a_person_sees_what_it_is_labelled_and_what_is_learnt(whole: ExperimentResult) -> None:
    page = whole.report.read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    for words in (
        "looks like class", "labelled class", "began as class", "takes the unchanged image",
        "published, clean / robust", "Transfer against learning", "Who sees the class", "48.2",
        "evofool lab features --target digits",
    ):  # fmt: skip
        assert words in page
    assert {file.name for file in (whole.path / "plots").iterdir()} == {
        "accuracy.svg", "robust.svg", "transfer.svg", "learning.svg",
    }  # fmt: skip


def test_a_page_can_be_written_while_it_works(tmp_path: Path) -> None:
    """Stopped after the first part, in the middle of the sets, and before anything is measured."""
    out = tmp_path / "lab"
    for done in (1, 9, 13):

        def observe(step: ExperimentStep, done: int = done) -> None:
            if step.done == done:
                kill()

        begin = partial(evofool.features, **SMALL | {"runs": 0, "learners": (), "out": out})
        go_on = begin if done == 1 else partial(evofool.resume, out)
        with pytest.raises(Killed):
            go_on(observer=observe)
        assert Features.findings(ExperimentFolder.open(out)).page.title


def test_sets_begin_as_noise_and_are_exported_on_request(tmp_path: Path) -> None:
    options = {"start": "noise", "export": "npz,folder", "runs": 0, "learners": (), "size": 40, "epochs": 1}
    result = evofool.features(out=tmp_path / "lab", **SMALL | options)
    sets = result.path / "sets"
    assert sorted(path.name for path in sets.iterdir()) == sorted(
        name for each in ("D", *MADE) for name in (each, f"{each}.npz")
    )
    archive = np.load(sets / "D_rand.npz")
    assert archive["images"].shape == (40, 8, 8, 1)
    assert sum(1 for _ in (sets / "D_rand").rglob("*.png")) == 40
    again = evofool.attack("digits", sets / "D.npz", count=5, queries=5, out=tmp_path / "attack")
    assert again.path
    assert "begun as noise" in result.report.read_text(encoding="utf-8")


def test_results_that_tell_of_something_else_are_refused(whole: ExperimentResult, tmp_path: Path) -> None:
    from evofool.lab.features_reading import _fits

    folder, planned = ExperimentFolder.open(whole.path), pieces(whole.config)
    lines = [json.loads(line) for line in (whole.path / "results.jsonl").read_text().splitlines()]
    assert all(_fits(line["results"], planned[part], folder) for part, line in enumerate(lines))
    for part, line in enumerate(
        lines[1:], 1
    ):  # Whether a batch is the next one its labels tell, which `read` looks at.
        assert planned[part].kind == planned[part - 1].kind == "set" or not _fits(
            line["results"], planned[part - 1], folder
        )
    changes: dict[str, dict[str, Any]] = {
        "set": {"labels": [10] * 120}, "accuracy": {"clean": 31}, "transfer": {"fooled": 31},
        "shown": {"confidence": []}, "evolved": {"wanted": [10]},
    }  # fmt: skip
    for part, line in enumerate(lines):
        if change := changes.get(planned[part].kind):
            assert not _fits([result | change for result in line["results"]], planned[part], folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "cifar"}, r"`target` must be digits, mnist, cifar10 \(did you mean \"cifar10\"\?\), got cifar"),
        ({"network": "vgg"}, r'`network`: there is no "vgg"; choose digits, lenet, resnet8'),
        ({"network": "lenet"}, "`network`: lenet takes other images than digits has"),
        ({"learners": "linear,linear"}, "`learners` must be different ones"),
        ({"start": "grey"}, "`start` must be one of images, noise, got grey"),
        ({"export": "zip"}, "`export` must be of npz, folder, got zip"),
        ({"unaugmented": "D_rnd"}, r"`unaugmented` must be of D, D_R, .* \(did you mean \"D_rand\".*\), got D_rnd"),
        ({"train_precision": "float16"}, '`train_precision` must be float32 or bfloat16.*, got "float16"'),
        ({"epsilon": 0}, "`epsilon` must be a number above 0"),
        ({"weights": "mine.safetensors"}, "`weights`: features trains all its networks itself"),
        ({"data_dir": "nowhere", "target": "mnist"}, "no MNIST under nowhere"),
    ],
)
def test_options_that_cannot_be_are_named(
    options: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # torchvision makes the folder that it doesn't find
    with pytest.raises(ConfigError, match=message):
        evofool.features(out=tmp_path / "lab", **options)
    assert not (tmp_path / "lab").exists()


def test_settings_that_nobody_gave_are_those_of_the_data_or_the_published_recipe() -> None:
    small, full = (resolved(FeaturesOptions(target="cifar10", full=full)) for full in (False, True))
    assert (small.network, small.epsilon, small.epsilon_made, small.match_steps) == ("convnet-bn", 0.25, 0.5, 50)
    assert (full.network, full.match_steps, full.match_size, full.epochs) == ("resnet20", 1000, 0.1, 100)
    assert (full.steps, full.step_size, full.epsilon_made) == (100, 0.1, 0.5)
    assert (full.learning_rate, full.slow_rate, full.decay) == (0.1, 0.01, 5e-4)
    assert resolved(FeaturesOptions(target="mnist", epsilon=1.5)).epsilon_trained == 3
    assert list(networks(small)) == [
        "standard", "robust", *MADE, "convnet-bn on D", "perceptron on D", "linear on D", "perceptron on D_rand",
        "linear on D_rand",
    ]  # fmt: skip


def test_the_command_line_runs_inspects_and_resumes(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "lab"
    words = ["--size", 40, "--count", 20, "--epochs", 1, "--match-steps", 1, "--steps", 1]
    words += ["--learners", "", "--runs", 0, "--device", "cpu", "--eps", 0.25]
    told = json.loads(succeed(capsys, "lab", "features", *words, "--out", out, "--json").out)
    assert told["epsilon"] == 0.25
    assert set(told["sets"]) == {"D", *MADE}
    assert json.loads(succeed(capsys, "inspect", out, "--json").out)["finished"] is True
    again = json.loads(succeed(capsys, "resume", out, "--json").out)
    assert {**again, "seconds": 0} == {**told, "seconds": 0}
    assert "D_rand" in succeed(capsys, "resume", out).out
    assert_refused(
        run_cli(capsys, "lab", "features", "--target", "imagenet"), "--target must be digits, mnist, cifar10"
    )


def test_sets_with_other_labels_than_the_seed_gives_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "lab"
    evofool.features(out=out, **SMALL | {"runs": 0, "learners": ()})
    folder = ExperimentFolder.open(out)
    seal, file = folder.config.digest(), out / "results.jsonl"
    lines = [line | {} for line in (json.loads(text) for text in file.read_text().splitlines())]
    part = next(part for part, piece in enumerate(pieces(folder.config)) if piece.name == "D_rand")
    lines[part]["results"][0]["labels"][0] += 1
    lines[part]["results"][0]["labels"][0] %= 10
    for line in lines:
        line.pop(SEAL)
    file.write_text("".join(sealed_line(line, seal) for line in lines))
    with pytest.raises(RunError, match=f"line {part + 1} of .* tells of other images than it must"):
        Features.findings(ExperimentFolder.open(out))


def test_a_damaged_batch_and_all_that_learnt_from_it_are_made_again(whole: ExperimentResult, tmp_path: Path) -> None:
    """Trainings whose states are long gone begin anew, and end with the same weights."""
    out = tmp_path / "lab"
    shutil.copytree(whole.path, out)
    part = next(part for part, piece in enumerate(pieces(whole.config)) if piece.name == "D_det")
    picture = out / "pictures" / f"{part:05d}.npy"
    picture.write_bytes(picture.read_bytes()[:-1] + b"\x55")
    (out / "networks" / "D_det.safetensors").unlink()
    assert evofool.repair(out) == [f"{len(pieces(whole.config)) - part} lines of {out / 'results.jsonl'}: taken out"]
    assert not evofool.resume(out).interrupted
    assert tree(out) == tree(whole.path)
