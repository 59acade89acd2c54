"""The experiment ``transfer``: whose images it counts, what it writes, and that it goes on as if never stopped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from campaigns import archive
from runs import Capture, Killed, assert_refused, assert_same_experiment, interrupt, kill, run_cli, succeed
from support import global_random_untouched, tiny_network, tiny_target

import evofool
from evofool.config.fooling import ENCODINGS
from evofool.datasets.class_lists import CIFAR10
from evofool.errors import ConfigError, RunError, TargetError
from evofool.jobs import life
from evofool.lab.job import ExperimentStep
from evofool.lab.result import ExperimentResult
from evofool.store.experiment import ExperimentFolder
from evofool.store.records import TransferResult

CLASSES = [f"class {index}" for index in range(4)]
ORDER = [2, 0, 3, 1]
"""Where the second network has the classes of the first."""

SMALL: dict[str, Any] = {
    "count": 10, "batch": 6, "runs": 2, "evaluations": 200, "queries": 60,
    "kinds": ("direct", "pixel", "fgsm", "pgd-l2"), "epsilon": (0.1,),
}  # fmt: skip
"""A small experiment: four kinds, two networks, two runs or batches each."""

PARTS = 16


def pair() -> list[Any]:
    """Return the tests' tiny network, and one of another seed with its classes in another order."""
    names = [""] * 4
    for index, place in enumerate(ORDER):
        names[place] = CLASSES[index]
    options: dict[str, Any] = {"image_shape": (3, 8, 8), "mean": 0.5, "std": 0.25, "device": "cpu"}
    other = evofool.Target(tiny_network(seed=1), classes=names, name="other", precision="float32", **options)
    return [tiny_target(), other]


def compared(out: Path, **options: Any) -> ExperimentResult:
    """Compare two tiny networks on random images."""
    data = out.parent / "images.npz"
    if not data.exists():
        archive(data)
    return evofool.transfer(out=out, **({"target": pair(), "data": data} | SMALL | options))


def resumed(path: Path, **options: Any) -> ExperimentResult:
    result: ExperimentResult = evofool.resume(path, target=pair(), **options)
    return result


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    """An experiment that nobody disturbed."""
    return compared(tmp_path_factory.mktemp("whole") / "lab")


def all_results(path: Path) -> list[tuple[dict[str, Any], Any]]:
    """Return all results with their pictures."""
    folder = ExperimentFolder.open(path)
    return [
        (result, picture)
        for part, results in folder.results(TransferResult)
        for result, picture in zip(results, folder.pictures(part), strict=True)
    ]


def test_a_matrix_is_told_for_every_kind(whole: ExperimentResult) -> None:
    told = json.loads(json.dumps(whole.summary()))
    assert {"experiment", "target", "seconds", "seed", "run", "networks", "matrix"} <= set(told)
    assert (told["experiment"], told["networks"]) == ("transfer", ["tiny", "other"])
    assert list(told["matrix"]) == ["direct", "pixel", "fgsm 0.1", "pgd-l2 0.5"]
    for kind, rows in told["matrix"].items():
        assert [len(row) for row in rows] == [2, 2]
        for index, row in enumerate(rows):
            assert row[index]["images"] > 0, kind
            assert row[index]["same"] == 1, kind


def test_every_network_is_asked_and_classes_are_matched_by_name(whole: ExperimentResult) -> None:
    """What is on record is what two networks say of the saved pictures, in the first one's order of classes."""
    networks = pair()
    for result, picture in all_results(whole.path):
        scores = [network.confirm(torch.from_numpy(picture[None]))[0] for network in networks]
        scores[1] = scores[1][ORDER]
        assert result["first"] == [int(each.argmax()) for each in scores]
        assert result["confidence"] == pytest.approx([float(each.max()) for each in scores], abs=1e-4)
        assert result["same"] == pytest.approx([float(each[result["wanted"]]) for each in scores], abs=1e-4)


def test_images_are_made_from_those_that_their_maker_gets_right(whole: ExperimentResult) -> None:
    folder, networks = ExperimentFolder.open(whole.path), pair()
    made = dict.fromkeys(("pixel", "fgsm 0.1", "pgd-l2 0.5"), 0)
    for result, picture in all_results(whole.path):
        if result["kind"] in ENCODINGS:
            assert "image" not in result
            continue
        subject = folder.subjects[result["image"]]
        scores = networks[result["maker"]].confirm(torch.from_numpy(subject.image[None]))[0]
        guess = int(scores.argmax()) if result["maker"] == 0 else ORDER.index(int(scores.argmax()))
        assert guess == subject.label == result["label"] == result["before"][result["maker"]]
        changed = (picture != subject.image).any(0).sum()
        assert changed <= {"pixel": 1}.get(result["kind"], 64)
        if result["kind"] == "fgsm 0.1":
            assert np.abs(picture.astype(int) - subject.image).max() <= 25
        if result["kind"] in made:
            made[result["kind"]] += 1
    assert min(made.values()) >= 5


def test_elites_of_every_run_are_taken_and_are_those_of_evolve(whole: ExperimentResult) -> None:
    found = [(result, picture) for result, picture in all_results(whole.path) if result["kind"] == "direct"]
    evolved = [result for result, _ in found]
    assert [(result["maker"], result["wanted"]) for result in evolved[:8]] == [(0, index) for index in range(4)] * 2
    assert sorted(result["wanted"] for result in evolved[8:12]) == [0, 1, 2, 3]
    run = evofool.evolve(pair()[0], "direct", evaluations=200, seed=1)
    np.testing.assert_array_equal(run.images, [picture for _, picture in found[4:8]])


def test_the_same_seed_gives_the_same_bytes_and_leaves_global_generators_alone(
    whole: ExperimentResult, tmp_path: Path
) -> None:
    with global_random_untouched():
        again = compared(tmp_path / "lab")
    assert_same_experiment(again.path, whole.path)


@pytest.mark.parametrize("end", [kill, interrupt], ids=["killed", "stopped"])
def test_ended_after_any_part_it_goes_on_to_the_same_bytes(
    end: Callable[[], None], whole: ExperimentResult, tmp_path: Path
) -> None:
    out = tmp_path / "lab"

    def observe(step: ExperimentStep) -> None:
        if step.done in (1, 6, 9, 13):
            end()

    sessions = 0
    while not (out / "config.json").exists() or life.inspect(out)["done"] < PARTS:
        sessions += 1
        try:
            if sessions == 1:
                compared(out, observer=observe)
            else:
                resumed(out, observer=observe)
        except Killed:
            pass
    assert sessions == 5
    assert_same_experiment(resumed(out).path, whole.path)


def test_damaged_parts_are_made_again(whole: ExperimentResult, tmp_path: Path) -> None:
    out = tmp_path / "lab"
    shutil.copytree(whole.path, out)
    lines = (out / "results.jsonl").read_bytes().splitlines(keepends=True)
    (out / "results.jsonl").write_bytes(b"".join([*lines[:-2], lines[-2].replace(b'"maker"', b'"taker"'), lines[-1]]))
    with pytest.raises(RunError, match=f"line {PARTS - 1} of .* is damaged"):
        resumed(out)
    evofool.repair(out)
    resumed(out)
    assert_same_experiment(out, whole.path)


def test_a_run_s_elites_are_shown_to_all(tmp_path: Path) -> None:
    networks = pair()
    run = evofool.evolve(networks[1], "direct", evaluations=300, batch=50, out=tmp_path / "run")
    result = evofool.transfer(networks, images=run.run, out=tmp_path / "lab")
    found = [result for result, _ in all_results(result.path)]
    assert [each["maker"] for each in found] == [1] * 4
    assert [each["wanted"] for each in found] == [ORDER.index(index) for index in range(4)]
    np.testing.assert_allclose([each["same"][1] for each in found], run.confidence, atol=1e-4)
    assert list(result.summary()["matrix"]) == ["direct"]
    assert "data" not in result.summary()


def test_a_bank_s_genomes_are_drawn_and_shown_to_all(tmp_path: Path) -> None:
    other = tiny_target(classes=10, size=32, name="other")
    other = evofool.Target(other.network, classes=list(CIFAR10), image_shape=(3, 32, 32), name="other", device="cpu")
    result = evofool.transfer(["cifar10", other], images="cifar10-cppn", out=tmp_path / "lab", device="cpu")
    cell = result.summary()["matrix"]["cppn"][0]
    assert (cell[0]["images"], cell[0]["same"], cell[0]["at_99"]) == (10, 1.0, 1.0)
    assert cell[1]["at_99"] < 1
    assert result.summary()["matrix"]["cppn"][1][0]["images"] == 0
    with pytest.raises(ConfigError, match=r"was evolved for mnist, with other weights than cifar10 \+ other have"):
        evofool.transfer(["cifar10", other], images="mnist-cppn", out=tmp_path / "none", device="cpu")


def test_a_source_that_changed_is_refused(tmp_path: Path) -> None:
    networks, run = pair(), tmp_path / "run"
    evofool.evolve(networks[0], "direct", evaluations=100, batch=50, out=run)
    out = tmp_path / "lab"

    def observe(step: ExperimentStep) -> None:
        if step.done == 1:
            kill()

    with pytest.raises(Killed):
        evofool.transfer(networks, images=[run, run], out=out, observer=observe)
    evofool.resume(run, target=pair()[0], evaluations=300)
    with pytest.raises(RunError, match=r"has other images than .* began with"):
        resumed(out)


def test_a_target_of_a_python_file_runs_as_it_says(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from support import tiny_target\n\n\ndef made():\n    return tiny_target(micro_batch=16)\n"
    )
    result = compared(tmp_path / "lab", target=[f"{tmp_path}/mine.py:made", pair()[1]], kinds="fgsm")
    assert [target.micro_batch for target in result.config.targets] == [16, 6]


class Plain:
    """A network of the same classes that gives no gradients: it sees how bright the colours are."""

    name, classes, image_shape = "plain", CLASSES, (3, 8, 8)

    def scores(self, images: Any) -> Any:
        means = images.float().mean((2, 3)) / 25
        return torch.cat([means, torch.ones(len(images), 1)], 1).softmax(1)

    confirm = scores


def test_networks_without_gradients_can_be_compared_by_evolved_and_edited_images(tmp_path: Path) -> None:
    networks = [tiny_target(), Plain()]
    with pytest.raises(TargetError, match="target plain gives neither gradients nor features"):
        compared(tmp_path / "lab", target=networks)
    result = compared(tmp_path / "lab", target=networks, kinds="direct,pixel")
    assert result.summary()["matrix"]["direct"][1][1]["images"] > 0


def test_perturbations_are_for_networks_that_see_one_class(tmp_path: Path) -> None:
    networks = [tiny_target(), tiny_target(outputs="multilabel-logits", name="several")]
    with pytest.raises(TargetError, match=r"several can see several classes .* leave fgsm 0\.1 out of `kinds`"):
        compared(tmp_path / "lab", target=networks, kinds="direct,fgsm")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": ["digits"]}, "`target` must be two or more networks, got digits alone"),
        ({"target": ["digits", "digits"]}, "target digits is there twice"),
        ({"target": ["digits", "mnist"]}, "digits takes images of 8 x 8 pixels with 1 channel and mnist of 28 x 28"),
        ({"kinds": "cpn"}, r"`kinds`: there is no \"cpn\" \(did you mean \"cppn\"\?\)"),
        ({"kinds": "cppn,cppn"}, "`kinds` must be different ones of"),
        ({"kinds": ()}, "`kinds` must be different ones of"),
        ({"epsilon": "2"}, "`epsilon` must be rising numbers above 0 and at most 1"),
        ({"pixels": 65}, "`pixels` must be"),
        ({"classes": "nope"}, '`classes`: no class is called "nope"|no class is called "nope"'),
        ({"images": "nowhere"}, "nothing at nowhere; give a run"),
        ({"max_queries": 5}, "`max_queries` is for classifiers that are asked for scores"),
        ({"runs": 0}, "`runs` must be a whole number of at least 1"),
    ],
)
def test_options_that_cannot_be_are_named(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises((ConfigError, TargetError, RunError), match=message):
        compared(tmp_path / "lab", **options)
    assert not (tmp_path / "lab").exists()


def test_its_page_needs_no_other_file_and_shows_what_was_found(whole: ExperimentResult) -> None:
    page = whole.report.read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    for words in ("Do images that fool one network", "pgd-l2 0.5", "tried on", "few images fool", "<svg"):
        assert words in page
    assert "evofool.transfer([target, target], " in page
    assert {"same-direct.svg", "same-fgsm-0-1.svg"} <= {file.name for file in (whole.path / "plots").iterdir()}


def test_the_command_line_runs_inspects_and_resumes(capsys: Capture, tmp_path: Path) -> None:
    weights = evofool.load_target("digits", device="cpu")
    file = tmp_path / "mine.pth"
    torch.save(weights.network.state_dict(), file)  # type: ignore[attr-defined]
    out = tmp_path / "lab"
    words = ["--target", "digits", "--target", f"digits={file}", "--kinds", "direct,fgsm", "--runs", 1, "--count", 10]
    words += ["--evaluations", 100, "--device", "cpu"]
    told = json.loads(succeed(capsys, "lab", "transfer", *words, "--out", out, "--json").out)
    assert told["networks"] == ["digits", "mine.pth"]
    assert list(told["matrix"]) == ["direct", "fgsm 0.25"]
    assert told["matrix"]["direct"][0][1]["same"] == 1  # the same network twice
    assert json.loads(succeed(capsys, "inspect", out, "--json").out)["finished"] is True
    assert "same class elsewhere" in succeed(capsys, "resume", out).out
    page = (out / "report.html").read_text(encoding="utf-8")
    assert f"evofool lab transfer --target digits --target digits={file} " in page
    refused = run_cli(capsys, "lab", "transfer", "--target", "digits", "--out", tmp_path / "none")
    assert_refused(refused, "--target must be two or more networks, got digits alone")
