"""``evofool attack`` when all is well: what a campaign writes, prints and records, on the embedded digits."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from digit_attacks import ATTACK, KEYS, answer_of, config_of, lines_of, outcomes_of, summary_rows
from PIL import Image
from runs import Capture, CommandResult, json_lines, succeed, tree

from evofool.datasets.named import digits


def test_attack_writes_a_campaign_and_names_its_paths(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "campaign"
    outcome = succeed(capsys, *ATTACK, "--out", out)
    assert outcome.err == ""
    assert {"config.json", "images.npy", "images.jsonl", "outcomes.jsonl", "outcomes.csv", "report.html"} < tree(
        out
    ).keys()
    assert not (out / "adversarial").exists()
    assert not (out / "adversarial.npz").exists()
    assert "done: digits, untargeted, local" in outcome.out.splitlines()
    summary = summary_rows(outcome.out)
    won = sum(outcome["success"] for outcome in outcomes_of(out))
    assert summary["success"].startswith(f"{won} of 6: ")
    assert summary["report"] == f"{out}/report.html"
    assert summary["campaign"] == str(out)
    assert "go on" not in summary
    assert "random" not in summary
    assert "wrong before" not in summary


def test_the_defaults_are_one_pixel_of_digits_with_local_search(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "campaign"
    succeed(capsys, "attack", "--count", 2, "--out", out, "--quiet")
    content = config_of(out)
    plan = {
        "criterion": "untargeted", "criteria": [None], "pixels": [1], "strategy": "local", "queries": 2000, "seed": 0,
        "baseline": False, "rows": content["plan"]["rows"],
    }  # fmt: skip
    assert content["plan"] == plan
    assert content["job"] == "campaign"
    assert (content["target"]["name"], content["data"]["name"]) == ("digits", "digits")
    options = content["options"]
    assert (options["first"], options["include_misclassified"], options["export"]) == (False, False, False)
    spent = [outcome["queries"] for outcome in outcomes_of(out)]
    assert 300 < max(spent) <= 2_000  # This is the strategy's own budget.


def test_a_hundred_images_are_the_default_ten_of_each_digit(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "campaign"
    succeed(capsys, "attack", "--queries", 20, "--pixels", 3, "--out", out, "--quiet")
    assert Counter(line["class"] for line in json_lines(out / "images.jsonl")) == dict.fromkeys("0123456789", 10)
    assert len(outcomes_of(out)) == 100


def test_without_out_campaigns_land_in_numbered_folders_under_outputs(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = [*ATTACK, "--count", 2, "--quiet"]
    succeed(capsys, *small)
    succeed(capsys, *small)
    np.savez("my set.npz", images=digits(train=False)[0][:, 0], labels=digits(train=False)[1])
    succeed(capsys, *small, "--target", "digits", "--data", "my set.npz")
    assert sorted(os.listdir("outputs")) == ["attack-digits-001", "attack-digits-002", "attack-digits-003"]


def test_json_is_one_object_on_standard_output(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "campaign"
    outcome = succeed(capsys, *ATTACK, "--seed", 7, "--out", out, "--json")
    assert outcome.out.count("\n") == 1
    assert outcome.err.startswith("attempts ")  # The progress is not in its way.
    answer = json.loads(outcome.out)
    assert answer.keys() >= KEYS
    expected = {
        "campaign": str(out), "report": str(out / "report.html"), "target": "digits", "data": "digits", "images": 6,
        "criterion": "untargeted", "pixels": [3], "strategy": "local", "seed": 7, "attempts": 6, "baseline": None,
        "interrupted": False,
    }  # fmt: skip
    assert {key: answer[key] for key in expected} == expected


def test_the_figures_are_those_of_the_outcomes(tmp_path: Path, capsys: Capture) -> None:
    answer = answer_of(capsys, tmp_path / "campaign", "--queries", 60, "--count", 12)
    outcomes = outcomes_of(tmp_path / "campaign")
    won = [outcome for outcome in outcomes if outcome["success"]]
    assert 0 < len(won) < len(outcomes) == 12
    assert (answer["successes"], answer["failures"], answer["already"]) == (len(won), 12 - len(won), 0)
    assert answer["settled"] == answer["attempts"] == 12
    assert answer["rate"] == pytest.approx(len(won) / 12)
    assert answer["interval95"][0] < answer["rate"] < answer["interval95"][1]
    assert answer["queries"] == sum(outcome["queries"] for outcome in outcomes)
    assert answer["mean_queries"] == pytest.approx(answer["queries"] / 12, abs=0.06)
    to_success = [outcome["queries_to_success"] for outcome in won]
    assert answer["median_queries_to_success"] == pytest.approx(np.median(to_success))
    assert answer["p90_queries_to_success"] == pytest.approx(np.quantile(to_success, 0.9))
    assert answer["by_pixels"] == {"3": len(won)}
    assert all(outcome["queries"] <= 60 for outcome in outcomes)


def test_quiet_prints_nothing(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "campaign"
    nothing = CommandResult(0, "", "")
    assert succeed(capsys, *ATTACK, "--count", 2, "--out", out, "--quiet") == nothing
    assert succeed(capsys, "resume", out, "--quiet") == nothing
    assert succeed(capsys, "report", out, "--export", "--quiet") == nothing


def test_piped_progress_is_plain_lines(tmp_path: Path, capsys: Capture) -> None:
    shown = succeed(capsys, *ATTACK, "--out", tmp_path / "campaign").out
    progress = [line for line in shown.splitlines() if line.startswith("attempts ")]
    assert 1 <= len(progress) <= 3  # In less than a second these are the first and the last.
    assert progress[-1].startswith("attempts 6/6  running 0  success ")
    assert [part for part in ("queries/s", "elapsed", "remaining 0:00", "last ") if part not in progress[-1]] == []
    assert "\x1b" not in shown
    assert "\r" not in shown


def test_a_criterion_is_a_class_by_name_or_by_index(tmp_path: Path, capsys: Capture) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    for index, pixels in enumerate(noise):
        Image.fromarray(pixels).save(pictures / f"{index}.png")
    words = ["--target", "cifar10", "--data", pictures, "--pixels", 40, "--queries", 40, "--count", 3]
    by_name = answer_of(capsys, tmp_path / "name", *words, "--criterion", "Frog")
    by_index = answer_of(capsys, tmp_path / "index", *words, "--criterion", "6")
    assert by_name["criterion"] == by_index["criterion"] == "frog"
    assert {outcome["criterion"] for outcome in outcomes_of(tmp_path / "name")} == {"frog"}
    assert lines_of(tmp_path / "name") == lines_of(tmp_path / "index")


def test_one_criterion_leaves_its_own_images_out(tmp_path: Path, capsys: Capture) -> None:
    answer = answer_of(capsys, tmp_path / "campaign", "--criterion", "3", "--count", 9)
    assert answer["attempts"] == 9
    outcomes = outcomes_of(tmp_path / "campaign")
    assert Counter(outcome["class"] for outcome in outcomes) == dict.fromkeys("012456789", 1)
    assert {(outcome["criterion"], outcome["criterion_index"]) for outcome in outcomes} == {("3", 3)}
    won = [outcome for outcome in outcomes if outcome["success"]]
    assert won
    assert all(outcome["final"] == "3" for outcome in won)


def test_several_criteria_are_an_attempt_each_but_for_the_image_s_own_class(tmp_path: Path, capsys: Capture) -> None:
    answer = answer_of(capsys, tmp_path / "campaign", "--criterion", "5, 3", "--count", 10, "--queries", 60)
    assert (answer["criterion"], answer["attempts"], answer["images"]) == ("3, 5", 18, 10)
    pairs = {(outcome["class"], outcome["criterion"]) for outcome in outcomes_of(tmp_path / "campaign")}
    assert pairs == {(label, criterion) for label in "0123456789" for criterion in "35" if label != criterion}


@pytest.mark.parametrize("options", [("--pixels", 2, "--queries", 60), ("--pixels", 1, "--strategy", "corners")])
def test_criterion_all_is_every_other_class_in_turn(
    options: tuple[object, ...], tmp_path: Path, capsys: Capture
) -> None:
    answer = answer_of(capsys, tmp_path / "campaign", "--criterion", "all", "--count", 3, *options)
    assert (answer["criterion"], answer["attempts"], answer["settled"]) == ("all", 27, 27)
    outcomes = outcomes_of(tmp_path / "campaign")
    assert len(outcomes) == 27
    assert {(v["class"], v["criterion"]) for v in outcomes} == {
        (label, criterion)
        for label in {v["class"] for v in outcomes}
        for criterion in "0123456789"
        if label != criterion
    }
    assert all((outcome["final"] == outcome["criterion"]) == outcome["success"] for outcome in outcomes)
    assert (tmp_path / "campaign" / "plots" / "targets.svg").exists() == any(outcome["success"] for outcome in outcomes)


def test_a_sweep_s_queries_count_once_for_all_criteria(tmp_path: Path, capsys: Capture) -> None:
    answer = answer_of(
        capsys, tmp_path / "campaign", "--criterion", "all", "--count", 2, "--strategy", "corners", "-k", 1,
        "--queries", 128,
    )  # fmt: skip
    assert answer["queries"] == 2 * 128  # 64 places in black and white
    for outcome in outcomes_of(tmp_path / "campaign"):
        assert (outcome["queries"], outcome["shared"]) == (128, 9)
        assert set(outcome["edits"][0]["colour"]) <= {0, 255}


def test_pixels_is_the_number_of_edits(tmp_path: Path, capsys: Capture) -> None:
    answer_of(capsys, tmp_path / "campaign", "--pixels", 5)
    for outcome in outcomes_of(tmp_path / "campaign"):
        assert outcome["pixels"] == 5
        assert len({(edit["x"], edit["y"]) for edit in outcome["edits"]}) == 5


def test_pixels_auto_takes_one_more_where_one_is_not_enough(tmp_path: Path, capsys: Capture) -> None:
    answer = answer_of(capsys, tmp_path / "campaign", "--pixels", "auto", "--max-pixels", 2, "--queries", 150)
    assert (answer["pixels"], answer["attempts"]) == ([1, 2], 6)
    outcomes = outcomes_of(tmp_path / "campaign")
    ones = {outcome["image"]: outcome["success"] for outcome in outcomes if outcome["pixels"] == 1}
    twos = {outcome["image"]: outcome["success"] for outcome in outcomes if outcome["pixels"] == 2}
    assert len(outcomes) == len(ones) + len(twos)
    assert set(ones) == set(range(6))
    assert set(twos) == {image for image, success in ones.items() if not success}
    by_pixels = {"1": sum(ones.values()), "2": sum(twos.values())}
    assert answer["by_pixels"] == {k: n for k, n in by_pixels.items() if n}
    assert answer["failures"] == len(twos) - sum(twos.values())
    assert (tmp_path / "campaign" / "plots" / "pixels.svg").exists()
    shown = summary_rows(succeed(capsys, "resume", tmp_path / "campaign").out)
    assert shown["by pixels"] == ", ".join(f"{k}: {n}" for k, n in answer["by_pixels"].items())


def test_pixels_auto_ends_at_five(tmp_path: Path, capsys: Capture) -> None:
    assert answer_of(capsys, tmp_path / "campaign", "-k", "auto", "--count", 2)["pixels"] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ("--strategy local", "local"),
        ("--strategy de", "best1bin"),
        ("--strategy best1bin", "best1bin"),
        ("--strategy rand1", "rand1"),
        ("--strategy sparse-rs", "sparse-rs"),
        ("--strategy random", "random"),
        ("--strategy corners --pixels 1", "corners"),
        ("--preset su2019", "su2019"),
        ("--preset hyperparticle", "hyperparticle"),
    ],
)
def test_every_strategy_and_preset_succeeds_sometimes(options: str, name: str, tmp_path: Path, capsys: Capture) -> None:
    answer = answer_of(capsys, tmp_path / "campaign", "--pixels", 3, "--queries", 450, "--count", 4, *options.split())
    assert (answer["strategy"], answer["settled"]) == (name, 4)
    assert answer["successes"] > 0
    assert {outcome["strategy"] for outcome in outcomes_of(tmp_path / "campaign")} == {name}
    assert f'"strategy": "{name}"' in (tmp_path / "campaign" / "config.json").read_text()


def test_the_baseline_gets_the_queries_of_each_attempt(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "campaign"
    exactly = ("--precision", "float32")  # In bfloat16 one query is kept for a confirmation.
    shown = summary_rows(succeed(capsys, *ATTACK, *exactly, "--baseline", "--out", out).out)
    by_attempt = {(outcome["strategy"], outcome["image"]): outcome for outcome in outcomes_of(out)}
    assert len(by_attempt) == 12
    for (strategy, image), outcome in by_attempt.items():
        if strategy == "random":
            assert outcome["queries"] <= by_attempt["local", image]["queries"]
            assert outcome["success"] or outcome["queries"] == by_attempt["local", image]["queries"]
    won = Counter(strategy for (strategy, _), outcome in by_attempt.items() if outcome["success"])
    assert won["local"] > won["random"]
    assert shown["success"].startswith(f"{won['local']} of 6: ")
    assert shown["random"].startswith(f"{won['random']} of 6: ")
    facts = json.loads(succeed(capsys, "inspect", out, "--json").out)
    assert (facts["successes"], facts["baseline"]["successes"]) == (won["local"], won["random"])
    again = json.loads(succeed(capsys, "resume", out, "--json").out)
    assert (again["settled"], again["baseline"]["settled"]) == (6, 6)


def test_the_same_seed_gives_the_same_bytes_and_another_other_images(tmp_path: Path, capsys: Capture) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        answer_of(capsys, tmp_path / name, "--seed", seed)
    a, b, c = (tmp_path / name for name in "abc")
    assert lines_of(a) == lines_of(b)
    assert (a / "images.npy").read_bytes() == (b / "images.npy").read_bytes()
    ids = [{line["id"] for line in json_lines(path / "images.jsonl")} for path in (a, c)]
    assert ids[0] != ids[1]


def test_rows_of_a_forward_pass_change_no_outcome(tmp_path: Path, capsys: Capture) -> None:
    answer_of(capsys, tmp_path / "a", "--count", 3)
    answer_of(capsys, tmp_path / "b", "--count", 3, "--micro-batch", 32)
    keys = ("image", "success", "final", "edits")
    results = [sorted(([v[key] for key in keys] for v in outcomes_of(tmp_path / name)), key=str) for name in "ab"]
    assert results[0] == results[1]
