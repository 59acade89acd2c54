"""Runs and campaigns whose images are scored under transformations: recorded, resumed, shown, refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from runs import Capture, Killed, assert_refused, assert_same_run, json_lines, kill, run_cli, small_evolve, succeed
from support import random_images, tiny_target

import evofool
from evofool.config.records import RobustRecord
from evofool.config.scoring import TRANSFORMATIONS
from evofool.jobs.run import RunStep


def kill_after_two(step: RunStep) -> None:
    if step.progress.generation == 2:
        kill()


def test_a_robust_run_goes_on_after_a_kill_with_the_same_bytes(tmp_path: Path) -> None:
    options = {"encoding": "cppn", "generations": 4, "robust": "worst", "robust_draws": 2, "seed": 3}
    result = small_evolve(tmp_path / "a", **options)
    assert result.config.target.robust == RobustRecord(how="worst", to=TRANSFORMATIONS, draws=2, seed=3)
    with pytest.raises(Killed):
        small_evolve(tmp_path / "b", observer=kill_after_two, **options)
    evofool.resume(tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")
    for line in json_lines(tmp_path / "a" / "elites.jsonl"):
        counted = [line["robust"][name] for name in ("unchanged", *TRANSFORMATIONS)]
        assert min(counted) == pytest.approx(line["score"], abs=1e-5)


def test_a_page_tells_the_score_under_each_and_the_run_is_made_again(tmp_path: Path, capsys: Capture) -> None:
    small_evolve(tmp_path / "a", encoding="cppn", generations=2, robust="mean", robust_to="jpeg,blur")
    page = (tmp_path / "a" / "index.html").read_text()
    assert '"JPEG"' in page
    assert '"Photographed again"' in page
    succeed(capsys, "evolve", "--config", tmp_path / "a", "--out", tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")
    line = json_lines(tmp_path / "a" / "elites.jsonl")[0]
    (image,) = evofool.score(tmp_path / "a" / line["genome"])["images"]
    guesses = {guess["class"]: guess["confidence"] for guess in image["top5"]}
    assert guesses[line["class"]] == pytest.approx(line["score"], abs=1e-5)


def test_every_attempt_of_a_robust_campaign_records_its_scores(tmp_path: Path) -> None:
    images = random_images(6)
    labels = tiny_target().confirm(images).argmax(1).numpy()
    np.savez(tmp_path / "data.npz", images=images.numpy().transpose(0, 2, 3, 1), labels=labels)
    evofool.attack(
        tiny_target(), tmp_path / "data.npz", out=tmp_path / "a", include_misclassified=True, queries=40, count=3,
        robust="mean", robust_to="shift,noise",
    )  # fmt: skip
    ran = [outcome for outcome in json_lines(tmp_path / "a" / "outcomes.jsonl") if not outcome["already"]]
    assert ran
    for outcome in ran:
        counted = [outcome["robust"][name] for name in ("unchanged", "shift", "noise")]
        assert np.mean(counted) == pytest.approx(outcome["top5"][0][1], abs=1e-5)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ("--robust worse", ['--robust must be worst or mean, got "worse"', 'did you mean "worst"?']),
        ("--robust mean --robust-to jpg", ['no transformation is called "jpg"', 'did you mean "jpeg"?', "brightness"]),
        ("--robust mean --robust-to=", ["--robust-to", "no transformation"]),
        ("--robust mean --robust-draws 0", ["--robust-draws must be a whole number from 1 to 64, got 0"]),
        ("--robust-to jpeg", ["--robust-to belongs to --robust worst"]),
        ("--robust-draws 3", ["--robust-draws belongs to --robust worst"]),
    ],
)
def test_what_can_not_be_is_refused(options: str, parts: list[str], tmp_path: Path, capsys: Capture) -> None:
    outcome = run_cli(capsys, "evolve", "--target", "digits", *options.split(), "--out", tmp_path / "a")
    assert_refused(outcome, *parts)
    assert not (tmp_path / "a").exists()
