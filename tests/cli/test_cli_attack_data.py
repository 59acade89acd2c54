"""``evofool attack`` and its images: data sets, folders, archives, and images that the target gets wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from digit_attacks import ATTACK, answer_of, config_of, outcomes_of, summary_rows
from PIL import Image
from runs import Capture, json_lines, succeed

from evofool.datasets.named import digits


def test_images_that_were_wrong_before_are_not_counted(tmp_path: Path, capsys: Capture) -> None:
    images, labels = digits(train=False)
    np.savez(tmp_path / "half.npz", images=images[:8, 0], labels=(labels[:8] + np.arange(8) % 2) % 10)
    out = tmp_path / "campaign"
    words = ["--target", "digits", "--data", tmp_path / "half.npz", "--count", 8]
    shown = summary_rows(succeed(capsys, *ATTACK, *words, "--include-misclassified", "--out", out).out)
    wrong = [outcome for outcome in outcomes_of(out) if outcome["already"]]
    assert len(wrong) == 4
    assert all(v["queries"] == 0 and v["edits"] == [] and not v["success"] for v in wrong)
    assert shown["success"].split(":")[0].endswith(" of 4")
    assert shown["wrong before"].startswith("4,")
    assert answer_of(capsys, tmp_path / "clean", *words)["images"] == 4  # They are left out unless asked for.


def test_first_takes_the_data_s_own_order(tmp_path: Path, capsys: Capture) -> None:
    labels = digits(train=False)[1]
    answer_of(capsys, tmp_path / "first", "--first", "--count", 7)
    lines = json_lines(tmp_path / "first" / "images.jsonl")
    assert [line["id"] for line in lines] == [f"digits:{index}" for index in range(7)]
    assert [line["label"] for line in lines] == labels[:7].tolist()
    assert config_of(tmp_path / "first")["options"]["first"] is True


def test_data_may_be_an_archive_or_a_folder_a_class(tmp_path: Path, capsys: Capture) -> None:
    images, labels = digits(train=False)
    some = slice(0, 12)
    np.savez(tmp_path / "set.npz", images=images[some, 0], labels=labels[some])
    for index in range(12):
        folder = tmp_path / "pictures" / f"{labels[index]}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[index, 0]).save(folder / f"{index:02d}.png")
    (tmp_path / "pictures" / "0" / "broken.png").write_bytes(b"no picture")
    words = ["--target", "digits", "--count", 12, "--queries", 60]
    answer_of(capsys, tmp_path / "a", *words, "--data", tmp_path / "set.npz")
    shown = summary_rows(succeed(capsys, *ATTACK, *words, "--data", tmp_path / "pictures", "--out", tmp_path / "b").out)
    hashes = [{line["sha256"]: line["label"] for line in json_lines(tmp_path / name / "images.jsonl")} for name in "ab"]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) > 8
    assert shown["left out"].startswith("1 file: 0/broken.png (")
    assert {line["id"] for line in json_lines(tmp_path / "b" / "images.jsonl")} <= {
        f"{label}/{index:02d}.png" for index, label in enumerate(labels[some])
    }


def test_data_of_a_known_name_brings_its_target(tmp_path: Path, capsys: Capture) -> None:
    assert answer_of(capsys, tmp_path / "campaign", "--data", "digits", "--count", 2)["target"] == "digits"


def test_mnist_is_read_from_the_data_folder(shared: Path, tmp_path: Path, capsys: Capture) -> None:
    words = ["--target", "mnist", "--data-dir", shared / "data", "--count", 2, "--pixels", 40, "--queries", 60]
    answer = answer_of(capsys, tmp_path / "campaign", *words)
    assert (answer["target"], answer["data"], answer["images"]) == ("mnist", "mnist", 2)
    assert np.load(tmp_path / "campaign" / "images.npy").shape == (2, 1, 28, 28)


def test_an_exported_archive_can_be_attacked_again(digit_campaign: Path, tmp_path: Path, capsys: Capture) -> None:
    archive = ["--target", "digits", "--data", digit_campaign / "adversarial.npz"]
    out = tmp_path / "campaign"
    shown = succeed(capsys, *ATTACK, *archive, "--include-misclassified", "--criterion", 0, "--out", out).out
    assert "done: digits, 0, local" in shown


def test_labels_in_another_order_are_doubted_everywhere(tmp_path: Path, capsys: Capture) -> None:
    images, labels = digits(train=False)
    moved = np.where(np.arange(len(labels)) % 20 == 0, labels, (labels + 3) % 10)
    np.savez(tmp_path / "moved.npz", images=images[:, 0], labels=moved)
    words = ["--target", "digits", "--data", tmp_path / "moved.npz", "--queries", 5]
    shown = succeed(capsys, *ATTACK, *words, "--out", tmp_path / "a").out
    assert shown.startswith("warning: only ")
    assert "hardly more than by chance (1 of 10)" in summary_rows(shown)["warning"]
    (warning,) = answer_of(capsys, tmp_path / "b", *words)["warnings"]
    assert "hardly more than by chance" in warning
    assert warning in (tmp_path / "a" / "report.html").read_text(encoding="utf-8")


def test_folders_of_other_names_are_taken_in_order_and_the_order_is_told(tmp_path: Path, capsys: Capture) -> None:
    images, labels = digits(train=False)
    for index in range(60):
        folder = tmp_path / "pictures" / "abcdefghij"[labels[index]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[index, 0]).save(folder / f"{index:02d}.png")
    words = ["--target", "digits", "--data", tmp_path / "pictures", "--queries", 5]
    output = succeed(capsys, *ATTACK, *words, "--out", tmp_path / "out").out
    assert output.startswith("classes: no folder's name is that of a class")
    shown = summary_rows(output)
    assert shown["classes"].endswith("they are in order: " + ", ".join(f"{'abcdefghij'[i]} → {i}" for i in range(10)))
    assert config_of(tmp_path / "out")["data"]["mapping"][3] == ["d", 3]


def test_folders_called_by_the_words_of_digits_are_their_classes(tmp_path: Path, capsys: Capture) -> None:
    images, labels = digits(train=False)
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    for index in range(30):
        folder = tmp_path / "pictures" / words[labels[index]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[index, 0]).save(folder / f"{index:02d}.png")
    answer = answer_of(
        capsys, tmp_path / "out", "--target", "digits", "--data", tmp_path / "pictures", "--count", 30, "--queries", 5
    )
    assert answer["correct"] >= 28
    assert (answer["mapping"], answer["warnings"]) == (None, [])
