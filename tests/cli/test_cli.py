"""The commands when all is well: what they write, what they print and where to."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from runs import Outcome, json_lines, run_cli, small_evolve, tree

from evofool.search.evolution import Evolution
from evofool.search.progress import Progress
from evofool.version import __version__

Capture = pytest.CaptureFixture[str]

EVOLVE = ["evolve", "--target", "digits", "--batch", "20", "--device", "cpu", "--precision", "float32"]

KEYS = {
    "run", "target", "encoding", "preset", "seed", "generations", "evaluations", "seconds", "images_per_second",
    "median", "mean", "min", "at_99", "classes",
}  # fmt: skip


def succeed(capsys: Capture, *words: object) -> Outcome:
    outcome = run_cli(capsys, *words)
    assert outcome.code == 0, outcome.err
    return outcome


@pytest.fixture(scope="module")
def cppn_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of three generations; read only."""
    run = tmp_path_factory.mktemp("cli") / "run"
    small_evolve(run, encoding="cppn", classes=["3", "8"])
    return run


def test_evolve_writes_a_run_and_names_its_paths(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    outcome = succeed(capsys, *EVOLVE, "--generations", 2, "--out", run)
    assert outcome.err == ""
    files = tree(run)
    assert {"config.json", "metrics.jsonl", "checkpoint/state.npz", "elites.jsonl", "gallery.png"} <= files.keys()
    assert sum(name.endswith(".png") for name in files) == 11
    assert sum(name.endswith(".json") for name in files) == 11
    told = outcome.out.splitlines()
    assert any(line.startswith("done: digits, cppn") for line in told)
    # Whole paths, and a command that can be copied, however narrow the terminal is said to be.
    assert any(line.split() == ["gallery", f"{run}/gallery.png"] for line in told)
    assert any(line.split() == ["run", str(run)] for line in told)
    assert any(line.rstrip().endswith(f"evofool resume {run} --evaluations 80") for line in told)


def test_without_out_runs_land_in_numbered_folders_under_outputs(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        succeed(capsys, *EVOLVE, "--generations", 1, "--classes", "3", "--quiet")
        assert sorted(os.listdir("outputs"))[-1] == f"digits-cppn-00{number}"


def test_json_is_one_object_on_standard_output(tmp_path: Path, capsys: Capture) -> None:
    words = [*EVOLVE, "--encoding", "direct", "--generations", 2, "--seed", 7, "--out", tmp_path / "run", "--json"]
    told = json.loads(succeed(capsys, *words).out)
    assert told.keys() >= KEYS
    known = {"target": "digits", "encoding": "direct", "preset": "default", "seed": 7, "generations": 2}
    assert {key: told[key] for key in known} == known
    assert (told["run"], told["evaluations"]) == (str(tmp_path / "run"), 40)
    values = [entry["confidence"] for entry in told["classes"]]
    assert [entry["index"] for entry in told["classes"]] == list(range(10))
    assert [entry["class"] for entry in told["classes"]] == list("0123456789")
    assert told["median"] == pytest.approx(np.median(values))
    assert told["mean"] == pytest.approx(np.mean(values))
    assert told["min"] == min(values)
    assert told["at_99"] == sum(value >= 0.99 for value in values)
    assert told["seconds"] > 0
    assert told["images_per_second"] > 0


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
    assert succeed(capsys, *EVOLVE, "--generations", 2, "--out", run, "--quiet") == Outcome(0, "", "")
    assert succeed(capsys, "resume", run, "--generations", 3, "--quiet") == Outcome(0, "", "")
    assert (run / "gallery.png").exists()


def test_piped_progress_is_plain_lines(tmp_path: Path, capsys: Capture) -> None:
    outcome = succeed(capsys, *EVOLVE, "--generations", 3, "--out", tmp_path / "run")
    lines = [line for line in outcome.out.splitlines() if line.startswith("generation ")]
    assert [line.split()[1] for line in lines] == ["1", "3"]
    parts = ["evaluations 60", "images/s", "elapsed", "remaining", "median", "mean", "lowest", "at 99 %", "hardest"]
    assert [part for part in parts if part not in lines[-1]] == []
    assert "\x1b" not in outcome.out
    assert "\r" not in outcome.out


def test_resume_goes_on_to_a_larger_budget(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    succeed(capsys, *EVOLVE, "--generations", 2, "--out", run, "--quiet")
    told = json.loads(succeed(capsys, "resume", run, "--generations", 4, "--json").out)
    assert (told["generations"], told["evaluations"]) == (4, 80)
    assert [line["generation"] for line in json_lines(run / "metrics.jsonl")] == [1, 2, 3, 4]
    assert json.loads((run / "config.json").read_text())["budget"]["generations"] == 4


@pytest.mark.parametrize(("versions", "noted"), [({"evofool": "0.0.9"}, 1), ({}, 0), ("0.0.9", 0), (None, 0)])
def test_resume_tells_of_another_version_that_began_a_run(
    versions: object, noted: int, tmp_path: Path, capsys: Capture
) -> None:
    run = tmp_path / "run"
    succeed(capsys, *EVOLVE, "--generations", 2, "--out", run, "--quiet")
    config = json.loads((run / "config.json").read_text())
    for given, expected in ((config["versions"], 0), (versions, noted)):
        (run / "config.json").write_text(json.dumps(config | {"versions": given}))
        told = succeed(capsys, "resume", run, "--no-gallery").out
        assert told.count("note: evofool 0.0.9 began this run") == expected
        assert told.count("note: ") == expected


def test_resume_of_a_finished_run_says_so_and_changes_nothing(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    succeed(capsys, *EVOLVE, "--generations", 2, "--out", run, "--quiet")
    before = tree(run)
    assert "done: digits, cppn" in succeed(capsys, "resume", run).out
    assert tree(run) == before


def test_ctrl_c_saves_and_prints_the_command_that_goes_on(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, run = Evolution.step, tmp_path / "run"

    def interrupted(evolution: Evolution) -> Progress:
        progress = step(evolution)
        if progress.generation == 2:
            signal.raise_signal(signal.SIGINT)
        return progress

    monkeypatch.setattr(Evolution, "step", interrupted)
    outcome = run_cli(capsys, *EVOLVE, "--generations", 5, "--out", run)
    assert "stopped: digits, cppn" in outcome.out
    assert any(line.rstrip().endswith(f"evofool resume {run}") for line in outcome.out.splitlines())
    monkeypatch.undo()
    assert json.loads(succeed(capsys, "resume", run, "--json").out)["generations"] == 5


def test_inspect_tells_how_far_a_run_got(cppn_run: Path, capsys: Capture) -> None:
    told = json.loads(succeed(capsys, "inspect", cppn_run, "--json").out)
    assert (told["run"], told["target"], told["encoding"]) == (str(cppn_run), "digits", "cppn")
    assert (told["generation"], told["evaluations"], told["niches"]) == (3, 60, 2)
    assert told["budget"] == {"generations": 3}
    assert told["elites"] == json_lines(cppn_run / "elites.jsonl")
    shown = succeed(capsys, "inspect", cppn_run).out
    assert "next guesses" in shown
    for key in ("target", "encoding", "preset", "seed", "generation", "median"):
        assert any(line.split()[:1] == [key] for line in shown.splitlines())


def test_inspect_tells_when_newer_elites_are_in_no_files_yet(cppn_run: Path, tmp_path: Path, capsys: Capture) -> None:
    """As after SIGKILL: the record is written every generation, elites' files are not."""
    run = tmp_path / "run"
    shutil.copytree(cppn_run, run)
    assert json.loads(succeed(capsys, "inspect", run, "--json").out)["elites_written"]
    last = json_lines(run / "metrics.jsonl")[-1]
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(last | {"generation": last["generation"] + 1, "improved": 0}) + "\n")
    assert "in no files" not in succeed(capsys, "inspect", run).out
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(last | {"generation": last["generation"] + 2, "improved": 1}) + "\n")
    assert f"evofool resume {run}" in succeed(capsys, "inspect", run).out
    assert not json.loads(succeed(capsys, "inspect", run, "--json").out)["elites_written"]


def test_targets_lists_every_card(capsys: Capture) -> None:
    names = json.loads(succeed(capsys, "targets", "--json").out)
    assert {"cifar10", "mnist", "digits"} <= set(names)
    shown = succeed(capsys, "targets").out.splitlines()
    first_words = [line.split()[0] for line in shown if line[:1].strip()]  # of rows, not of what a cell folds into
    assert first_words[1 : len(names) + 1] == names
    assert any("torchvision:NAME" in line for line in shown)


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
    told = json.loads(succeed(capsys, "score", *files, "--target", "digits", "--json").out)
    assert [entry["image"] for entry in told["images"]] == [str(file) for file in files]
    for line, entry in zip(elites, told["images"], strict=True):
        assert len(entry["top5"]) == 5
        guesses = {guess["class"]: guess["confidence"] for guess in entry["top5"]}
        assert guesses[line["class"]] == pytest.approx(line["score"], abs=1e-4)
        assert list(guesses.values()) == sorted(guesses.values(), reverse=True)


def test_score_shows_five_guesses_a_picture(cppn_run: Path, tmp_path: Path, capsys: Capture) -> None:
    photo = tmp_path / "photo [1].jpg"
    Image.new("RGB", (64, 48), "white").save(photo)
    shown = succeed(capsys, "score", photo, "--target", "digits").out.splitlines()
    assert shown[0] == str(photo)
    assert len(shown) == 6
    assert all("%" in line for line in shown[1:])


@pytest.mark.parametrize(("size", "expected"), [("64", (64, 64)), ("160x90", (160, 90)), ("8", (8, 8))])
def test_render_draws_a_genome_at_any_size(
    size: str, expected: tuple[int, int], cppn_run: Path, tmp_path: Path, capsys: Capture
) -> None:
    line, out = json_lines(cppn_run / "elites.jsonl")[0], tmp_path / "a.png"
    told = succeed(capsys, "render", cppn_run / line["genome"], "--size", size, "--out", out).out
    assert told == f"{out}: {expected[0]} × {expected[1]}\n"
    with Image.open(out) as picture:
        assert picture.size == expected
        if size == "8":  # what the network saw
            np.testing.assert_array_equal(picture, Image.open(cppn_run / line["file"]))


def test_render_scales_a_picture_with_hard_edges(tmp_path: Path, capsys: Capture) -> None:
    pixels = np.arange(4, dtype=np.uint8).reshape(2, 2) * 80
    Image.fromarray(pixels).save(tmp_path / "small.png")
    told = succeed(capsys, "render", tmp_path / "small.png", "--size", 6, "--out", tmp_path / "a.png", "--quiet").out
    assert told == ""
    np.testing.assert_array_equal(Image.open(tmp_path / "a.png"), pixels.repeat(3, 0).repeat(3, 1))


def test_version(capsys: Capture) -> None:
    assert run_cli(capsys, "--version") == Outcome(0, f"evofool {__version__}\n", "")


def test_no_arguments_show_the_help_and_no_error(capsys: Capture) -> None:
    outcome = run_cli(capsys)
    assert outcome.err == ""
    for command in ("evolve", "resume", "inspect", "targets", "score", "render", "zoo"):
        assert f" {command} " in outcome.out


@pytest.mark.parametrize("command", ["evolve", "resume", "inspect", "targets", "score", "render", "zoo train"])
def test_every_command_has_help(command: str, capsys: Capture) -> None:
    outcome = succeed(capsys, *command.split(), "--help")
    assert re.search(rf"Usage: .*evofool {command} ", outcome.out)


def test_help_is_instant_because_torch_is_not_imported() -> None:
    code = (
        "import sys; from evofool import cli; sys.argv = ['evofool', '--help']\n"
        "try: cli.main()\n"
        "finally: print(*sorted({'torch', 'torchvision', 'numpy', 'deap', 'sklearn', 'PIL'} & set(sys.modules)),"
        " file=sys.stderr)"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    seconds = time.perf_counter() - started
    assert done.returncode == 0
    assert "evolve" in done.stdout
    assert done.stderr == "\n"
    assert seconds < 5  # the promise is 0.3 s; importing torch on a busy machine takes longer than this


@pytest.mark.parametrize("arguments", [["evolve", "--generations", "1"], ["attack", "--count", "1"]])
def test_a_run_of_an_embedded_target_does_not_wait_for_torchvision(arguments: list[str], tmp_path: Path) -> None:
    """It takes longer to import than torch itself."""
    command = ["evofool", *arguments, "--quiet", "--out", str(tmp_path / "run")]
    code = (
        f"import sys; from evofool import cli; sys.argv = {command}\n"
        "try: cli.main()\n"
        "finally:\n"
        "    import torch.fx.experimental.optimization  # for tuning\n"
        "    print(*sorted({'torchvision', 'torch._dynamo'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "\n")
    assert (tmp_path / "run" / "config.json").exists()
