"""Bad options, weights, pictures and genomes: one line, exit code 2, no traceback, nothing left behind."""

from __future__ import annotations

import json
import os
import pickle
import urllib.error
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from runs import assert_refused, run_cli, save_weights, small_evolve, tree

from evofool.zoo import embedded_weights, networks

Capture = pytest.CaptureFixture[str]

EVOLVE = ["evolve", "--target", "digits", "--generations", "1", "--batch", "20", "--device", "cpu"]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ("--target digts", ['unknown target "digts"', 'did you mean "digits"']),
        ("--target resnet18", ['did you mean "torchvision:resnet18"']),
        ("--target torchvision:resnet81", ['"resnet81"', 'did you mean "resnet18"']),
        ("--target cifar10:resnet44", ["no embedded weights", "--weights FILE"]),
        ("--target=", ['unknown target ""']),
        ("--classes 10", ["class 10 is not there", "0 to 9"]),
        ("--classes=3,-1", ["class -1 is not there"]),
        ("--classes=--5", ['"--5"']),
        ("--classes ²", ['"²"']),
        ("--classes 3,twelve", ['no class is called "twelve"', "0, 1, 2"]),
        ("--classes=", ["names no class"]),
        ("--classes ,,", ["names no class"]),
        ("--encoding cpn", ['unknown encoding "cpn"', 'did you mean "cppn"']),
        ("--encoding pixels", ["choose cppn or direct"]),
        ("--preset nguyen2014", ['unknown preset "nguyen2014"', 'did you mean "nguyen2015"']),
        ("--device tpu", ['unknown device "tpu"', "expected auto, cpu"]),
        ("--device cuda:x", ['unknown device "cuda:x"']),
        ("--precision half", ['unknown precision "half"', "auto, float32 or bfloat16"]),
        ("--batch 0", ["--batch", "at least 1", "0"]),
        ("--batch -3", ["--batch", "-3"]),
        ("--batch abc", ["--batch", "integer"]),
        ("--batch 2.5", ["--batch", "integer"]),
        ("--batch 10000000000000", ["--batch"]),
        ("--encoding direct --batch 10000000000000", ["--batch"]),
        ("--micro-batch 0", ["micro-batch", "at least 1"]),
        ("--seed -1", ["--seed", "-1"]),
        ("--seed now", ["--seed", "integer"]),
        ("--generations 0", ["--generations must be above 0"]),
        ("--generations -5", ["--generations must be above 0, got -5"]),
        ("--evaluations 0", ["--evaluations must be above 0"]),
        ("--minutes -1", ["--minutes must be above 0"]),
        ("--minutes nan", ["--minutes must be above 0, got nan"]),
        ("--minutes inf", ["--minutes", "inf"]),
        ("--until 99", ["--until", "did you mean 0.99?"]),
        ("--until 0", ["--until", "above 0"]),
        ("--until -0.5", ["--until", "-0.5"]),
        ("--until nan", ["--until", "nan"]),
        ("--bach 3", ["--bach"]),
        ("--batch", ["--batch"]),
        ("cifar10", ["cifar10"]),
        ("--init nowhere", ["nothing at --init nowhere"]),
        ("--init " + "x" * 300, ["xxx"]),
        ("--weights nowhere.safetensors", ["no weights file at nowhere.safetensors"]),
        ("--weights " + "x" * 300, ["xxx"]),
    ],
)
def test_a_bad_option_of_evolve_is_refused(options: str, parts: list[str], tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "run"
    assert_refused(run_cli(capsys, *EVOLVE, "--out", out, *options.split(" ")), *parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("evolv", ["evolv", "evolve", "evofool --help"]),
        ("frobnicate", ["frobnicate", "evofool --help"]),
        ("--frobnicate", ["--frobnicate"]),
        ("zoo frobnicate", ["frobnicate"]),
        ("zoo train imagenet --data .", ["imagenet", "digits"]),
        ("zoo train digits --epochs 0", ["--epochs", "at least 1"]),
        ("targets minst", ['did you mean "mnist"']),
        ("targets torchvision:squeezenet", ["squeezenet", "did you mean"]),
        ("resume", ["Missing argument"]),
        ("resume nowhere", ["no run at nowhere"]),
        ("inspect nowhere", ["no run at nowhere"]),
        ("score", ["Missing argument"]),
        ("score nowhere.png --target digits", ["nowhere.png", "No such file"]),
        ("score . --target digits", ["cannot read image .", "directory"]),
        ("score nowhere.png --target digts", ['did you mean "digits"']),
        ("render nowhere.json --out a.png", ["nowhere.json", "No such file"]),
        ("render nowhere.json", ["Missing option", "--out"]),
    ],
)
def test_a_bad_command_is_refused(
    words: str, parts: list[str], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(run_cli(capsys, *words.split()), *parts)
    assert list(tmp_path.iterdir()) == []


def test_a_mistyped_class_is_refused_with_the_one_meant(tmp_path: Path, capsys: Capture) -> None:
    weights = save_weights(networks.CifarResNet(20), tmp_path / "any.safetensors")
    outcome = run_cli(capsys, *EVOLVE, "--target", "cifar10", "--weights", weights, "--classes", "cat,dgo")
    assert_refused(outcome, 'no class is called "dgo"', 'did you mean "dog"')


class _Code:
    """Something that makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("writer", ["pickle", "torch", "old torch"])
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_pickle_with_code_is_refused_and_does_not_run(
    writer: str, ending: str, tmp_path: Path, capsys: Capture
) -> None:
    weights, trace = tmp_path / f"weights.{ending}", tmp_path / "it ran"
    if writer == "pickle":
        weights.write_bytes(pickle.dumps({"conv1.weight": _Code(trace)}))
    else:
        torch.save({"conv1.weight": _Code(trace)}, weights, _use_new_zipfile_serialization=writer == "torch")
    assert_refused(run_cli(capsys, *EVOLVE, "--weights", weights, "--out", tmp_path / "run"), str(weights))
    assert os.listdir(tmp_path) == [weights.name]


def _truncated() -> bytes:
    whole = embedded_weights("digits").read_bytes()
    return whole[: len(whole) // 2]


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize(
    "content",
    [b"", b"these are no weights\n", _truncated(), b"\xff" * 64, json.dumps({"conv1": 1}).encode(), b"PK\x03\x04"],
    ids=["empty", "text", "truncated", "bytes", "json", "zip"],
)
def test_a_damaged_weights_file_is_refused(content: bytes, ending: str, tmp_path: Path, capsys: Capture) -> None:
    weights = tmp_path / f"weights.{ending}"
    weights.write_bytes(content)
    assert_refused(run_cli(capsys, *EVOLVE, "--weights", weights, "--out", tmp_path / "run"), str(weights))
    assert os.listdir(tmp_path) == [weights.name]


def test_weights_of_another_network_are_refused(tmp_path: Path, capsys: Capture) -> None:
    weights = save_weights(networks.LeNet(), tmp_path / "lenet.safetensors")
    outcome = run_cli(capsys, *EVOLVE, "--weights", weights, "--out", tmp_path / "run")
    assert_refused(outcome, "is not for digits", "lenet.safetensors")
    assert os.listdir(tmp_path) == ["lenet.safetensors"]


def test_weights_of_another_shape_are_refused(tmp_path: Path, capsys: Capture) -> None:
    network = networks.DigitsNet()
    name = [name for name, _ in network.named_parameters()][-1]
    shorter = {k: v[:-1] if k == name else v for k, v in network.state_dict().items()}
    torch.save(shorter, tmp_path / "weights.pth")
    outcome = run_cli(capsys, *EVOLVE, "--weights", tmp_path / "weights.pth", "--out", tmp_path / "run")
    assert_refused(outcome, name, "(10,)", "(9,)")
    assert os.listdir(tmp_path) == ["weights.pth"]


def test_weights_that_give_nan_are_refused_and_leave_no_run(tmp_path: Path, capsys: Capture) -> None:
    weights = save_weights(networks.DigitsNet(), tmp_path / "nan.safetensors", scale=float("nan"))
    outcome = run_cli(capsys, *EVOLVE, "--weights", weights, "--out", tmp_path / "run")
    assert_refused(outcome, "target digits returned NaN")
    assert os.listdir(tmp_path) == ["nan.safetensors"]


def test_torchvision_weights_that_cannot_be_had_are_refused(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    outcome = run_cli(capsys, *EVOLVE, "--target", "torchvision:squeezenet1_1", "--out", tmp_path / "run")
    assert outcome.code == 2
    assert outcome.out == ""
    *_, last = outcome.err.splitlines()  # torch itself tells which file it wants to download
    assert last.startswith("error: torchvision's weights for squeezenet1_1 are not in the cache")
    assert "--weights FILE" in last
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("place", ["file/run", "file", "x" * 300])
def test_an_out_that_cannot_be_written_is_refused(place: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("mine")
    assert_refused(run_cli(capsys, *EVOLVE, "--out", tmp_path / place), str(tmp_path / place)[:100])
    assert tree(tmp_path) == {"file": b"mine"}


def test_an_existing_run_is_not_overwritten_and_resume_is_named(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    small_evolve(run, generations=1)
    before = tree(run)
    assert_refused(run_cli(capsys, *EVOLVE, "--out", run), "exists already", f"evofool resume {run}")
    assert tree(run) == before


def test_an_existing_folder_is_not_written_into(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to.txt").write_text("dear")
    outcome = run_cli(capsys, *EVOLVE, "--out", tmp_path / "letters")
    assert_refused(outcome, "exists already")
    assert "resume" not in outcome.err
    assert tree(tmp_path) == {"letters/to.txt": b"dear"}


@pytest.mark.parametrize(
    "content",
    [b"no picture", b"", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"<svg/>", b"GIF89a"],
    ids=["text", "empty", "png head", "svg", "gif head"],
)
@pytest.mark.parametrize("command", ["score {} --target digits", "render {} --out {}.out.png"])
def test_a_file_that_is_no_picture_is_refused(command: str, content: bytes, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(content)
    assert_refused(run_cli(capsys, *command.replace("{}", str(file)).split()), str(file))
    assert os.listdir(tmp_path) == ["a.png"]


def test_one_bad_picture_among_good_ones_tells_no_scores(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    small_evolve(run, generations=1, classes=["3"])
    good, bad = next((run / "elites").glob("*.png")), tmp_path / "bad.png"
    bad.write_bytes(b"bad")
    assert_refused(run_cli(capsys, "score", good, bad, "--target", "digits", "--json"), "bad.png")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ("--size 0", ["--size", "1 to 32768"]),
        ("--size 0x5", ["--size", "0x5"]),
        ("--size 40000", ["--size", "40000"]),
        ("--size 99999x9", ["--size", "99999x9"]),
        ("--size " + "9" * 400, ["--size"]),
        ("--size " + "9" * 5000, ["--size"]),
        ("--size=-5", ["--size", '"-5"']),
        ("--size 1.5", ['"1.5"']),
        ("--size 8x", ['"8x"']),
        ("--size big", ['"big"']),
        ("--size=", ['""']),
        ("--out a.jpg", [".png", "a.jpg"]),
        ("--out a", [".png"]),
        ("--out nowhere/a.png", ["nowhere/a.png", "choose another --out"]),
    ],
)
@pytest.mark.parametrize("kind", ["json", "png"])
def test_a_bad_option_of_render_is_refused(
    kind: str, options: str, parts: list[str], genomes: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(genomes)
    before = tree(genomes)
    assert_refused(run_cli(capsys, "render", f"genome.{kind}", "--out", "a.png", *options.split()), *parts)
    assert tree(genomes) == before


@pytest.fixture
def genomes(tmp_path: Path) -> Path:
    """A folder with one small genome as ``genome.json`` and as ``genome.png``."""
    small_evolve(tmp_path / "run", encoding="cppn", generations=1, classes=["3"])
    folder = tmp_path / "genomes"
    folder.mkdir()
    for kind in ("json", "png"):
        (file,) = (tmp_path / "run" / "elites").glob(f"*.{kind}")
        file.rename(folder / f"genome.{kind}")
    return folder


def _edited(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_a_damaged_genome_is_refused_everywhere(genomes: Path, capsys: Capture) -> None:
    file = genomes / "genome.json"
    file.write_bytes(file.read_bytes()[:-30])
    before = tree(genomes)
    assert_refused(run_cli(capsys, "render", file, "--out", genomes / "a.png"), str(file))
    assert_refused(run_cli(capsys, *EVOLVE, "--init", genomes, "--out", genomes / "run"), str(file))
    assert tree(genomes) == before


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ("--encoding cppn --preset nguyen2015", ["coordinates unit", "pixels", "--preset"]),
        ("--encoding cppn --init {}/empty", ["holds no CPPN genomes (.json)"]),
        ("--encoding direct --init {}/empty", ["holds no pictures"]),
        ("--encoding cppn --init {}/genome.png", ["genome.png", "not a genome file"]),
        ("--encoding direct --init {}/genome.json", ["genome.json", "not an image"]),
    ],
)
def test_genomes_that_do_not_fit_the_run_are_refused(
    options: str, parts: list[str], genomes: Path, capsys: Capture
) -> None:
    (genomes / "empty").mkdir()
    words = options.replace("{}", str(genomes)).split()
    assert_refused(run_cli(capsys, *EVOLVE, "--init", genomes, "--out", genomes / "run", *words), *parts)
    assert not (genomes / "run").exists()


def test_a_genome_of_another_colour_is_refused(genomes: Path, capsys: Capture) -> None:
    file = genomes / "genome.json"
    content = json.loads(file.read_text())
    nodes = [*content["nodes"][:4], *({"id": 4 + i, "activation": "sin"} for i in range(3))]
    _edited(file, image_shape=[3, 8, 8], colour="rgb", nodes=nodes, connections=[])
    outcome = run_cli(capsys, *EVOLVE, "--init", file, "--out", genomes / "run")
    assert_refused(outcome, str(file), "colour rgb", "grey")
    assert not (genomes / "run").exists()


def test_a_genome_with_too_many_nodes_is_refused(genomes: Path, capsys: Capture) -> None:
    file = genomes / "genome.json"
    content = json.loads(file.read_text())
    hidden = [{"id": 5 + i, "activation": "sin", "position": float(p)} for i, p in enumerate(np.linspace(0.1, 0.9, 200))]
    _edited(file, nodes=content["nodes"][:5] + hidden, connections=[])
    outcome = run_cli(capsys, *EVOLVE, "--init", file, "--out", genomes / "run")
    assert_refused(outcome, "96 nodes")
    assert not (genomes / "run").exists()
