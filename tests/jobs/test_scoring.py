"""What lies in the folder of a job is scored by the job's target, and folders are told what to name instead."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from campaigns import small_attack
from configs import edit_config
from PIL import Image
from runs import Capture, assert_refused, json_lines, run_cli, small_evolve, succeed
from support import tiny_target

import evofool
from evofool.errors import ConfigError, RunError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of digits, which nobody changes."""
    path = tmp_path_factory.mktemp("scoring") / "run"
    small_evolve(path, classes="3,8", gallery=False)
    return path


def picture(path: Path) -> Path:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(path)
    return path


def test_a_picture_in_a_run_s_folder_is_scored_by_the_run_s_target_and_this_is_said(run: Path, capsys: Capture) -> None:
    (line, *_) = json_lines(run / "elites.jsonl")
    scored = evofool.score(run / line["file"])
    assert (scored["target"], scored["target_of"]) == ("digits", str(run))
    own = next(guess for guess in scored["images"][0]["top5"] if guess["class"] == line["class"])
    assert own["confidence"] == pytest.approx(line["score"], abs=1e-4)
    shown = succeed(capsys, "score", run / line["file"]).out
    assert f"by digits, the target of {run}" in " ".join(shown.split())


def test_a_named_target_goes_before_that_of_the_folder(run: Path) -> None:
    scored = evofool.score(run / json_lines(run / "elites.jsonl")[0]["file"], "cifar10")
    assert scored["target"] == "cifar10"
    assert "target_of" not in scored


def test_a_picture_elsewhere_is_scored_by_the_default(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "resnet"}))
    scored = evofool.score(picture(tmp_path / "a.png"))
    assert scored["target"] == "cifar10"
    assert "target_of" not in scored


def test_a_run_whose_config_is_damaged_is_not_scored_by_another_target(run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    edit_config(copy, {"class_indices": "none"})
    with pytest.raises(RunError, match=r"config\.json is damaged"):
        evofool.score(copy / json_lines(run / "elites.jsonl")[0]["file"])


def test_pictures_of_jobs_with_several_targets_need_one_to_be_named(run: Path, tmp_path: Path) -> None:
    small_attack(tmp_path / "campaign")
    (tmp_path / "campaign" / "adversarial").mkdir()
    ours = run / json_lines(run / "elites.jsonl")[0]["file"]
    theirs = picture(tmp_path / "campaign" / "adversarial" / "a.png")
    with pytest.raises(ConfigError, match=r"has the target digits, .* tiny; name a `target`"):
        evofool.score([ours, theirs])
    with pytest.raises(ConfigError, match="was made with your own Target tiny; score its files in Python"):
        evofool.score(theirs)
    assert evofool.score(theirs, tiny_target())["target"] == "tiny"


def test_the_folder_of_a_job_is_told_what_to_name_instead(run: Path, tmp_path: Path, capsys: Capture) -> None:
    sweep = tmp_path / "sweep"
    evofool.evolve_seeds("digits", "direct", seeds="0-1", out=sweep, generations=1, batch=20, device="cpu")
    for words in (["score"], ["render", "-o", tmp_path / "a.png"]):
        part = f"{run} is the folder of a job; name a file in it, such as {run / 'elites'}"
        assert_refused(run_cli(capsys, *words, run), part)
        assert_refused(run_cli(capsys, *words, sweep), f"such as {sweep / 'seed-0' / 'elites'}")
    for words in (["poster", "-o", tmp_path / "a.png"], ["timelapse", "-o", tmp_path / "a.gif"]):
        part = f"{sweep} is a sweep; expected a run: give one of its runs, such as {sweep / 'seed-'}"
        assert_refused(run_cli(capsys, *words, sweep), part)
    assert_refused(run_cli(capsys, "report", run), f"its page is written by: evofool gallery {run}")
