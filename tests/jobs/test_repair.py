"""``evofool inspect --repair``: damage is set aside or taken out and told, and the job ends as it would have."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from campaigns import assert_same_campaign, write_lines
from configs import edit_config
from runs import Capture, CommandResult, assert_refused, assert_same_run, json_lines, run_cli, tree

import evofool
from evofool.io.arrays import read_arrays, write_arrays
from evofool.jobs import session
from evofool.store.history import folder as history_folder
from evofool.store.run import RunFolder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a run and a campaign that ended, which are copied and never changed."""
    parent = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "CHECKPOINT_SECONDS", -1.0)
        evofool.evolve(
            "digits", "cppn", classes=["3", "8"], batch=10, generations=4, device="cpu", precision="float32",
            out=parent / "run",
        )  # fmt: skip
        evofool.attack(
            "digits", "digits", count=4, criterion="2,8", queries=60, device="cpu", precision="float32",
            out=parent / "campaign",
        )  # fmt: skip
    return {"run": parent / "run", "campaign": parent / "campaign"}


@pytest.fixture
def run(made: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made["run"], tmp_path / "run"))


@pytest.fixture
def campaign(made: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made["campaign"], tmp_path / "campaign"))


def repaired(capsys: Capture, path: Path) -> list[str]:
    """Repair a job and return what the command says that it did."""
    outcome = run_cli(capsys, "inspect", path, "--repair")
    assert (outcome.code, outcome.err) == (0, ""), outcome
    _, *lines = outcome.out.replace("\n", " ").split("repair: ")
    return [" ".join(line.split()) for line in lines]


def json_of(outcome: CommandResult) -> dict[str, object]:
    content: dict[str, object] = json.loads(outcome.out)
    return content


def flip(file: Path) -> None:
    """Flip one bit of the largest array in an archive."""
    content = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        largest = max(archive.infolist(), key=lambda info: info.compress_size)
    names = content[largest.header_offset + 26 :]
    start = largest.header_offset + 30 + names[0] + names[2]
    content[start + largest.compress_size * 3 // 4] ^= 16
    file.write_bytes(content)


def set_aside(path: Path) -> list[str]:
    """Remove the damaged files that were kept, so that the rest can be compared, and return their names."""
    files = sorted(path.rglob("*.damaged"))
    for file in files:
        file.unlink()
    return [str(file.relative_to(path)) for file in files]


# Nothing to do


@pytest.mark.parametrize("name", ["run", "campaign"])
def test_where_nothing_is_damaged_it_says_so_and_changes_nothing(
    name: str, made: dict[str, Path], tmp_path: Path, capsys: Capture
) -> None:
    path = Path(shutil.copytree(made[name], tmp_path / name))
    before = tree(path)
    [line] = repaired(capsys, path)
    assert line.startswith("nothing was damaged")
    assert tree(path) == before


@pytest.mark.parametrize("name", ["run", "campaign"])
def test_with_json_the_facts_are_on_standard_output_and_the_repair_is_told_beside_it(
    name: str, made: dict[str, Path], tmp_path: Path, capsys: Capture
) -> None:
    path = Path(shutil.copytree(made[name], tmp_path / name))
    outcome = run_cli(capsys, "inspect", path, "--repair", "--json")
    assert outcome.code == 0
    assert json_of(outcome) == json_of(run_cli(capsys, "inspect", path, "--json"))
    assert outcome.err == "repair: nothing was damaged\n"
    damaged = path / ("checkpoint/state.npz" if name == "run" else "outcomes.jsonl")
    damaged.write_bytes(damaged.read_bytes()[1:])
    outcome = run_cli(capsys, "inspect", path, "--repair", "--json")
    assert outcome.code == 0
    assert json_of(outcome)["seed"] == 0
    assert outcome.err.startswith("repair: ")
    assert "damaged" in outcome.err


# Runs


@pytest.mark.usefixtures("eager")
def test_a_damaged_checkpoint_is_gone_back_from_and_the_run_ends_with_the_same_bytes(
    run: Path, made: dict[str, Path], capsys: Capture
) -> None:
    file = run / "checkpoint" / "state.npz"
    flip(file)
    assert_refused(run_cli(capsys, "resume", run), f"{file} is damaged", f"with: evofool inspect --repair {run}")
    [line] = repaired(capsys, run)
    assert f"{file} is damaged (".replace(" ", "") in line.replace(" ", "")
    assert "went back to the checkpoint before it, of generation 3" in line
    assert repaired(capsys, run)[0].startswith("nothing was damaged")
    outcome = run_cli(capsys, "resume", run, "--quiet")
    assert (outcome.code, outcome.err) == (0, "")
    assert set_aside(run) == ["checkpoint/state.npz.damaged"]
    assert_same_run(run, made["run"])


@pytest.mark.usefixtures("eager")
def test_a_missing_checkpoint_is_gone_back_from_too(run: Path, made: dict[str, Path], capsys: Capture) -> None:
    (run / "checkpoint" / "state.npz").unlink()
    [line] = repaired(capsys, run)
    assert "is missing: went back" in line
    run_cli(capsys, "resume", run, "--quiet")
    assert_same_run(run, made["run"])


def test_a_run_whose_checkpoints_are_both_damaged_is_refused_and_left_as_it_is(run: Path, capsys: Capture) -> None:
    for name in ("state", "previous"):
        flip(run / "checkpoint" / f"{name}.npz")
    before = tree(run)
    for words in ["inspect", run, "--repair"], ["inspect", run, "--repair", "--json"], ["resume", run]:
        assert_refused(run_cli(capsys, *words), "state.npz is damaged", "start the job anew")
        assert tree(run) == before
    assert "next guesses" in run_cli(capsys, "inspect", run).out  # What it has evolved can still be looked at.
    assert run_cli(capsys, "gallery", run).code == 0


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("which", [0, 1, -1])
@pytest.mark.parametrize("damage", ["flipped", "truncated"])
def test_a_damaged_part_of_the_history_is_set_aside_and_the_archive_is_the_same(
    damage: str, which: int, run: Path, made: dict[str, Path], capsys: Capture
) -> None:
    """A flipped bit of a genome is noticed by what reads that genome, which resume does not do."""
    file = sorted((run / "history").glob("*.npz"))[which]
    if damage == "flipped":
        flip(file)
    else:
        file.write_bytes(file.read_bytes()[:-10])
        assert_refused(run_cli(capsys, "resume", run), f"{file} is damaged", "inspect --repair")
    [line] = repaired(capsys, run)
    assert f"{file} is damaged".replace(" ", "") in line.replace(" ", "")
    assert "set aside; the ancestors in it are not shown" in line
    outcome = run_cli(capsys, "resume", run, "--quiet")
    assert (outcome.code, outcome.err) == (0, "")
    assert set_aside(run) == [f"history/{file.name}.damaged"]
    elites = RunFolder.open(run).history.changes().elites()
    assert len(elites) == 2  # The present elites are in it.
    shutil.rmtree(run / "history")
    shutil.copytree(made["run"] / "history", run / "history")
    assert_same_run(run, made["run"])


def test_a_history_of_a_future_version_is_set_aside(run: Path, capsys: Capture) -> None:
    file = sorted((run / "history").glob("*.npz"))[0]
    write_arrays(file, read_arrays(file) | {"format": np.array(3)})
    [line] = repaired(capsys, run)
    assert "has format 3" in line
    assert "set aside" in line


@pytest.mark.usefixtures("eager")
def test_all_that_is_damaged_is_told(run: Path, capsys: Capture) -> None:
    flip(run / "checkpoint" / "state.npz")
    files = sorted((run / "history").glob("*.npz"))
    for file in files:
        file.write_bytes(b"")
    assert len(repaired(capsys, run)) == 1 + len(files)
    assert run_cli(capsys, "resume", run, "--quiet").code == 0
    assert run_cli(capsys, "inspect", run).code == 0


def test_repair_sweeps_what_a_killed_process_left(run: Path, capsys: Capture) -> None:
    left = [
        run / f".metrics.jsonl.{10**9 - 1}.0123abcd.tmp",
        run / "checkpoint" / f".state.npz.{10**9 - 1}.0123abcd.tmp",
    ]
    for file in left:
        file.write_bytes(b"half")
    assert repaired(capsys, run)[0].startswith("nothing was damaged")
    assert not any(file.exists() for file in left)


# Campaigns


@pytest.mark.parametrize("number", [0, 3, -1])
@pytest.mark.parametrize("damage", [b"nonsense", b'{"image": 0}', b'{"image": 99, ', b"\xff\xff\0", b""])
def test_a_damaged_outcome_is_taken_out_and_its_attempt_runs_again(
    damage: bytes, number: int, campaign: Path, made: dict[str, Path], capsys: Capture
) -> None:
    file = campaign / "outcomes.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    whole, lines[number] = len(lines), damage + b"\n"
    file.write_bytes(b"".join(lines))
    [line] = repaired(capsys, campaign)
    assert f"1 damaged line of {file}: taken out".replace(" ", "") in line.replace(" ", "")
    assert len(json_lines(file)) == whole - 1
    assert repaired(capsys, campaign)[0].startswith("nothing was damaged")
    outcome = run_cli(capsys, "resume", campaign, "--quiet")
    assert (outcome.code, outcome.err) == (0, "")
    assert_same_campaign(campaign, made["campaign"])


def test_an_outcome_that_cannot_be_names_its_line_and_the_repair(
    campaign: Path, made: dict[str, Path], capsys: Capture
) -> None:
    file = campaign / "outcomes.jsonl"
    lines = json_lines(file)
    lines[2]["image"] = 99
    write_lines(campaign, "outcomes.jsonl", lines)
    before = tree(campaign)
    for command in ("inspect", "resume"):
        outcome = run_cli(capsys, command, campaign)
        assert_refused(outcome, f"line 3 of {file} is damaged (image is 99)", f"evofool inspect --repair {campaign}")
        assert tree(campaign) == before
    repaired(capsys, campaign)
    assert run_cli(capsys, "resume", campaign, "--quiet").code == 0
    assert_same_campaign(campaign, made["campaign"])


@pytest.mark.parametrize("line", [0, 3, -2])
def test_a_torn_outcome_in_the_middle_does_not_cost_those_after_it(
    line: int, campaign: Path, made: dict[str, Path], capsys: Capture
) -> None:
    """A killed process leaves a torn last line. Any other was damaged later, and good ones follow it."""
    file = campaign / "outcomes.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    number = line % len(lines) + 1
    lines[line] = lines[line][:20] + b"\n"
    file.write_bytes(b"".join(lines))
    before = tree(campaign)
    parts = (
        f"line {number} of {file} is damaged or of another job, and others follow",
        f"evofool inspect --repair {campaign}",
    )
    assert_refused(run_cli(capsys, "resume", campaign), *parts)
    assert tree(campaign) == before
    repaired(capsys, campaign)
    assert len(json_lines(file)) == len(lines) - 1
    assert run_cli(capsys, "resume", campaign, "--quiet").code == 0
    assert_same_campaign(campaign, made["campaign"])


@pytest.mark.parametrize("command", ["inspect", "report"])
def test_a_torn_outcome_in_the_middle_is_told_by_commands_that_only_read(
    command: str, campaign: Path, capsys: Capture
) -> None:
    file = campaign / "outcomes.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([lines[0], b"nonsense\n", *lines[2:]]))
    assert_refused(run_cli(capsys, command, campaign), f"line 2 of {file} is damaged")


def test_outcomes_that_link_elsewhere_are_not_followed(campaign: Path, tmp_path: Path, capsys: Capture) -> None:
    """A campaign from a stranger must not change a file of ours."""
    (tmp_path / "mine").write_text("thesis")
    (campaign / "outcomes.jsonl").unlink()
    (campaign / "outcomes.jsonl").symlink_to(tmp_path / "mine")
    assert_refused(run_cli(capsys, "resume", campaign), "cannot write to")
    assert (tmp_path / "mine").read_text() == "thesis"


@pytest.mark.parametrize("file", ["images.npy", "images.jsonl"])
def test_damaged_images_cannot_be_repaired(file: str, campaign: Path, capsys: Capture) -> None:
    (campaign / file).write_bytes(b"nonsense")
    before = tree(campaign)
    outcome = run_cli(capsys, "inspect", campaign, "--repair")
    assert_refused(outcome, "images", "start the job anew")
    assert tree(campaign) == before


# Neither


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 9}', b'{"format": 2}', b"\xff"])
@pytest.mark.parametrize("name", ["run", "campaign"])
def test_a_folder_whose_config_is_damaged_cannot_be_repaired(
    name: str, content: bytes, made: dict[str, Path], tmp_path: Path, capsys: Capture
) -> None:
    path = Path(shutil.copytree(made[name], tmp_path / name))
    (path / "config.json").write_bytes(content)
    before = tree(path)
    assert_refused(run_cli(capsys, "inspect", path, "--repair"), "format 9" if b"9" in content else "is damaged")
    assert tree(path) == before


def test_a_folder_that_is_no_run_is_refused_and_left_as_it_is(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "mine.txt"):
        assert_refused(run_cli(capsys, "inspect", path, "--repair"), f"no job at {path}")
    assert tree(tmp_path) == {"mine.txt": b"mine"}


def test_a_config_that_was_changed_by_hand_is_told_at_the_checkpoint(run: Path, capsys: Capture) -> None:
    """Its checkpoints are whole, but of another run than the one that is described now."""
    edit_config(run, {"options.seed": 5})
    outcome = run_cli(capsys, "resume", run, "--generations", 6)
    assert_refused(outcome, "is not of the job that", "config.json")
    assert_refused(run_cli(capsys, "inspect", run, "--repair"), "is not of the job that", "start the job anew")


def test_many_small_files_of_history_are_all_looked_at(
    run: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_folder, "LIMITS", history_folder.Limits(small_files=1000))
    files = sorted((run / "history").glob("*.npz"))
    for number in range(20):
        shutil.copy(files[0], run / "history" / f"{100 + number:05d}.npz")
    flip(run / "history" / "00119.npz")
    [line] = repaired(capsys, run)
    assert "00119.npz" in line.replace(" ", "")
