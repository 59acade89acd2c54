"""Folders that strangers prepared, early deaths and odd surroundings."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from configs import edit_config, run_config
from runs import EVOLVE, Capture, assert_refused, run_cli, tree

import evofool
from evofool.errors import ConfigError, RunError
from evofool.jobs import session
from evofool.jobs.run import RunStep
from evofool.store.folder import make_folder

RUN = [*EVOLVE, "--classes", "3,8", "--quiet"]
ATTACK = ["attack", "--target", "digits", "--count", "2", "--queries", "8", "--device", "cpu", "--quiet"]


def lines_in(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the parent of a small run and a small campaign, which are copied and never changed."""
    parent = tmp_path_factory.mktemp("made")
    evofool.evolve("digits", "cppn", generations=2, batch=20, classes="3,8", device="cpu", out=parent / "run")
    evofool.attack("digits", "digits", count=2, queries=8, device="cpu", out=parent / "campaign")
    return parent


# Links


@pytest.mark.parametrize("command", [("gallery", "run", "index.html"), ("report", "campaign", "report.html")])
def test_a_link_under_a_temporary_name_is_not_followed(
    command: tuple[str, str, str], made: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not followed even if the name could be guessed."""
    words, folder, page = command
    shutil.copytree(made / folder, tmp_path / "theirs")
    (tmp_path / "mine").write_text("thesis")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "0123abcd")
    link = tmp_path / "theirs" / f".{page}.{os.getpid()}.0123abcd.tmp"
    link.symlink_to(tmp_path / "mine")
    assert_refused(run_cli(capsys, words, tmp_path / "theirs"), "cannot write to", "File exists")
    assert (tmp_path / "mine").read_text() == "thesis"
    assert not (tmp_path / "theirs" / page).is_symlink()


# Stopped before it began


@pytest.mark.parametrize(("words", "whole"), [(RUN, "run"), (ATTACK, "campaign")])
def test_a_command_that_was_killed_before_it_began_is_given_again(
    words: list[str], whole: str, made: Path, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "a"
    (path / "elites").mkdir(parents=True)
    shutil.copy(made / whole / "config.json", path)
    (path / f".images.npy.{10**9 - 1}.0123abcd.tmp").write_bytes(b"half")
    assert_refused(run_cli(capsys, "resume", path), "was stopped before it began", f"--out {path}")
    assert run_cli(capsys, *words, "--out", path).code == 0
    assert not list(path.rglob("*.tmp"))


@pytest.mark.parametrize("file", ["notes.txt", "checkpoint/state.npz", "images.jsonl", "elites/a.png", ".hidden"])
def test_a_folder_with_anything_else_in_it_is_not_taken(file: str, tmp_path: Path) -> None:
    (tmp_path / "a" / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "a" / file).write_text("mine")
    (tmp_path / "a" / "config.json").write_text("{}")
    before = tree(tmp_path / "a")
    with pytest.raises(RunError, match="exists already"):
        make_folder(tmp_path / "a", run_config())
    assert tree(tmp_path / "a") == before


def test_a_folder_with_a_link_in_it_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "elites").symlink_to(tmp_path)
    with pytest.raises(RunError, match="exists already"):
        make_folder(tmp_path / "a", run_config())


# From its config alone


def test_a_run_from_genomes_is_made_again_from_anywhere(
    made: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(made / "run", tmp_path / "first")
    monkeypatch.chdir(tmp_path)
    assert run_cli(capsys, *RUN, "--init", "first", "--out", "second").code == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run_cli(capsys, "evolve", "--config", "../second", "--out", "third", "--quiet").code == 0
    assert Path("third/elites.jsonl").read_bytes() == Path("../second/elites.jsonl").read_bytes()


def test_other_genomes_under_the_same_name_are_noticed(made: Path, tmp_path: Path, capsys: Capture) -> None:
    shutil.copytree(made / "run", tmp_path / "first")
    assert run_cli(capsys, *RUN, "--init", tmp_path / "first", "--out", tmp_path / "second").code == 0
    assert run_cli(capsys, "resume", tmp_path / "first", "--generations", 8, "--quiet").code == 0
    again = run_cli(capsys, "evolve", "--config", tmp_path / "second", "--out", tmp_path / "third")
    assert_refused(again, "are not those that the run began with")
    assert not (tmp_path / "third").exists()


# Swapped files


def test_a_genome_of_another_elite_is_not_shown_as_its_own(made: Path, tmp_path: Path, capsys: Capture) -> None:
    run = Path(shutil.copytree(made / "run", tmp_path / "run"))
    first, second = sorted((run / "elites").glob("*.json"))
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    assert_refused(run_cli(capsys, "gallery", run), "another elite's", f"evofool resume {run}")
    assert run_cli(capsys, "resume", run, "--generations", 3, "--quiet").code == 0
    assert run_cli(capsys, "gallery", run).code == 0


@pytest.mark.parametrize("command", ["gallery", "poster"])
def test_a_picture_of_another_elite_is_not_shown_as_its_own(command: str, tmp_path: Path, capsys: Capture) -> None:
    run, out = tmp_path / "run", tmp_path / ("page.html" if command == "gallery" else "poster.png")
    evofool.evolve("digits", "direct", generations=2, batch=20, classes="3,8", device="cpu", out=run)
    first, second = sorted((run / "elites").glob("*.png"))
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    outcome = run_cli(capsys, command, run, "--out", out)
    assert_refused(outcome, "damaged or another picture", f"evofool resume {run}")
    assert not out.exists()
    assert run_cli(capsys, "resume", run, "--generations", 3, "--quiet").code == 0
    assert run_cli(capsys, command, run, "--out", out).code == 0


def test_no_file_of_an_elite_ever_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``elites.jsonl`` names is then whole at any moment, whenever the process dies."""
    monkeypatch.setattr(session, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(session, "PAGE_SECONDS", -1.0)
    seen: dict[str, bytes] = {}

    def look(step: RunStep) -> None:
        while lines_in(tmp_path / "run" / "metrics.jsonl") < step.progress.generation:
            time.sleep(0.001)  # The thread that writes does so in order.
        for file in (tmp_path / "run" / "elites").iterdir():
            with suppress(FileNotFoundError):
                if not file.name.startswith("."):
                    content = file.read_bytes()
                    assert seen.setdefault(file.name, content) == content

    evofool.evolve(
        "digits", "direct", generations=60, batch=20, classes="3,8", device="cpu", out=tmp_path / "run", observer=look
    )
    stems = [name.rpartition("_")[0] for name in seen]
    assert len(stems) > len(set(stems))  # Some differ by the child alone.


def test_the_history_of_another_run_is_not_shown_as_its_own(made: Path, tmp_path: Path, capsys: Capture) -> None:
    run = Path(shutil.copytree(made / "run", tmp_path / "run"))
    evofool.evolve("digits", "cppn", generations=2, batch=20, classes="3,8", seed=1, device="cpu", out=tmp_path / "b")
    shutil.copy(tmp_path / "b" / "history" / "00001.npz", run / "history")
    assert_refused(run_cli(capsys, "gallery", run), "00001.npz is of another run", f"evofool inspect --repair {run}")
    repaired = run_cli(capsys, "inspect", "--repair", run)
    assert (repaired.code, "is of another run: set aside" in repaired.err + repaired.out) == (0, True)
    assert run_cli(capsys, "gallery", run).code == 0


def test_damaged_metrics_are_told_and_taken_out(made: Path, tmp_path: Path, capsys: Capture) -> None:
    run = Path(shutil.copytree(made / "run", tmp_path / "run"))
    file = run / "metrics.jsonl"
    first, second = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first.replace(b'"median": 0', b'"median": 7') + second + b'{"torn')
    [fault] = json.loads(run_cli(capsys, "inspect", run, "--json").out)["damaged"]
    assert fault.startswith("1 damaged line in")
    outcome = run_cli(capsys, "resume", run, "--generations", 3, "--quiet")
    assert_refused(outcome, "1 damaged line", f"evofool inspect --repair {run}")
    repaired = run_cli(capsys, "inspect", "--repair", run)
    assert (repaired.code, "1 damaged line" in repaired.err + repaired.out) == (0, True)
    assert file.read_bytes() == second
    assert run_cli(capsys, "resume", run, "--generations", 3, "--quiet").code == 0
    again = run_cli(capsys, "inspect", "--repair", run)
    assert "nothing was damaged" in again.err + again.out


def test_folders_that_were_removed_are_made_again(made: Path, tmp_path: Path, capsys: Capture) -> None:
    run = Path(shutil.copytree(made / "run", tmp_path / "run"))
    shutil.rmtree(run / "elites")
    assert run_cli(capsys, "resume", run, "--generations", 3, "--quiet").code == 0
    assert len(list((run / "elites").glob("*.png"))) == 2


# Surroundings


@pytest.mark.parametrize("folder", ["run", "campaign"])
def test_a_run_on_a_device_that_is_not_here_is_not_called_damaged(
    folder: str, made: Path, tmp_path: Path, capsys: Capture
) -> None:
    path = Path(shutil.copytree(made / folder, tmp_path / folder))
    edit_config(path, {"target.device": "cuda:7", "options.device": "cuda:7"})
    assert_refused(run_cli(capsys, "resume", path), "was made on cuda:7", "go on where there is one")


def test_output_that_cannot_be_written_is_one_line(made: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "evofool", "inspect", made / "run"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: cannot write the output: No space left on device")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--seed", "--generations", "--evaluations", "--batch"])
def test_enormous_numbers_are_refused_and_nothing_is_left(option: str, tmp_path: Path, capsys: Capture) -> None:
    outcome = run_cli(capsys, *RUN, option, "9" * 400, "--out", tmp_path / "a")
    assert_refused(outcome, option)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("change", [{"max_nodes": 10**6}, {"max_connections": 10**6}, {"functions": ["sin"] * 10**4}])
def test_settings_are_bounded(change: dict[str, Any], made: Path, tmp_path: Path, capsys: Capture) -> None:
    path = Path(shutil.copytree(made / "run", tmp_path / "run"))
    settings = json.loads((path / "config.json").read_text())["options"]["settings"]
    edit_config(path, {"options.settings": settings | change})
    outcome = run_cli(capsys, "evolve", "--config", path, "--out", tmp_path / "b")
    assert_refused(outcome, "CPPN settings: at most")
    with pytest.raises(ConfigError, match="at most"):
        evofool.evolve("digits", "cppn", settings=settings | change, generations=1, device="cpu")


def test_a_file_name_is_no_formula_in_a_table(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "images").mkdir()
    for number in range(2):
        Image.new("L", (8, 8), 100 * number).save(tmp_path / "images" / f"=1+{number}.png")
    evofool.attack("digits", tmp_path / "images", count=2, queries=8, device="cpu", out=tmp_path / "a")
    table = (tmp_path / "a" / "outcomes.csv").read_text()
    assert "'=1+0.png" in table
    assert ",=" not in table
