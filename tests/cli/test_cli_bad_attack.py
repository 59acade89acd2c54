"""Bad options and data of attacks: one line, exit code 2, no traceback, nothing left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from runs import Capture, assert_refused, run_cli, tree

from evofool.datasets.named import digits

ATTACK = ["attack", "--device", "cpu", "--count", "3", "--queries", "30"]
"""Three digits; an option that follows replaces one of these."""


def refused(capsys: Capture, tmp_path: Path, *options: object, parts: list[str]) -> None:
    """Check that an attack with these options is refused and leaves no file and no folder."""
    before = sorted(tmp_path.rglob("*"))
    assert_refused(run_cli(capsys, *ATTACK, "--out", tmp_path / "out", *options), *parts)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ("--target digts --data digits", ['unknown target "digts"', 'did you mean "digits"']),
        ("--target digts", ['mean "digits"']),
        ("--target resnet18 --data digits", ['did you mean "torchvision:resnet18"']),
        ("--target torchvision:squeezenet1_1", ["needs --data", "imagenet", "a folder of pictures"]),
        ("--target cifar10:resnet44", ["no embedded weights", "--weights FILE"]),
        ("--target digits --data dgits", ["no data at --data dgits", 'did you mean "digits"']),
        ("--target digits --data nowhere.npz", ["no data at --data nowhere.npz"]),
        ("--data dgits", ['did you mean "digits"']),
        ("--data svhn", ["--data svhn needs a --target"]),
        ("--data nowhere.npz", ["nowhere.npz"]),
        ("--target digits --data " + "x" * 300, ["xxx"]),
        ("--target cifar10 --data digits", ["--data digits is grey", "takes RGB"]),
        ("--strategy locl", ['unknown strategy "locl"', 'did you mean "local"']),
        ("--strategy best", ['unknown strategy "best"', "best1bin"]),
        ("--strategy=", ['unknown strategy ""']),
        ("--preset su2018", ['unknown preset "su2018"', "su2019 or hyperparticle"]),
        ("--preset local", ['unknown preset "local"']),
        ("--preset su2019 --strategy de", ["--preset su2019", "leave --strategy de out"]),
        ("--criterion untargetted", ['no class is called "untargetted"']),
        ("--criterion 10", ["class 10 is not there", "0 to 9"]),
        ("--criterion=-1", ["class -1 is not there"]),
        ("--criterion 3,tree", ['no class is called "tree"', "0, 1, 2"]),
        ("--criterion=", ["--criterion", "got nothing"]),
        ("--criterion=,", ["--criterion"]),
        ("--pixels 0", ["--pixels must be 1 to 64", "8 × 8", "got 0"]),
        ("--pixels=-1", ["--pixels must be 1 to 64", "got -1"]),
        ("--pixels 65", ["--pixels must be 1 to 64", "got 65"]),
        ("--pixels many", ["--pixels must be a number or auto", '"many"']),
        ("--pixels 1.5", ["--pixels must be a number or auto", '"1.5"']),
        ("--pixels=", ["--pixels must be a number or auto", '""']),
        ("--pixels 99999999999999999999", ["--pixels"]),
        ("--pixels ²", ["--pixels must be a number or auto"]),
        ("--max-pixels 3", ["--max-pixels", "leave it out"]),
        ("--pixels 2 --max-pixels 3", ["--max-pixels", "leave it out"]),
        ("--pixels auto --max-pixels 65", ["--max-pixels must be 1 to 64", "got 65"]),
        ("--pixels auto --max-pixels=-2", ["--max-pixels must be a whole number of at least 1, got -2"]),
        ("--pixels auto --max-pixels 0",
            ["--max-pixels must be a whole number of at least 1, got 0"],
        ),
        ("--pixels auto --strategy corners", ["corners", "--pixels 1"]),
        ("--pixels 2 --strategy corners", ["corners", "--pixels 1"]),
        ("--pixels auto --baseline", ["--baseline", "give --pixels a number"]),
        ("--queries 0", ["--queries must be a whole number of at least 1, got 0"]),
        ("--queries=-5", ["--queries", "got -5"]),
        ("--queries lots", ["--queries", 'expected a whole number, got "lots"']),
        ("--count 0", ["--count must be a whole number of at least 1, got 0"]),
        ("--count=-3", ["--count", "got -3"]),
        ("--count few", ["--count", 'expected a whole number, got "few"']),
        ("--seed=-1", ["--seed", "-1"]),
        ("--seed now", ["--seed", 'expected a whole number, got "now"']),
        ("--device tpu", ['unknown device "tpu"', "--device must be auto, cpu"]),
        ("--precision half", ['unknown precision "half"']),
        ("--micro-batch 0", ["micro-batch", "at least 1"]),
        ("--weights nowhere.safetensors", ["no weights file at nowhere.safetensors"]),
        ("--pixel 3", ["--pixel", "--pixels"]),
        ("--generations 3", ["--generations"]),
        ("digits", ["digits"]),
    ],
)  # fmt: skip
def test_a_bad_option_of_attack_is_refused(options: str, parts: list[str], tmp_path: Path, capsys: Capture) -> None:
    refused(capsys, tmp_path, *options.split(" "), parts=parts)


def save(path: Path, images: Any, labels: Any, **more: Any) -> Path:
    np.savez(path, images=images, labels=labels, **more)
    return path


def some(n: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Digits (n, 8, 8) that the embedded network gets right, with their labels."""
    images, labels = digits(train=False)
    return images[:n, 0], labels[:n]


IMAGES, LABELS = some()


@pytest.mark.parametrize(
    ("arrays", "parts"),
    [
        ({"labels": LABELS + 5}, ["set.npz, image ", "has the label 1", "digits has classes 0 to 9"]),
        ({"labels": LABELS - 2}, ["has classes 0 to 9"]),
        ({"labels": LABELS / 2}, ["whole number", "float64"]),
        ({"labels": LABELS[:-1]}, ["each of the 12 images", "(11,)"]),
        ({"labels": np.eye(10, dtype=int)[LABELS]}, ["labels (12, 10) are one-hot", "np.argmax(labels, axis=1)"]),
        ({"classes": np.array([*"012345678", "X"])}, ['"X" is none of the target\'s 10 classes']),
        ({"images": IMAGES[:, :7]}, ["images of set are 8 × 7 grey", "digits takes 8 × 8 grey"]),
        ({"images": np.stack([IMAGES] * 3, 3)}, ["8 × 8 RGB", "digits takes 8 × 8 grey"]),
        ({"images": np.stack([IMAGES] * 4, 3)}, ["expected images (N, H, W, 3)", "(12, 8, 8, 4)"]),
        ({"images": IMAGES.astype(np.float32)}, ["images are float32", "expected uint8"]),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, ["holds no images"]),
        ({"images": IMAGES.astype(object)}, ["not a readable image archive"]),
        ({"labels": (LABELS + 1) % 10}, ["misclassifies all 12 images of set", "--include-misclassified"]),
    ],
    ids=[
        "label too large", "label below 0", "label a fraction", "label missing", "labels one-hot", "names partly known",
        "too small", "colours", "four channels", "floats", "empty", "pickled", "all wrong",
    ],
)  # fmt: skip
def test_an_archive_that_does_not_fit_is_refused(
    arrays: dict[str, Any], parts: list[str], tmp_path: Path, capsys: Capture
) -> None:
    data = save(tmp_path / "set.npz", **({"images": IMAGES, "labels": LABELS} | arrays))
    refused(capsys, tmp_path, "--target", "digits", "--data", data, parts=parts)


def test_grey_images_for_a_target_of_colours_are_refused(tmp_path: Path, capsys: Capture) -> None:
    data = save(tmp_path / "set.npz", np.zeros((3, 32, 32), np.uint8), [0, 1, 2])
    refused(capsys, tmp_path, "--target", "cifar10", "--data", data, parts=["32 × 32 grey", "takes 32 × 32 RGB"])


def test_a_criterion_that_all_images_have_already_is_refused(tmp_path: Path, capsys: Capture) -> None:
    data = save(tmp_path / "set.npz", IMAGES[LABELS == 3], LABELS[LABELS == 3])
    assert (LABELS == 3).any()
    refused(
        capsys,
        tmp_path,
        "--target",
        "digits",
        "--data",
        data,
        "--criterion",
        3,
        parts=["every image of set is of the only class to reach", "another --criterion or --data"],
    )


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "not a readable image archive"),
        (b"no archive at all", "not a readable image archive"),
        (b"PK\x03\x04 torn", "not a readable image archive"),
    ],
)
def test_a_corrupt_archive_is_refused(content: bytes, part: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "set.npz").write_bytes(content)
    refused(capsys, tmp_path, "--target", "digits", "--data", tmp_path / "set.npz", parts=[part, "set.npz"])


@pytest.mark.parametrize("missing", ["images", "labels"])
def test_an_archive_without_images_or_labels_is_refused(missing: str, tmp_path: Path, capsys: Capture) -> None:
    arrays = {"images": IMAGES, "labels": LABELS}
    del arrays[missing]
    np.savez(tmp_path / "set.npz", **arrays)  # type: ignore[arg-type]
    refused(
        capsys,
        tmp_path,
        "--target",
        "digits",
        "--data",
        tmp_path / "set.npz",
        parts=[f"it has no array {missing}", "expected images"],
    )


def test_a_truncated_archive_is_refused(tmp_path: Path, capsys: Capture) -> None:
    file = save(tmp_path / "set.npz", IMAGES, LABELS)
    file.write_bytes(file.read_bytes()[:-200])
    refused(capsys, tmp_path, "--target", "digits", "--data", file, parts=["not a readable image archive"])


@pytest.mark.parametrize("name", ["notes.txt", "photo.png", "weights.safetensors"])
def test_a_file_that_is_no_archive_is_refused(name: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / name).write_bytes(b"mine")
    parts = ["is a file; expected an .npz archive", name]
    refused(capsys, tmp_path, "--target", "digits", "--data", tmp_path / name, parts=parts)


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        ([], ["holds no pictures"]),
        (["a.txt", "b.csv"], ["holds no pictures"]),
        (["3/a.txt"], ["holds no pictures"]),
        (["a.png", "b.png"], ["none of the 2 images", "a.png", "not an image"]),
        (["cat/a.png"], ["the folders in", '"cat" is none of the target\'s 10 classes']),
        (["10/a.png"], ["the folders in", '"10" is none of the target\'s 10 classes']),
    ],
    ids=["empty", "texts", "texts in a class", "no pictures but in name", "a class of no name", "a class too many"],
)
def test_a_folder_without_usable_pictures_is_refused(
    files: list[str], parts: list[str], tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for file in files:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text("no picture")
    refused(capsys, tmp_path, "--target", "digits", "--data", folder, parts=parts)


def test_named_data_that_cannot_be_had_are_refused(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import MNIST

    def offline(data: MNIST) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(MNIST, "download", offline)
    outcome = run_cli(capsys, *ATTACK, "--target", "mnist", "--data-dir", tmp_path / "d", "--out", tmp_path / "out")
    assert_refused(outcome, "no MNIST under", "no route to host", "--data-dir")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", ["file/run", "file", "x" * 300])
def test_an_out_that_cannot_be_written_is_refused(path: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("mine")
    assert_refused(run_cli(capsys, *ATTACK, "--out", tmp_path / path), str(tmp_path / path)[:100])
    assert tree(tmp_path) == {"file": b"mine"}


def test_an_existing_folder_is_not_written_into(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to.txt").write_text("dear")
    outcome = run_cli(capsys, *ATTACK, "--out", tmp_path / "letters")
    assert_refused(outcome, "exists already")
    assert "resume" not in outcome.err
    assert tree(tmp_path) == {"letters/to.txt": b"dear"}


def test_pictures_of_another_mode_are_no_error(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "pictures"
    for index in range(3):
        (folder / f"{LABELS[index]}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(IMAGES[index]).convert("RGBA").save(folder / f"{LABELS[index]}" / f"{index}.png")
    words = ["--target", "digits", "--data", folder, "--out", tmp_path / "out", "--pixels", 5, "--quiet"]
    assert run_cli(capsys, *ATTACK, *words).code == 0
