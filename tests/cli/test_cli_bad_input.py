"""Bad commands, options and folders: one line, exit code 2, no traceback, nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import EVOLVE, Capture, assert_refused, run_cli, save_weights, small_evolve, tree

from evofool.targets import networks


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ("--target digts", ['unknown target "digts"', 'did you mean "digits"']),
        ("--target resnet18", ['did you mean "torchvision:resnet18"']),
        ("--target torchvision:resnet81", ['"resnet81"', 'did you mean "resnet18"']),
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
        ("--device tpu", ['unknown device "tpu"', "--device must be auto, cpu"]),
        ("--device cuda:x", ['unknown device "cuda:x"']),
        ("--precision half", ['unknown precision "half"', "auto, float32 or bfloat16"]),
        ("--batch 0", ["--batch must be a whole number from 1 to 65,536, got 0"]),
        ("--batch -3", ["--batch", "-3"]),
        ("--batch abc", ["--batch", 'expected a whole number, got "abc"']),
        ("--batch 2.5", ["--batch", 'expected a whole number, got "2.5"']),
        ("--batch 10000000000000", ["--batch"]),
        ("--encoding direct --batch 10000000000000", ["--batch"]),
        ("--micro-batch 0", ["micro-batch", "at least 1"]),
        ("--seed -1", ["--seed", "-1"]),
        ("--seed now", ["--seed", 'expected a whole number, got "now"']),
        ("--generations 0", ["--generations must be a whole number of at least 1, got 0"]),
        ("--generations -5", ["--generations must be a whole number of at least 1, got -5"]),
        ("--evaluations 0", ["--evaluations must be a whole number of at least 1, got 0"]),
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
        ("--selector newest", ['unknown selector "newest"', "fresh"]),
        ("--config nowhere", ["no run at nowhere"]),
        ("--memory-format contiguous", ["--memory-format"]),
        ("--progress jsonl", ['error: --progress must be auto or json, got "jsonl" (did you mean "json"?)']),
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
        ("zoo train digits --train-precision float16", ["--train-precision must be float32 or bfloat16", "float16"]),
        ("targets minst", ['did you mean "mnist"']),
        ("targets torchvision:squeezenet", ["squeezenet", "did you mean"]),
        ("resume", ["Missing argument"]),
        ("resume nowhere", ["no job at nowhere"]),
        ("inspect nowhere", ["no job at nowhere"]),
        ("score", ["Missing argument"]),
        ("score nowhere.png --target digits", ["nowhere.png", "No such file"]),
        ("score . --target digits", [". is no picture or genome"]),
        ("score nowhere.png --target digts", ['did you mean "digits"']),
        ("render nowhere.json --out a.png", ["nowhere.json", "No such file"]),
        ("render nowhere.json", ["Missing option", "--out"]),
        ("report", ["Missing argument"]),
        ("reprot", ["reprot", "report"]),
        ("atack", ["atack", "attack"]),
        ("targets digits --device cpu", ["--device changes nothing", "add --tune"]),
        ("targets --tune", ["--tune needs a target"]),
        ("report nowhere", ["no campaign at nowhere", "expected a folder with config.json"]),
    ],
)
def test_a_bad_command_is_refused(
    words: str, parts: list[str], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(run_cli(capsys, *words.split()), *parts)
    assert list(tmp_path.iterdir()) == []


def test_a_network_without_weights_is_refused(capsys: Capture) -> None:
    assert_refused(run_cli(capsys, "evolve", "--target", "cifar10:resnet44"), "no embedded weights", "--weights FILE")


def test_a_mistyped_class_is_refused_with_the_one_meant(tmp_path: Path, capsys: Capture) -> None:
    weights = save_weights(networks.CifarResNet(20), tmp_path / "any.safetensors")
    outcome = run_cli(capsys, "evolve", "--target", "cifar10", "--weights", weights, "--classes", "cat,dgo")
    assert_refused(outcome, 'no class is called "dgo"', 'did you mean "dog"')


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
