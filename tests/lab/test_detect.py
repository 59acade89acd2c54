"""The experiment ``detect``: which images it learns from and tests on, what it writes, and that it goes on the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plain import PlainTarget
from runs import Capture, Killed, assert_refused, assert_same_experiment, interrupt, kill, run_cli, succeed
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve
from sklearn.preprocessing import StandardScaler
from support import tiny_target

import evofool
from evofool.errors import ConfigError, RunError, TargetError
from evofool.jobs import life
from evofool.lab.detect_results import Told, read_results
from evofool.lab.job import ExperimentStep
from evofool.lab.result import ExperimentResult
from evofool.store.experiment import ExperimentFolder
from evofool.targets.protocols import differentiable

SMALL: dict[str, Any] = {
    "count": 100, "batch": 50, "runs": 2, "evaluations": 400, "queries": 60, "kinds": ("direct", "pixel", "fgsm"),
    "device": "cpu",
}  # fmt: skip
"""A small experiment on digits: two batches of real images, two runs, two batches of each other kind."""

PARTS = 9


def detected(out: Path, **options: Any) -> ExperimentResult:
    return evofool.detect(**({"target": "digits"} | SMALL | options), out=out)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    """An experiment that nobody disturbed."""
    return detected(tmp_path_factory.mktemp("whole") / "lab")


@pytest.fixture(scope="module")
def images(whole: ExperimentResult) -> list[Told]:
    """All images with their scores."""
    return read_results(ExperimentFolder.open(whole.path))


def pixels(path: Path, told: Told) -> np.ndarray:
    """An image (C, H, W)."""
    folder = ExperimentFolder.open(path)
    real = told.result["kind"] == "real"
    return folder.subjects[told.result["image"]].image if real else folder.pictures(told.part)[told.row]


def unseen(images: list[Told], kind: str) -> list[Told]:
    return [
        each
        for each in images
        if each.result["kind"] == kind and not each.result["known"] and (each.result["fools"] or kind == "real")
    ]


def test_figures_are_scikit_learn_s_of_what_the_network_says_of_the_saved_images(
    whole: ExperimentResult, images: list[Told]
) -> None:
    told = json.loads(json.dumps(whole.summary()))
    assert {"experiment", "target", "seconds", "seed", "run", "auroc", "aupr", "fpr95", "intervals95"} <= set(told)
    network = evofool.load_target("digits", device="cpu")
    for kind in ("direct", "pixel", "fgsm 0.25"):
        shown = [*unseen(images, "real"), *unseen(images, kind)]
        truth = np.array([each.result["kind"] == kind for each in shown])
        batch = torch.from_numpy(np.stack([pixels(whole.path, each) for each in shown]))
        sure = network.confirm(batch).amax(1).double().numpy()
        with torch.no_grad():
            logits = differentiable(network).logits(batch / 255).double()
        expected = {"msp": sure, "maxlogit": logits.amax(1).numpy(), "energy": logits.logsumexp(1).numpy()}
        for score, values in expected.items():
            assert [each.scores[score] for each in shown] == pytest.approx(values, abs=1e-4), score
        values = np.array([each.scores["msp"] for each in shown])
        assert told["auroc"]["msp"][kind] == pytest.approx(roc_auc_score(truth, -values))
        assert told["aupr"]["msp"][kind] == pytest.approx(average_precision_score(truth, -values))
        false, true, _ = roc_curve(truth, -values, drop_intermediate=False)
        assert told["fpr95"]["msp"][kind] == pytest.approx(false[np.argmax(true >= 0.95)])
        low, high = told["intervals95"]["auroc"]["msp"][kind]
        assert low <= told["auroc"]["msp"][kind] <= high
        assert told["images"][kind]["tested"] == truth.sum()


def test_images_that_do_not_fool_count_for_nothing(whole: ExperimentResult, images: list[Told]) -> None:
    folder = ExperimentFolder.open(whole.path)
    for each in (told.result for told in images):
        if each["kind"] == "direct":
            assert each["fools"] == (each["first"] == each["wanted"])
            continue
        subject = folder.subjects[each["image"]]
        assert each["fools"] == (each["kind"] != "real" and each["first"] != subject.label)
        assert each["kind"] == "real" or subject.prediction == subject.label
    fooled = whole.summary()["images"]["pixel"]
    assert fooled["images"] > fooled["fool"] > fooled["tested"] > 5


def test_nothing_is_tested_on_what_was_learnt_from(whole: ExperimentResult, images: list[Told]) -> None:
    """Images that come from one another, or from one run, are in the same half."""
    known = {(each.result["kind"], each.result["known"]): each for each in images}
    assert len(known) == 8
    for each in images:
        if "image" in each.result:
            assert each.result["known"] == (each.result["image"] < 50)
    runs = {each.part: each.result["known"] for each in images if each.result["kind"] == "direct"}
    assert sorted(runs.values()) == [False, True]


@pytest.mark.parametrize("kind", ["direct", "all"])
def test_a_detector_learns_from_the_features_of_one_half(
    kind: str, whole: ExperimentResult, images: list[Told]
) -> None:
    network = differentiable(evofool.load_target("digits", device="cpu"))
    features = network.features(torch.from_numpy(np.stack([pixels(whole.path, each) for each in images]))).numpy()
    result = [each.result for each in images]
    real = np.array([each["kind"] == "real" for each in result])
    learnt = np.array([each["known"] and (each["fools"] or each["kind"] == "real") for each in result])
    learnt &= real | np.array([kind in (each["kind"], "all") for each in result])
    scaler = StandardScaler().fit(features[learnt].astype(float))
    model = LogisticRegression(class_weight="balanced", max_iter=1000)
    model.fit(scaler.transform(features[learnt].astype(float)), real[learnt])
    expected = model.decision_function(scaler.transform(features.astype(float)))
    assert [each.scores[f"features trained on {kind}"] for each in images] == pytest.approx(expected, abs=1e-2)


def test_detectors_are_told_what_they_make_of_kinds_that_they_do_not_know(whole: ExperimentResult) -> None:
    kinds = ["direct", "pixel", "fgsm 0.25", "all"]
    auroc = whole.summary()["auroc"]
    scores = ["msp", "maxlogit", "energy", "entropy", "odin", "mahalanobis", "knn"]
    trained = [f"{inputs} trained on {kind}" for inputs in ("pixels", "features") for kind in kinds]
    assert list(auroc) == [*scores, *trained]
    assert all(list(by_kind) == kinds for by_kind in auroc.values())
    assert auroc["features trained on direct"]["direct"] > 0.9 > auroc["features trained on direct"]["pixel"]
    assert any(row[0] == "features trained on direct" for row in whole.findings.rows)


@pytest.mark.parametrize("end", [kill, interrupt], ids=["killed", "stopped"])
def test_ended_after_any_part_it_goes_on_to_the_same_bytes(
    end: Callable[[], None], whole: ExperimentResult, tmp_path: Path
) -> None:
    out = tmp_path / "lab"

    def observe(step: ExperimentStep) -> None:
        if step.done in (1, 3, 6, 8):
            end()

    sessions = 0
    while not (out / "config.json").exists() or life.inspect(out)["done"] < PARTS:
        sessions += 1
        try:
            if sessions == 1:
                detected(out, observer=observe)
            else:
                evofool.resume(out, observer=observe)
        except Killed:
            pass
    assert sessions == 5
    assert_same_experiment(evofool.resume(out).path, whole.path)


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        (0, b'"kind": "real"', b'"kind": "pixel"'),
        (2, b'"msp"', b'"mps"'),
        (8, b'"fitted", "part": 3,', b'"fitted", "part": 4,'),
        (8, b'"knn": [', b'"knn": [0.5, '),
        (8, b'"knn"', b'"nnk"'),
    ],
    ids=["kind", "score", "part", "longer", "fitted score"],
)
def test_results_that_cannot_be_are_refused_and_made_again(
    line: int, before: bytes, after: bytes, whole: ExperimentResult, tmp_path: Path
) -> None:
    from evofool.io.lines import sealed_line

    out = tmp_path / "lab"
    shutil.copytree(whole.path, out)
    lines = (out / "results.jsonl").read_bytes().splitlines(keepends=True)
    assert before in lines[line]
    changed = json.loads(lines[line].replace(before, after, 1))
    changed.pop("crc32", None)
    lines[line] = sealed_line(changed, ExperimentFolder.open(out).config.digest()).encode()
    (out / "results.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(RunError, match=f"line {line + 1} of .* tells of other images"):
        evofool.resume(out)


def test_a_black_box_gets_the_scores_that_it_can_have_and_the_rest_says_why(tmp_path: Path) -> None:
    target, data = PlainTarget(), tmp_path / "images.npz"
    shown = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 8), np.uint8)
    np.savez(data, images=shown, labels=target.scores(torch.from_numpy(shown)).argmax(1).numpy())
    options: dict[str, Any] = {"runs": 2, "evaluations": 200, "queries": 60, "batch": 20, "out": tmp_path / "lab"}
    result = evofool.detect(target, data, **options)
    told = result.summary()
    assert result.config.options.kinds == ("cppn", "direct", "pixel")
    assert [name for name in told["auroc"] if " " not in name] == ["msp", "entropy"]
    assert "pixels trained on direct" in told["auroc"]
    assert set(told["missing"]) == {"maxlogit", "energy", "odin", "mahalanobis", "knn", "detectors on features"}
    assert told["missing"]["energy"] == "plain gives probabilities alone"
    assert "odin: plain gives no gradients" in result.report.read_text(encoding="utf-8")
    with pytest.raises(TargetError, match=r"gives neither gradients .* \(leave fgsm, pgd out of `kinds`\)"):
        evofool.detect(target, data, **{**options, "out": tmp_path / "none", "kinds": "direct,fgsm,pgd"})


def test_images_of_runs_and_banks_are_taken_and_halved_by_the_seed(tmp_path: Path) -> None:
    run = evofool.evolve("digits", "direct", evaluations=400, batch=50, device="cpu", out=tmp_path / "run")
    options: dict[str, Any] = {"images": run.run, "kinds": (), "out": tmp_path / "lab"}
    found = read_results(ExperimentFolder.open(detected(**options).path))
    taken = [each for each in found if each.result["kind"] == "direct"]
    assert [each.result["wanted"] for each in taken] == list(range(10))
    assert sum(each.result["known"] for each in taken) == 5
    fooled = [each.result["wanted"] for each in taken if each.result["fools"]]
    assert [taken[index].result["confidence"] for index in fooled] == pytest.approx(run.confidence[fooled], abs=1e-3)
    with pytest.raises(ConfigError, match="was evolved for mnist, with other weights than digits"):
        detected(tmp_path / "none", images="mnist-cppn")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": "cpn"}, r"`kinds`: there is no \"cpn\" \(did you mean \"cppn\"\?\)"),
        ({"kinds": ()}, "`kinds` must be different ones of"),
        ({"count": 3}, "`count` must be at least 4, got 3"),
        ({"classes": "3", "data": "few.npz", "count": 9}, "has 2 such images; give at least 4"),
        ({"images": "nowhere"}, "nothing at nowhere; give a run"),
        ({"pixels": 65}, "`pixels` must be"),
        ({"epsilon": "2"}, "`epsilon` must be rising numbers above 0 and at most 1"),
        ({"neighbours": 0}, "`neighbours` must be a whole number of at least 1"),
        ({"classes": "nope"}, 'no class is called "nope"'),
        ({"target": "nothing"}, "nothing"),
    ],
)
def test_options_that_cannot_be_are_named(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    if "data" in options:
        file = tmp_path / options["data"]
        np.savez(file, images=np.zeros((12, 8, 8), np.uint8), labels=[3, 3, *range(4, 10), 0, 1, 2, 4])
        options = options | {"data": file}
    with pytest.raises((ConfigError, TargetError, RunError), match=message):
        detected(tmp_path / "lab", **options)
    assert not (tmp_path / "lab").exists()


def test_networks_that_see_several_classes_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "images.npz", images=np.zeros((9, 8, 8, 3), np.uint8), labels=np.arange(9) % 4)
    several = tiny_target(outputs="multilabel-logits", name="several")
    with pytest.raises(TargetError, match="several can see several classes at once; detect takes one of one class"):
        detected(tmp_path / "lab", target=several, data=tmp_path / "images.npz", device="auto")


def test_its_page_needs_no_other_file_and_shows_curves_and_what_escapes(whole: ExperimentResult) -> None:
    page = whole.report.read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    for words in (
        "told from real ones",
        "with an AUROC of",
        "Pictures that escape",
        "tested on",
        "Mahalanobis",
        "trained on",
        "<svg",
    ):
        assert words in page
    plots = {file.name for file in (whole.path / "plots").iterdir()}
    assert {"roc-direct.svg", "roc-fgsm-0-25.svg", "roc-all.svg", "trained-features.svg"} <= plots
    assert "evofool lab detect --target digits " in page


def test_the_command_line_runs_inspects_and_resumes(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "lab"
    words = ["--target", "digits", "--from", "digits-cppn", "--kinds", "fgsm", "--count", 40, "--device", "cpu"]
    assert_refused(run_cli(capsys, "lab", "detect", *words, "--out", out), "nothing at digits-cppn")
    told = json.loads(succeed(capsys, "lab", "detect", *words[:2], *words[4:], "--out", out, "--json").out)
    assert told["auroc"].keys() == told["fpr95"].keys() >= {"msp", "knn", "features trained on fgsm 0.25"}
    assert json.loads(succeed(capsys, "inspect", out, "--json").out)["finished"] is True
    assert "AUROC by msp" in succeed(capsys, "resume", out).out


def test_a_budget_of_queries_holds_and_the_rest_is_done_with_more(tmp_path: Path) -> None:
    file, data = tmp_path / "mine.py", tmp_path / "images.npz"
    file.write_text("from plain import PlainTarget\n\ntarget = PlainTarget()\n")
    np.savez(data, images=np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8), labels=[0, 1, 2, 3] * 5)
    options: dict[str, Any] = {
        "kinds": "direct",
        "runs": 2,
        "evaluations": 200,
        "device": "auto",
        "out": tmp_path / "lab",
    }
    stopped = evofool.detect(f"{file}:target", data, max_queries=150, **options)
    assert stopped.interrupted
    assert stopped.summary()["queries_paid"] <= 150
    result = evofool.resume(tmp_path / "lab", max_queries=2_000)
    assert not result.interrupted
    assert "pixels trained on direct" in result.summary()["auroc"]
