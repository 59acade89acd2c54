"""The experiment ``harden``: what a network becomes that learns what fools it, and that nothing is lost on the way."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from runs import Capture, Killed, assert_refused, run_cli, succeed, tree
from support import global_random_untouched, tiny_target

import evofool
from evofool.errors import ConfigError, EvofoolError, RunError
from evofool.jobs import life
from evofool.lab.harden import Harden
from evofool.lab.harden_images import Unrejected
from evofool.lab.harden_networks import widened
from evofool.lab.result import ExperimentResult
from evofool.store.experiment import ExperimentFolder
from evofool.store.records import HardenResult
from evofool.targets.gradients import log_odds

SMALL: dict[str, Any] = {
    "device": "cpu", "rounds": 2, "epochs": 2, "peak": 0.1, "train": 800, "added": 60, "runs": 1,
    "evaluations": 120, "count": 6, "queries": 12,
}  # fmt: skip
"""A small experiment on digits."""


def hardened(out: Path, **options: Any) -> ExperimentResult:
    return evofool.harden("digits", out=out, **(SMALL | options))


def results_of(result: ExperimentResult) -> list[dict[str, Any]]:
    return [each for _, found in ExperimentFolder.open(result.path).results(HardenResult) for each in found]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    """An experiment that nobody disturbed."""
    return hardened(tmp_path_factory.mktemp("whole") / "lab")


@pytest.fixture(scope="module")
def robust(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    """One that is trained on perturbed images."""
    options = {"by": "pgd", "norm": "l2", "epsilon": 0.5, "epochs": 5, "peak": 0.05, "train": None, "count": 60}
    return hardened(tmp_path_factory.mktemp("robust") / "lab", **options)


def test_every_round_has_its_figures_and_its_network(whole: ExperimentResult) -> None:
    summary = json.loads(json.dumps(whole.summary()))
    assert {"experiment", "target", "seconds", "seed", "run", "rounds"} <= summary.keys()
    assert [each["round"] for each in summary["rounds"]] == [0, 1, 2]
    for each in summary["rounds"]:
        assert 0 <= each["min"] <= each["median"] <= 1
        assert each["evaluations"].keys() == {"0.99", "0.9999"}
        assert each["clean_accuracy"] > 0.9
    assert summary["rounds"][0]["median"] > 0.99
    assert 10 <= summary["rounds"][1]["added"] < summary["rounds"][2]["added"] <= 120
    assert sorted(path.name for path in (whole.path / "networks").iterdir()) == ["01.safetensors", "02.safetensors"]


def test_accuracy_and_confidence_on_record_are_those_of_the_networks_as_targets(whole: ExperimentResult) -> None:
    """The target is loaded by its name with a file of weights, as a user does."""
    from evofool.targets.training.data import digits

    folder, test = ExperimentFolder.open(whole.path), digits().test
    file = whole.path / "networks" / "02.safetensors"
    target = evofool.load_target("digits:hardened", weights=file, device="cpu", precision="float32")
    assert target.classes[-1] == "fooling"
    assert len(target.classes) == 11
    accuracy = float((target.scores(test.images).argmax(1) == test.labels).double().mean())
    assert accuracy == pytest.approx(whole.summary()["rounds"][2]["clean_accuracy"], abs=1e-6)
    parts = [(part, found) for part, found in folder.results(HardenResult) if found[0].get("encoding") == "cppn"]
    part, elites = parts[-1]
    scores = target.scores(torch.from_numpy(folder.pictures(part)[:10]))
    for index, elite in enumerate(elites):
        assert (elite["round"], elite["class_index"]) == (2, index)
        assert float(scores[index, index]) == pytest.approx(elite["confidence"], abs=1e-4)
        assert (elite["at_99"] is not None) == (elite["confidence"] >= 0.99)
        assert elite["at_9999"] is None or elite["at_99"] <= elite["at_9999"] <= 120


def test_images_that_fooled_it_are_taken_for_fooling_ones_after_a_round(whole: ExperimentResult) -> None:
    folder = ExperimentFolder.open(whole.path)
    learnt = folder.pictures(1)  # the evolution of round 0, after what was measured before it
    file = whole.path / "networks" / "01.safetensors"
    target = evofool.load_target("digits:hardened", weights=file, device="cpu", precision="float32")
    assert float((target.scores(torch.from_numpy(learnt)).argmax(1) == 10).double().mean()) > 0.6
    noise = whole.summary()["cross"]["noise"]
    assert noise["after"]["success"] < noise["before"]["success"]
    assert noise["after"]["rejected"] > 0
    assert noise["before"]["rejected"] == 0


def test_what_it_helps_against_is_tried_on_the_first_and_the_last_network(whole: ExperimentResult) -> None:
    cross, shown = whole.summary()["cross"], [each for each in results_of(whole) if each["kind"] == "shown"]
    assert list(cross) == ["cppn", "direct", "pixel", "noise", "pgd", "pgd-l2"]
    for kind in ("pixel", "pgd", "pgd-l2"):
        for name, number in (("before", 0), ("after", 2)):
            those = [each for each in shown if (each["attack"], each["round"]) == (kind, number)]
            fooled = [each["first"] not in (each["label"], 10) for each in those]
            assert cross[kind][name]["success"] == np.mean(fooled)
            assert len(those) == cross[kind][name]["images"] == 6
    for kind in ("cppn", "direct"):
        assert cross[kind].keys() == {"before", "after"}


def test_killed_before_any_part_counts_it_goes_on_to_the_same_bytes(
    whole: ExperimentResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every part is done, and the process is killed before its line is written; so each is done twice."""
    out, append, seen = tmp_path / "lab", ExperimentFolder.append, set[int]()

    def killed_once(folder: ExperimentFolder, *found: Any) -> None:
        if folder.parts not in seen:
            seen.add(folder.parts)
            raise Killed
        append(folder, *found)

    monkeypatch.setattr(ExperimentFolder, "append", killed_once)
    seen.add(0)  # a folder without any part is discarded
    with pytest.raises(Killed):
        hardened(out)
    while life.inspect(out)["done"] < life.inspect(out)["parts"]:
        with suppress(Killed):
            evofool.resume(out)
    assert tree(out) == tree(whole.path)


def test_parts_that_were_taken_out_are_trained_again_whatever_lies_there(
    whole: ExperimentResult, tmp_path: Path
) -> None:
    """From the first epoch of round 2 on, while the weights of that round are there."""
    out = tmp_path / "lab"
    hardened(out)
    lines = (out / "results.jsonl").read_text().splitlines(keepends=True)
    (out / "results.jsonl").write_text("".join(lines[:5]) + lines[5].replace('"loss"', '"lost"') + "".join(lines[6:]))
    assert "taken out" in evofool.repair(out)[0]
    evofool.resume(out)
    assert tree(out) == tree(whole.path)


def test_a_network_that_is_another_one_now_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "lab"
    hardened(out, rounds=1)
    lines = (out / "results.jsonl").read_text().splitlines(keepends=True)
    (out / "results.jsonl").write_text("".join(lines[:4]))
    file = out / "networks" / "01.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(RunError, match=r"01.safetensors is missing, or is not what was trained"):
        evofool.resume(out)


def test_training_on_perturbed_images_makes_a_robust_network_and_is_one_training(robust: ExperimentResult) -> None:
    summary = robust.summary()
    first, *_, last = summary["rounds"]
    assert last["robust_accuracy"] > first["robust_accuracy"] + 0.1
    assert len(summary["epochs"]) == 11
    assert summary["networks"]["target"] == "digits"
    target = evofool.load_target("digits", weights=robust.path / "networks" / "02.safetensors", device="cpu")
    assert len(target.classes) == 10
    assert summary["cross"]["pgd-l2"]["after"]["success"] < summary["cross"]["pgd-l2"]["before"]["success"]
    assert summary["cross"]["noise"]["after"]["rejected"] == 0
    assert not (robust.path / "networks" / "training").exists()


def test_replay_of_the_last_round_learns_from_fewer_images_and_new_weights_from_none_before(tmp_path: Path) -> None:
    with global_random_untouched():
        result = hardened(tmp_path / "lab", replay="last", scratch=True, by="both", epochs=1, evaluations=100)
    rounds = result.summary()["rounds"]
    assert rounds[1]["by_encoding"].keys() == {"cppn", "direct"}
    assert rounds[2]["added"] <= 60
    assert rounds[1]["clean_accuracy"] < 0.9  # one epoch with new weights


def test_a_new_class_has_the_mean_weights_of_the_others() -> None:
    found = {"a": torch.tensor([[1.0, 2.0], [3.0, 6.0]]), "b": torch.tensor([1.0, 3.0]), "n": torch.tensor(5)}
    wanted = {"a": torch.zeros(3, 2), "b": torch.zeros(3), "n": torch.tensor(0)}
    state = widened(found, wanted)
    assert state["a"].tolist() == [[1, 2], [3, 6], [2, 4]]
    assert state["b"].tolist() == [1, 3, 2]
    assert state["n"] == 5


def test_perturbations_lead_away_from_rejection_as_well() -> None:
    """Odds of the label, as the attack sees them, are those of label and rejection together."""
    logits = torch.tensor([[1.0, 2.0, 0.5, 3.0], [0.0, 1.0, 2.0, -1.0]])

    class Network:
        name = "four"

        def logits(self, pixels: torch.Tensor) -> torch.Tensor:
            return logits

    labels, network = torch.tensor([1, 2]), Network()
    seen = Unrejected(network, labels, 3).logits(torch.zeros(2, 1, 1, 1))  # type: ignore[arg-type]
    odds, shares = log_odds(seen, labels), logits.softmax(1)
    together = shares.gather(1, labels[:, None])[:, 0] + shares[:, 3]
    torch.testing.assert_close(odds, torch.log(together / (1 - together)))
    torch.testing.assert_close(Unrejected(network, labels, 4).logits(torch.zeros(2, 1, 1, 1)), logits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "cpn"}, r"`by` must be one of cppn, direct, both, pgd \(did you mean"),
        ({"replay": "some"}, "`replay` must be one of all, last"),
        ({"norm": "l1"}, "`norm` must be one of l2, linf"),
        ({"train_precision": "float16"}, '`train_precision` must be float32 or bfloat16.*, got "float16"'),
        ({"epsilon": 0.5}, "`epsilon` is that of `by=pgd`"),
        ({"rounds": 0}, "`rounds` must be a whole number of at least 1"),
        ({"peak": 0}, "`peak` must be a number above 0"),
        ({"max_queries": 5}, "`max_queries` is for classifiers that are asked for scores"),
    ],
)
def test_options_that_cannot_be_are_named(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(EvofoolError, match=message):
        hardened(tmp_path / "lab", **options)
    assert not (tmp_path / "lab").exists()


def test_only_networks_that_can_be_trained_are_hardened(tmp_path: Path) -> None:
    for target, message in (
        (tiny_target(), "`target` must be a network that evofool can train, got your own, tiny"),
        ("mnst", r'can train, digits, mnist, cifar10 \(did you mean "mnist"\?\), got "mnst"'),
        ("cifar10:resnet32", 'got "cifar10:resnet32"'),
    ):
        with pytest.raises(ConfigError, match=message):
            evofool.harden(target, out=tmp_path / "lab")  # type: ignore[arg-type]


def test_its_page_needs_no_other_file_and_shows_rounds_and_what_helps(whole: ExperimentResult) -> None:
    page = whole.report.read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    for words in (
        "stay foolable",
        "Before hardening",
        "Round 2",
        "What it helps against",
        "edits of one pixel",
        "<svg",
    ):
        assert words in page
    assert "data_sha256" not in page


def test_a_page_of_an_experiment_that_has_not_begun_says_so(whole: ExperimentResult, tmp_path: Path) -> None:
    folder = ExperimentFolder.create(tmp_path / "lab", ExperimentFolder.open(whole.path).config, ())
    assert "Nothing has been evolved yet" in Harden.findings(folder).page.title


def test_the_page_of_a_robust_network_shows_its_curve(robust: ExperimentResult) -> None:
    assert "Robust accuracy by epoch" in robust.report.read_text(encoding="utf-8")
    assert (robust.path / "plots" / "epochs.svg").exists()


def test_the_command_line_goes_on_and_says_how_the_network_is_used(
    whole: ExperimentResult, capsys: Capture, tmp_path: Path
) -> None:
    told = succeed(capsys, "resume", whole.path).out
    assert f"--target digits:hardened --weights {whole.path / 'networks' / '02.safetensors'}" in told
    out = tmp_path / "run"
    weights = whole.path / "networks" / "02.safetensors"
    succeed(capsys, "evolve", "--target", "digits:hardened", "--weights", weights, "--evaluations", 20, "--out", out)
    assert_refused(run_cli(capsys, "lab", "harden", "--by", "cpn"), "--by must be one of cppn, direct, both, pgd")
