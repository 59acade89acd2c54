"""``evofool targets check``: its exit code, its words, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runs import Capture, run_cli, succeed

WIDE = """
import torch
from evofool.targets.registry import load_target

known = load_target("digits", device="cpu", precision="float32")

class Wide(torch.nn.Module):
    image_shape, classes = known.image_shape, known.classes

    def __init__(self):
        super().__init__()
        self.network = known.network

    def forward(self, images):
        return self.network(images / 255)
"""


@pytest.fixture
def wide(tmp_path: Path) -> str:
    """A network that takes pixels from 0 to 255."""
    (tmp_path / "wide.py").write_text(WIDE, encoding="utf-8")
    return f"{tmp_path}/wide.py:Wide"


def test_a_right_target_ends_with_0(capsys: Capture) -> None:
    shown = succeed(capsys, "targets", "check", "digits", "--data", "digits", "--count", 60, "--device", "cpu").out
    assert shown.startswith("digits: nothing wrong was found\n")
    assert "as understood" in shown


def test_a_mistake_ends_with_1_and_its_option_mends_it(wide: str, capsys: Capture) -> None:
    command = ["targets", "check", wide, "--data", "digits", "--count", "60"]
    outcome = run_cli(capsys, *command)
    assert (outcome.code, outcome.err) == (1, "")
    assert "wrong: the classifier expects pixels from 0 to 255" in outcome.out
    assert outcome.out.rstrip().endswith("say --range 0-255")
    assert run_cli(capsys, *command, "--range", "0-255").code == 0


def test_with_json_it_is_one_object(wide: str, capsys: Capture) -> None:
    outcome = run_cli(capsys, "targets", "check", wide, "--data", "digits", "--count", "60", "--json")
    assert outcome.code == 1
    checkup = json.loads(outcome.out)
    assert checkup["ok"] is False
    assert [finding["fix"] for finding in checkup["findings"]] == ["say --range 0-255"]
    assert checkup["images"]["count"] == 60
    assert checkup["accuracies"][0]["reading"] == "as understood"


def test_without_data_only_pictures_are_scored(capsys: Capture) -> None:
    shown = succeed(capsys, "targets", "check", "digits", "--device", "cpu").out
    for picture in ("noise", "grey", "black", "white"):
        assert f"\n  {picture} " in shown
    assert "right" not in shown


def test_pictures_without_labels_are_scored_and_said_to_tell_no_accuracy(tmp_path: Path, capsys: Capture) -> None:
    from labelled import picture

    picture(tmp_path / "pictures" / "a.png")
    shown = succeed(capsys, "targets", "check", "cifar10", "--data", tmp_path / "pictures", "--device", "cpu").out
    assert "1 of pictures, mean confidence" in shown
    assert "labels  none, so nothing is said of accuracy" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("digit", 'unknown target "digit" (did you mean "digits"?)'),
        ("digits --data nowhere", "no data at --data nowhere"),
        ("digits --data cifar10", "--data cifar10 is RGB, the target takes grey images"),
        ("digits --count 0", "--count must be a whole number of at least 1"),
        ("missing.onnx", "missing.onnx"),
        ("digits --mean 0.5", "leave --mean out"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(words: str, message: str, capsys: Capture) -> None:
    outcome = run_cli(capsys, "targets", "check", *words.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1
    assert message in outcome.err


def test_a_target_is_needed(capsys: Capture) -> None:
    outcome = run_cli(capsys, "targets", "check")
    assert outcome.code == 2
    assert "TARGET" in outcome.err


def test_targets_goes_on_as_it_was_beside_it(capsys: Capture) -> None:
    assert succeed(capsys, "targets", "show", "digits").out == succeed(capsys, "targets", "digits").out
    assert "evofool targets check" in succeed(capsys, "targets", "--help").out
