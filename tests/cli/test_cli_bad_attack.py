"""Bad attacks, data and campaign folders: one line, exit code 2, no traceback, nothing left behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns import write_lines
from PIL import Image
from runs import Capture, assert_refused, change_config, json_lines, run_cli, save_weights, small_evolve, tree

from evofool import load_target
from evofool.datasets.named import digits
from evofool.jobs import campaign as campaigning
from evofool.targets import networks

ATTACK = ["attack", "--device", "cpu", "--count", "3", "--queries", "30"]
"""three digits; options that follow go before these"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign with successes; copied, never changed."""
    path = tmp_path_factory.mktemp("finished") / "campaign"
    result = campaigning.attack(out=path, count=4, pixels=3, queries=300, device="cpu")
    assert result.statistics.successes
    return path


@pytest.fixture
def campaign(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "campaign"))


def refused(capsys: Capture, tmp_path: Path, *options: object, parts: list[str]) -> None:
    """An attack with these options is refused and leaves no file and no folder."""
    before = sorted(tmp_path.rglob("*"))
    assert_refused(run_cli(capsys, *ATTACK, "--out", tmp_path / "out", *options), *parts)
    assert sorted(tmp_path.rglob("*")) == before


def refused_untouched(capsys: Capture, folder: Path, *words: object, parts: list[str]) -> None:
    before = tree(folder)
    assert_refused(run_cli(capsys, *words), *parts)
    assert tree(folder) == before


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
        ("--pixels many", ["--pixels is a number or auto", '"many"']),
        ("--pixels 1.5", ["--pixels is a number or auto", '"1.5"']),
        ("--pixels=", ["--pixels is a number or auto", '""']),
        ("--pixels 99999999999999999999", ["--pixels"]),
        ("--pixels ²", ["--pixels is a number or auto"]),
        ("--max-pixels 3", ["--max-pixels", "leave it out"]),
        ("--pixels 2 --max-pixels 3", ["--max-pixels", "leave it out"]),
        ("--pixels auto --max-pixels 65", ["--max-pixels must be 1 to 64", "got 65"]),
        ("--pixels auto --max-pixels=-2", ["--max-pixels must be 1 to 64", "got -2"]),
        ("--pixels auto --max-pixels 0",
            ["--max-pixels must be 1 to 64", "got 0"],
        ),
        ("--pixels auto --strategy corners", ["corners", "--pixels 1"]),
        ("--pixels 2 --strategy corners", ["corners", "--pixels 1"]),
        ("--pixels auto --baseline", ["--baseline", "give --pixels a number"]),
        ("--queries 0", ["--queries", "at least 1", "got 0"]),
        ("--queries=-5", ["--queries", "got -5"]),
        ("--queries lots", ["--queries", "integer"]),
        ("--count 0", ["--count", "at least 1", "got 0"]),
        ("--count=-3", ["--count", "got -3"]),
        ("--count few", ["--count", "integer"]),
        ("--seed=-1", ["--seed", "-1"]),
        ("--seed now", ["--seed", "integer"]),
        ("--device tpu", ['unknown device "tpu"', "expected auto, cpu"]),
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
        ({"labels": LABELS + 5}, ["set:", "has label 1", "digits has classes 0 to 9"]),
        ({"labels": LABELS - 2}, ["has classes 0 to 9"]),
        ({"labels": LABELS / 2}, ["whole number", "float64"]),
        ({"labels": LABELS[:-1]}, ["each of the 12 images", "(11,)"]),
        ({"labels": LABELS[:, None]}, ["labels (12, 1)"]),
        ({"images": IMAGES[:, :7]}, ["images of set are 8 × 7 grey", "digits takes 8 × 8 grey"]),
        ({"images": np.stack([IMAGES] * 3, 3)}, ["8 × 8 RGB", "digits takes 8 × 8 grey"]),
        ({"images": np.stack([IMAGES] * 4, 3)}, ["expected images (N, H, W, 3)", "(12, 8, 8, 4)"]),
        ({"images": IMAGES.astype(np.float32)}, ["images are float32", "expected uint8"]),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, ["holds no images"]),
        ({"images": IMAGES.astype(object)}, ["not a readable image archive"]),
        ({"labels": (LABELS + 1) % 10}, ["misclassifies all 12 images of set", "--include-misclassified"]),
    ],
    ids=[
        "label too large", "label below 0", "label a fraction", "label missing", "labels as a column", "too small",
        "colours", "four channels", "floats", "empty", "pickled", "all wrong",
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
        parts=["criterion's own class", "--criterion"],
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
    refused(capsys, tmp_path, "--target", "digits", "--data", tmp_path / "set.npz", parts=[missing, "expected an .npz"])


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
        (["cat/a.png"], ['the folder "cat"', "10 classes"]),
        (["10/a.png"], ['the folder "10"', "10 classes"]),
    ],
    ids=["empty", "texts", "texts in a class", "no pictures but in name", "a class of no name", "a class too many"],
)
def test_a_folder_without_usable_pictures_is_refused(
    files: list[str], parts: list[str], tmp_path: Path, capsys: Capture
) -> None:
    place = tmp_path / "pictures"
    place.mkdir()
    for file in files:
        (place / file).parent.mkdir(exist_ok=True)
        (place / file).write_text("no picture")
    refused(capsys, tmp_path, "--target", "digits", "--data", place, parts=parts)


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


@pytest.mark.parametrize("place", ["file/run", "file", "x" * 300])
def test_an_out_that_cannot_be_written_is_refused(place: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("mine")
    assert_refused(run_cli(capsys, *ATTACK, "--out", tmp_path / place), str(tmp_path / place)[:100])
    assert tree(tmp_path) == {"file": b"mine"}


def test_an_existing_campaign_is_not_overwritten_and_resume_is_named(campaign: Path, capsys: Capture) -> None:
    parts = ["exists already", f"evofool resume {campaign}"]
    refused_untouched(capsys, campaign, *ATTACK, "--out", campaign, parts=parts)


def test_an_existing_folder_is_not_written_into(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to.txt").write_text("dear")
    outcome = run_cli(capsys, *ATTACK, "--out", tmp_path / "letters")
    assert_refused(outcome, "exists already")
    assert "resume" not in outcome.err
    assert tree(tmp_path) == {"letters/to.txt": b"dear"}


COMMANDS = ["resume", "inspect", "report"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_and_a_file_that_are_no_campaign_are_refused(command: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path, tmp_path / "file", tmp_path / "file" / "below", tmp_path / "no", tmp_path / ("x" * 300)):
        refused_untouched(capsys, tmp_path, command, place, parts=["no ", str(place)[:100]])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["config.json is damaged"]),
        ('{"format": 1, "evofo', ["config.json is damaged"]),
        ("[]", ["config.json is damaged"]),
        ("null", ["config.json is damaged"]),
        ('{"format": 2, "evofool": "attack"}', ["format 2", "reads 1"]),
        ('{"format": 2, "evofool": "attack", "versions": {"evofool": "9.1"}}', ["format 2", "9.1"]),
        ('{"format": 1, "evofool": "attack"}', ["config"]),
        ('{"format": 1, "evofool": "attack", "target": null, "data": [], "pixels": 3}', ["config"]),
    ],
)
def test_a_config_that_cannot_be_used_is_refused(
    content: str, parts: list[str], command: str, campaign: Path, capsys: Capture
) -> None:
    (campaign / "config.json").write_text(content)
    refused_untouched(capsys, campaign, command, campaign, parts=parts)


@pytest.mark.parametrize("key", ["target", "data", "criterion", "classes", "versions", "queries", "seed", "baseline"])
def test_a_config_that_lacks_something_is_refused_by_report(key: str, campaign: Path, capsys: Capture) -> None:
    config = json.loads((campaign / "config.json").read_text())
    del config[key]
    (campaign / "config.json").write_text(json.dumps(config))
    refused_untouched(capsys, campaign, "report", campaign, parts=[str(campaign)])


@pytest.mark.parametrize(
    "changes",
    [
        {"pixels": []},
        {"pixels": [0]},
        {"pixels": ["one"]},
        {"pixels": None},
        {"strategy": "locl"},
        {"strategy": None},
        {"criteria": None},
        {"criteria": [99]},
        {"criteria": ["cat"]},
        {"criteria": "some"},
        {"queries": "many"},
        {"queries": -1},
        {"seed": "lucky"},
        {"seed": -1},
        {"rows": "many"},
        {"rows": -1},
        {"classes": ["cat"]},
        {"classes": None},
        {"target": "digits"},
        {"target": {"name": "digits"}},
    ],
    ids=str,
)
def test_a_config_changed_to_nonsense_is_refused(changes: dict[str, object], campaign: Path, capsys: Capture) -> None:
    change_config(campaign, **changes)
    first = (campaign / "outcomes.jsonl").read_bytes().splitlines(keepends=True)[0]
    (campaign / "outcomes.jsonl").write_bytes(first)  # there is something left to fight
    refused_untouched(capsys, campaign, "resume", campaign, parts=[])


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-10])


def _other(file: Path) -> None:
    images = np.load(file)
    np.save(file, 255 - images)


def _float(file: Path) -> None:
    np.save(file, np.load(file).astype(np.float32))


def _fewer(file: Path) -> None:
    np.save(file, np.load(file)[:-1])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (Path.unlink, "is missing or damaged"),
        (_cut, "is missing or damaged"),
        (lambda file: file.write_bytes(b""), "is missing or damaged"),
        (lambda file: file.write_bytes(b"no array"), "is missing or damaged"),
        (_float, "don't fit each other"),
        (_fewer, "don't fit each other"),
    ],
    ids=["missing", "truncated", "empty", "text", "floats", "one less"],
)
def test_images_that_cannot_be_used_are_refused(
    damage: Callable[[Path], None], part: str, command: str, campaign: Path, capsys: Capture
) -> None:
    damage(campaign / "images.npy")
    refused_untouched(capsys, campaign, command, campaign, parts=[part, "images.npy"])


def test_images_other_than_those_chosen_are_refused(campaign: Path, capsys: Capture) -> None:
    _other(campaign / "images.npy")
    refused_untouched(capsys, campaign, "report", campaign, parts=["not the one that was chosen"])
    (campaign / "outcomes.jsonl").unlink()
    refused_untouched(capsys, campaign, "resume", campaign, parts=["not the one that was chosen"])


@pytest.mark.parametrize("command", COMMANDS)
def test_lines_of_images_that_are_missing_or_torn_are_refused(command: str, campaign: Path, capsys: Capture) -> None:
    whole = (campaign / "images.jsonl").read_bytes()
    for content in (whole[:-20], b"", b"5\n" + whole):
        (campaign / "images.jsonl").write_bytes(content)
        refused_untouched(capsys, campaign, command, campaign, parts=["don't fit each other"])


@pytest.mark.parametrize("command", COMMANDS)
def test_outcomes_that_are_no_text_are_refused_or_passed_over(command: str, campaign: Path, capsys: Capture) -> None:
    (campaign / "outcomes.jsonl").write_bytes(b"\xff\xfe\x00 no text \xff\n")
    outcome = run_cli(capsys, command, campaign)
    if outcome.code != 0:
        assert_refused(outcome, "outcomes.jsonl")


def change_outcome(campaign: Path, **changes: Any) -> None:
    """Edit the first success by hand."""
    found = json_lines(campaign / "outcomes.jsonl")
    next(outcome for outcome in found if outcome["success"]).update(changes)
    write_lines(campaign, "outcomes.jsonl", found)


@pytest.mark.parametrize(
    "changes",
    [
        {"edits": [{"x": 99, "y": 0, "colour": [5]}] * 3},
        {"edits": [{"x": 1, "y": 0, "colour": [5, 5]}] * 3},
        {"edits": [{"y": 1}]},
        {"top5": []},
        {"label": None},
        {"final_index": 99},
        {"edits": None},
        {"queries": "many"},
    ],
    ids=str,
)
def test_a_outcome_of_nonsense_is_refused_by_report(changes: dict[str, Any], campaign: Path, capsys: Capture) -> None:
    change_outcome(campaign, **changes)
    refused_untouched(capsys, campaign, "report", campaign, parts=[str(campaign)])


def test_resume_with_limits_is_refused_for_a_campaign(campaign: Path, capsys: Capture) -> None:
    for limit in ("--generations", "--evaluations", "--minutes"):
        refused_untouched(
            capsys, campaign, "resume", campaign, limit, 5, parts=["is a campaign", "leave the limits out"]
        )
    refused_untouched(capsys, campaign, "resume", campaign, "--until", 0.9, parts=["leave the limits out"])


def test_a_run_of_evolve_is_no_campaign_to_report(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    small_evolve(run, generations=1, classes=["3"])
    refused_untouched(capsys, run, "report", run, parts=[str(run), "is a run", "expected a campaign"])


def test_one_bad_campaign_among_several_is_refused(campaign: Path, tmp_path: Path, capsys: Capture) -> None:
    parts = ["no campaign at", "nowhere"]
    refused_untouched(capsys, tmp_path, "report", campaign, tmp_path / "nowhere", parts=parts)


@pytest.mark.parametrize("name", ["page.pdf", "page", ".html", "page.html.png"])
def test_a_report_that_is_no_html_file_is_refused(name: str, campaign: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / name
    refused_untouched(capsys, tmp_path, "report", campaign, "--out", out, parts=["--out must name an .html", name])


def test_a_report_that_cannot_be_written_is_refused(campaign: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder.html").mkdir()
    for place in (tmp_path / "file" / "page.html", tmp_path / "folder.html"):
        refused_untouched(capsys, tmp_path, "report", campaign, "--out", place, parts=["cannot write to"])


def test_a_campaign_whose_weights_changed_is_refused(tmp_path: Path, capsys: Capture) -> None:
    network = networks.DigitsNet()
    network.load_state_dict(load_target("digits", device="cpu").network.state_dict())
    weights, path = save_weights(network, tmp_path / "own.safetensors"), tmp_path / "campaign"
    campaigning.attack("digits", out=path, weights=weights, count=2, pixels=5, queries=200, device="cpu")
    save_weights(network, weights, scale=1.01)
    refused_untouched(capsys, path, "resume", path, parts=["weights of digits", "SHA-256"])
    weights.unlink()
    refused_untouched(capsys, path, "resume", path, parts=["no weights file", str(weights)])


def test_pictures_of_another_mode_are_no_error(tmp_path: Path, capsys: Capture) -> None:
    place = tmp_path / "pictures"
    for index in range(3):
        (place / f"{LABELS[index]}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(IMAGES[index]).convert("RGBA").save(place / f"{LABELS[index]}" / f"{index}.png")
    words = ["--target", "digits", "--data", place, "--out", tmp_path / "out", "--pixels", 5, "--quiet"]
    assert run_cli(capsys, *ATTACK, *words).code == 0
