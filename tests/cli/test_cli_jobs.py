"""``evofool resume`` and ``evofool inspect`` with runs when all is well."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest
from configs import edit_config
from runs import Capture, CommandResult, assert_refused, json_lines, run_cli, succeed, tree

from evofool.search.evolution import Evolution
from evofool.search.progress import Progress

EVOLVE = ["evolve", "--target", "digits", "--batch", "20", "--device", "cpu", "--precision", "float32"]


def test_resume_goes_on_to_a_larger_budget(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    succeed(capsys, *EVOLVE, "--generations", 2, "--out", run, "--quiet")
    facts = json.loads(succeed(capsys, "resume", run, "--generations", 4, "--json").out)
    assert (facts["generations"], facts["evaluations"]) == (4, 80)
    assert [line["generation"] for line in json_lines(run / "metrics.jsonl")] == [1, 2, 3, 4]
    assert json.loads((run / "config.json").read_text())["options"]["generations"] == 4


@pytest.mark.parametrize(("versions", "noted"), [({"evofool": "0.0.9"}, 1), ({}, 0)])
def test_resume_tells_of_another_version_that_began_a_run(
    versions: dict[str, str], noted: int, tmp_path: Path, capsys: Capture
) -> None:
    run = tmp_path / "run"
    succeed(capsys, *EVOLVE, "--generations", 2, "--out", run, "--quiet")
    ours = json.loads((run / "config.json").read_text())["versions"]
    for given, expected in ((ours, 0), (versions, noted)):
        edit_config(run, {"versions": given})
        shown = succeed(capsys, "resume", run, "--no-gallery").out
        assert shown.count("note: evofool 0.0.9 began this run") == expected
        assert shown.count("note: ") == expected


@pytest.mark.parametrize("versions", ["0.0.9", None, {"evofool": 5}])
def test_versions_that_are_none_are_a_damaged_config(versions: object, tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    succeed(capsys, *EVOLVE, "--generations", 2, "--out", run, "--quiet")
    edit_config(run, {"versions": versions})
    assert_refused(run_cli(capsys, "resume", run), "config.json is damaged (versions")


def test_resume_of_a_finished_run_says_so_and_changes_nothing(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    succeed(capsys, *EVOLVE, "--generations", 2, "--out", run, "--quiet")
    before = tree(run)
    assert "done: digits, cppn" in succeed(capsys, "resume", run).out
    assert tree(run) == before


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_prints_the_command_that_goes_on_and_is_the_exit_code(
    stop: signal.Signals, code: int, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, run = Evolution.step, tmp_path / "run"

    def interrupted(evolution: Evolution, **options: bool) -> Progress:
        progress = step(evolution, **options)
        if progress.generation in (2, 4):
            signal.raise_signal(stop)
        return progress

    monkeypatch.setattr(Evolution, "step", interrupted)
    outcome = run_cli(capsys, *EVOLVE, "--generations", 5, "--out", run)
    assert (outcome.code, outcome.err) == (code, "")
    assert "stopped: digits, cppn" in outcome.out
    assert any(line.rstrip().endswith(f"evofool resume {run}") for line in outcome.out.splitlines())
    again = run_cli(capsys, "resume", run, "--json")
    assert (again.code, json.loads(again.out)["interrupted"]) == (code, True)
    monkeypatch.undo()
    assert json.loads(succeed(capsys, "resume", run, "--json").out)["generations"] == 5


def test_a_run_whose_last_generation_was_under_way_when_it_was_stopped_is_done(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Evolution.step

    def interrupted(evolution: Evolution, **options: bool) -> Progress:
        progress = step(evolution, **options)
        signal.raise_signal(signal.SIGINT)
        return progress

    monkeypatch.setattr(Evolution, "step", interrupted)
    outcome = succeed(capsys, *EVOLVE, "--generations", 1, "--out", tmp_path / "run", "--json")
    assert json.loads(outcome.out)["interrupted"] is False


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_the_work_begins_leaves_nothing(
    stop: signal.Signals, code: int, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Evolution, "__init__", lambda *_, **__: signal.raise_signal(stop))
    outcome = run_cli(capsys, *EVOLVE, "--generations", 1)
    message = "error: stopped before this command saved anything; give it again\n"
    assert (outcome.code, outcome.err) == (code, message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_around_a_command_ends_it_without_a_word(
    stop: signal.Signals, code: int, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evofool.cli.app._run", lambda: signal.raise_signal(stop))
    assert run_cli(capsys, "targets") == CommandResult(code, "", "")


def test_a_run_that_is_stopped_at_once_tells_what_is_kept_and_how_to_go_on(
    cppn_run: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Evolution, "__init__", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    run = Path(shutil.copytree(cppn_run, tmp_path / "run"))
    outcome = run_cli(capsys, "resume", run, "--generations", 4)
    message = f"error: stopped; what was saved last is kept; go on with: evofool resume {run}\n"
    assert (outcome.code, outcome.err) == (143, message)


def test_a_second_signal_tells_that_the_checkpoints_so_far_are_kept(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, run = Evolution.step, tmp_path / "run"

    def interrupted_twice(evolution: Evolution, **options: bool) -> Progress:
        progress = step(evolution, **options)
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
        return progress

    monkeypatch.setattr(Evolution, "step", interrupted_twice)
    outcome = run_cli(capsys, *EVOLVE, "--generations", 2, "--out", run, "--quiet")
    assert outcome.code == 130
    assert outcome.err == f"error: stopped; what was saved last is kept; go on with: evofool resume {run}\n"
    assert (run / "checkpoint" / "state.npz").exists()


def test_a_file_that_ends_early_is_not_taken_for_a_stop(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def ended(*_: object, **__: object) -> None:
        raise EOFError("Compressed file ended before the end-of-stream marker was reached")

    monkeypatch.setattr(Evolution, "__init__", ended)
    outcome = run_cli(capsys, *EVOLVE, "--generations", 1, "--out", tmp_path / "run", "--quiet")
    assert_refused(outcome, "a file ended early (EOFError: Compressed file ended before")
    assert "stopped" not in outcome.err


def test_inspect_tells_how_far_a_run_got(cppn_run: Path, capsys: Capture) -> None:
    facts = json.loads(succeed(capsys, "inspect", cppn_run, "--json").out)
    assert (facts["run"], facts["target"], facts["encoding"]) == (str(cppn_run), "digits", "cppn")
    assert (facts["generation"], facts["evaluations"], facts["niches"]) == (3, 60, 2)
    assert facts["budget"] == {"generations": 3}
    assert facts["elites"] == json_lines(cppn_run / "elites.jsonl")
    shown = succeed(capsys, "inspect", cppn_run).out
    assert "next guesses" in shown
    for key in ("target", "encoding", "preset", "seed", "generation", "median"):
        assert any(line.split()[:1] == [key] for line in shown.splitlines())


def test_inspect_tells_when_newer_elites_are_in_no_files_yet(cppn_run: Path, tmp_path: Path, capsys: Capture) -> None:
    """This is so after SIGKILL: the record is written every generation, elites' files are not."""
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
