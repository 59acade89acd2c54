"""``evofool targets`` and ``evofool score`` when all is well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from runs import Capture, json_lines, succeed


def test_targets_lists_every_card(capsys: Capture) -> None:
    names = json.loads(succeed(capsys, "targets", "--json").out)
    assert {"cifar10", "mnist", "digits"} <= set(names)
    shown = succeed(capsys, "targets").out.splitlines()
    first_words = [line.split()[0] for line in shown if line[:1].strip()]  # Of rows, not of what a cell folds into.
    assert first_words[1 : len(names) + 1] == names
    assert {"torchvision:resnet18", "timm:resnet18", "network.onnx", "path/to/file.py:attribute,"} <= set(first_words)


@pytest.mark.parametrize("name", ["cifar10", "cifar10:resnet44", "mnist", "digits", "torchvision:squeezenet1_1"])
def test_a_card_tells_all_that_a_user_needs(name: str, capsys: Capture) -> None:
    shown = succeed(capsys, "targets", name).out
    assert shown.splitlines()[0] == name
    words = ["architecture", "classes", "images", "mean / std", "other sizes", "data", "accuracy", "licence", "weights"]
    assert [word for word in words if not any(line.startswith(f"  {word} ") for line in shown.splitlines())] == []
    card = json.loads(succeed(capsys, "targets", name, "--json").out)
    assert card["name"] == name
    assert len(card["classes"]) == (1000 if name.startswith("torchvision") else 10)


def test_targets_torchvision_lists_its_models(capsys: Capture) -> None:
    names = json.loads(succeed(capsys, "targets", "torchvision", "--json").out)
    assert "torchvision:squeezenet1_1" in names
    assert succeed(capsys, "targets", "torchvision").out.split() == names


def test_scoring_saved_elites_gives_the_recorded_confidence(cppn_run: Path, capsys: Capture) -> None:
    elites = json_lines(cppn_run / "elites.jsonl")
    files = [cppn_run / line["file"] for line in elites]
    answer = json.loads(succeed(capsys, "score", *files, "--target", "digits", "--json").out)
    assert answer["target"] == "digits"
    assert [entry["image"] for entry in answer["images"]] == [str(file) for file in files]
    for line, entry in zip(elites, answer["images"], strict=True):
        assert len(entry["top5"]) == 5
        guesses = {guess["class"]: guess["confidence"] for guess in entry["top5"]}
        assert guesses[line["class"]] == pytest.approx(line["score"], abs=1e-4)
        assert list(guesses.values()) == sorted(guesses.values(), reverse=True)


def test_score_shows_five_guesses_a_picture(cppn_run: Path, tmp_path: Path, capsys: Capture) -> None:
    photo = tmp_path / "photo [1].jpg"
    Image.new("RGB", (64, 48), "white").save(photo)
    shown = succeed(capsys, "score", photo, "--target", "digits").out.splitlines()
    assert shown[0] == f"{photo}  by digits, 64 × 48, resized to 8 × 8 pixels and cropped to its centre"
    assert len(shown) == 6
    assert all("%" in line for line in shown[1:])
