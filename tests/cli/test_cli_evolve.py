"""``evofool evolve`` when all is well: what it writes, what it prints, and where to."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from runs import Capture, CommandResult, succeed, tree

EVOLVE = ["evolve", "--target", "digits", "--batch", "20", "--device", "cpu", "--precision", "float32"]

KEYS = {
    "run", "gallery", "sheet", "target", "encoding", "preset", "seed", "generations", "evaluations", "confirmations",
    "seconds", "images_per_second", "median", "mean", "min", "at_99", "interrupted", "classes",
}  # fmt: skip


def test_evolve_writes_a_run_and_names_its_paths(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    outcome = succeed(capsys, *EVOLVE, "--generations", 2, "--out", run)
    assert outcome.err == ""
    files = tree(run)
    assert {"config.json", "metrics.jsonl", "checkpoint/state.npz", "elites.jsonl", "gallery.png"} <= files.keys()
    assert sum(name.endswith(".png") for name in files) == 11
    assert sum(name.endswith(".json") for name in files) == 11
    lines = outcome.out.splitlines()
    assert any(line.startswith("done: digits, cppn") for line in lines)
    # Whole paths, and a command that can be copied, however narrow the terminal is said to be.
    assert any(line.split() == ["gallery", f"{run}/index.html"] for line in lines)
    assert any(line.split() == ["sheet", f"{run}/gallery.png"] for line in lines)
    assert any(line.split() == ["run", str(run)] for line in lines)
    assert any(line.rstrip().endswith(f"evofool resume {run} --evaluations 80") for line in lines)


def test_without_a_gallery_neither_page_nor_sheet_are_written_or_named(tmp_path: Path, capsys: Capture) -> None:
    words = [*EVOLVE, "--generations", 1, "--no-gallery", "--out", tmp_path / "run"]
    facts = json.loads(succeed(capsys, *words, "--json").out)
    assert (facts["gallery"], facts["sheet"]) == (None, None)
    assert tree(tmp_path / "run").keys().isdisjoint({"index.html", "gallery.png"})
    shown = succeed(capsys, "resume", tmp_path / "run", "--no-gallery").out
    assert not any(line.split()[:1] in (["gallery"], ["sheet"]) for line in shown.splitlines())


def test_without_out_runs_land_in_numbered_folders_under_outputs(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        succeed(capsys, *EVOLVE, "--generations", 1, "--classes", "3", "--quiet")
        assert sorted(os.listdir("outputs"))[-1] == f"digits-cppn-00{number}"


def test_json_is_one_object_on_standard_output(tmp_path: Path, capsys: Capture) -> None:
    words = [*EVOLVE, "--encoding", "direct", "--generations", 2, "--seed", 7, "--out", tmp_path / "run", "--json"]
    facts = json.loads(succeed(capsys, *words).out)
    assert facts.keys() == KEYS
    expected = {"target": "digits", "encoding": "direct", "preset": "default", "seed": 7, "generations": 2}
    assert {key: facts[key] for key in expected} == expected
    run = tmp_path / "run"
    assert (facts["run"], facts["evaluations"]) == (str(run), 40)
    assert (facts["gallery"], facts["sheet"]) == (f"{run}/index.html", f"{run}/gallery.png")
    values = [entry["confidence"] for entry in facts["classes"]]
    assert [entry["index"] for entry in facts["classes"]] == list(range(10))
    assert [entry["class"] for entry in facts["classes"]] == list("0123456789")
    assert facts["median"] == pytest.approx(np.median(values))
    assert facts["mean"] == pytest.approx(np.mean(values))
    assert facts["min"] == min(values)
    assert facts["at_99"] == sum(value >= 0.99 for value in values)
    assert facts["seconds"] > 0
    assert facts["images_per_second"] > 0


def test_json_keeps_the_note_on_spare_tensors_out_of_standard_output(tmp_path: Path, capsys: Capture) -> None:
    import torch

    from evofool.targets import networks

    weights = tmp_path / "spare.pth"
    torch.save({**networks.DigitsNet().state_dict(), "mean": torch.zeros(1)}, weights)
    words = [*EVOLVE, "--weights", weights, "--generations", 1, "--classes", "3"]
    assert json.loads(succeed(capsys, *words, "--out", tmp_path / "a", "--json").out)["generations"] == 1
    assert "mean" in next(
        line for line in succeed(capsys, *words, "--out", tmp_path / "b").out.splitlines() if line.startswith("note: ")
    )


def test_quiet_prints_nothing(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    assert succeed(capsys, *EVOLVE, "--generations", 2, "--out", run, "--quiet") == CommandResult(0, "", "")
    assert succeed(capsys, "resume", run, "--generations", 3, "--quiet") == CommandResult(0, "", "")
    assert (run / "gallery.png").exists()


def test_piped_progress_is_plain_lines(tmp_path: Path, capsys: Capture) -> None:
    outcome = succeed(capsys, *EVOLVE, "--generations", 3, "--out", tmp_path / "run")
    lines = [line for line in outcome.out.splitlines() if line.startswith("generation ")]
    assert [line.split()[1] for line in lines] == ["1", "3"]
    parts = ["60 evaluations +", "images/s", "elapsed", "remaining", "median", "mean", "lowest", "at 99 %", "hardest"]
    assert [part for part in parts if part not in lines[-1]] == []
    assert "\x1b" not in outcome.out
    assert "\r" not in outcome.out
