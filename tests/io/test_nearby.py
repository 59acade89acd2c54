"""What a mistyped path may have been meant for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image
from runs import Capture, assert_refused, run_cli

from evofool.io.nearby import nearby


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder ``outputs`` with two jobs, in the current folder, and a picture beside it."""
    monkeypatch.chdir(tmp_path)
    for name in ("cifar10-cppn-001", "attack-digits-001"):
        (tmp_path / "outputs" / name).mkdir(parents=True)
        kind = "campaign" if name.startswith("attack") else "run"
        (tmp_path / "outputs" / name / "config.json").write_text(json.dumps({"format": 2, "job": kind}))
    Image.new("RGB", (8, 8)).save(tmp_path / "deer.png")
    return tmp_path / "outputs"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("inspect outputs/cifar10-cppn-01", "outputs/cifar10-cppn-001"),
        ("resume outputs/cifar10-cppn-01", "outputs/cifar10-cppn-001"),
        ("report outputs/attack-digits-01", "outputs/attack-digits-001"),
        ("gallery outputs/cifar10-cppn-01", "outputs/cifar10-cppn-001"),
        ("poster outputs/cifar10-cppn-01 --out a.png", "outputs/cifar10-cppn-001"),
        ("timelapse outputs/cifar10-cppn-01 --out a.gif", "outputs/cifar10-cppn-001"),
        ("evolve --target cifar10 --init outputs/cifar10-cppn-01", "outputs/cifar10-cppn-001"),
        ("gallery cifar10-cpn", "cifar10-cppn"),
        ("render cifar10-cpn#cat --out a.png", "cifar10-cppn"),
        ("render ouputs/x#cat --out a.png", "outputs"),
        ("render outputs/cifar10-cppn-01#cat --out a.png", "outputs/cifar10-cppn-001"),
        ("score der.png", "deer.png"),
        ("inspect ouputs/cifar10-cppn-001", "outputs"),
    ],
)
def test_a_mistyped_path_has_a_suggestion(words: str, meant: str, outputs: Path, capsys: Capture) -> None:
    outcome = run_cli(capsys, *words.split())
    assert_refused(outcome, "did you mean", f'"{meant}"')
    assert ("cannot read image" in outcome.err) == words.startswith("score")


@pytest.mark.parametrize("command", ["resume", "inspect", "report"])
def test_a_folder_of_jobs_names_them(command: str, outputs: Path, capsys: Capture) -> None:
    assert_refused(
        run_cli(capsys, command, "outputs"), "(in it are outputs/attack-digits-001, outputs/cifar10-cppn-001)"
    )


def test_nothing_near_nothing_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    assert nearby("xyz") == nearby(tmp_path / "zzzz" / "at" / "all") == ""
    (tmp_path / "gone").rmdir()
    assert nearby("xyz") == ""
    assert nearby("\udcff") == ""


def test_what_is_there_is_no_suggestion(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert nearby(tmp_path / "run") == ""
    assert nearby(tmp_path / "runs") == f' (did you mean "{tmp_path / "run"}"?)'
    assert os.listdir(tmp_path) == ["run"]
