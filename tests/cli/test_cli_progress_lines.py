"""``--progress json``: events as JSON lines, for programs that start evofool."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from runs import Capture, CommandResult, json_lines, run_cli, succeed

from evofool.cli import app as cli
from evofool.console import event_lines
from evofool.search.evolution import Evolution

EVOLVE = ["evolve", "--target", "digits", "--batch", "20", "--device", "cpu", "--precision", "float32"]


@pytest.fixture
def all_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every step told."""
    monkeypatch.setattr(event_lines, "EVENT_SECONDS", -1.0)


def events(outcome: CommandResult) -> list[dict[str, Any]]:
    """What a command told, each line an object."""
    return [json.loads(line) for line in outcome.out.splitlines()]


@pytest.mark.usefixtures("all_told")
def test_a_run_begins_goes_on_and_ends_as_its_own_records_say(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    outcome = succeed(capsys, *EVOLVE, "--generations", 3, "--classes", "3,8", "--out", run, "--progress", "json")
    start, *steps, end = events(outcome)
    assert outcome.err == ""
    assert (start["event"], start["kind"], start["job"], start["target"]) == ("start", "run", str(run), "digits")
    assert (start["step"], start["resumed"], start["options"]["generations"]) == (0, False, 3)
    assert None not in start["options"].values()
    lines = json_lines(run / "metrics.jsonl")
    for line, step in zip(lines, steps, strict=True):
        assert (step["event"], step["job"], step["step"]) == ("progress", str(run), line["generation"])
        assert (step["done"], step["total"], step["unit"]) == (line["generation"], 3, "generations")
        assert step["figures"].items() >= line.items()
    assert (steps[-1]["eta"], end["event"], end["status"]) == (0.0, "end", "finished")
    assert end["summary"]["evaluations"] == 60
    assert [event["time"] for event in events(outcome)] == sorted(event["time"] for event in events(outcome))


def test_json_beside_it_changes_nothing_and_quiet_leaves_progress_out(tmp_path: Path, capsys: Capture) -> None:
    told = {}
    for name, more in {"plain": [], "json": ["--json"], "quiet": ["--quiet"]}.items():
        run = tmp_path / name
        outcome = succeed(capsys, *EVOLVE, "--generations", 2, "--out", run, "--progress", "json", *more)
        told[name] = [event["event"] for event in events(outcome)]
        assert outcome.err == ""
    assert told["json"] == told["plain"]
    assert (told["plain"][0], told["plain"][1], told["plain"][-1]) == ("start", "progress", "end")
    assert told["quiet"] == ["start", "end"]


def test_the_summary_is_that_of_json(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    end = events(succeed(capsys, *EVOLVE, "--generations", 2, "--out", run, "--progress", "json"))[-1]
    assert json.loads(succeed(capsys, "resume", run, "--json").out) == end["summary"]
    again = events(succeed(capsys, "resume", run, "--generations", 3, "--progress", "json"))
    assert (again[0]["event"], again[0]["step"], again[0]["resumed"]) == ("start", 2, True)
    assert again[-1]["summary"]["generations"] == 3


def test_notes_are_warnings_and_nothing_else_goes_to_standard_output(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    succeed(capsys, *EVOLVE, "--generations", 2, "--out", run, "--quiet")
    with (run / "metrics.jsonl").open("a") as file:
        last = json_lines(run / "metrics.jsonl")[-1]
        file.write(json.dumps(last | {"generation": 3, "evaluations": 60}) + "\n")
    told = events(succeed(capsys, "resume", run, "--generations", 4, "--progress", "json"))
    (warning,) = (event for event in told if event["event"] == "warning")
    assert warning["message"].startswith("it goes back to generation 2 with 40 evaluations")


def test_several_seeds_are_one_sweep(tmp_path: Path, capsys: Capture) -> None:
    sweep = tmp_path / "sweep"
    words = [*EVOLVE, "--generations", 1, "--seeds", "3,5", "--out", sweep, "--progress", "json"]
    start, *steps, end = events(succeed(capsys, *words))
    assert [(event["event"], event["kind"], event["job"]) for event in (start, end)] == [
        ("start", "sweep", str(sweep)),
        ("end", "sweep", str(sweep)),
    ]
    assert (steps[-1]["done"], steps[-1]["total"], steps[-1]["unit"]) == (2, 2, "runs")
    assert len(end["summary"]["runs"]) == 2


def test_campaigns_experiments_and_audits_tell_the_same_events(tmp_path: Path, capsys: Capture) -> None:
    commands: dict[str, list[Any]] = {
        "campaign": ["attack", "--count", 4, "--queries", 50],
        "experiment": ["lab", "perturb", "--target", "digits", "--methods", "fgsm", "--count", 4],
        "audit": ["audit", "--target", "digits", "--budget", "1500", "--fail-on", "accuracy < 0.01"],
    }
    units = {"campaign": "attempts", "experiment": "parts", "audit": "tasks"}
    for kind, words in commands.items():
        told = events(succeed(capsys, *words, "--device", "cpu", "--out", tmp_path / kind, "--progress", "json"))
        start, *_, last, end = told
        assert (start["event"], start["kind"], last["event"], end["event"]) == ("start", kind, "progress", "end")
        assert (last["unit"], last["done"]) == (units[kind], last["total"])
        assert end["status"] == "finished"
    assert end["summary"]["rules"][0]["broken"] is False


def test_an_error_is_the_last_event_and_stands_on_standard_error_too(tmp_path: Path, capsys: Capture) -> None:
    outcome = run_cli(capsys, *EVOLVE, "--select", "best", "--out", tmp_path / "run", "--progress", "json")
    assert outcome.code == 2
    outcome = run_cli(capsys, *EVOLVE, "--generations", 0, "--out", tmp_path / "run", "--progress", "json")
    (error,) = events(outcome)
    assert (outcome.code, error["event"], error["exit_code"]) == (2, "error", 2)
    assert error["message"] == "--generations must be a whole number of at least 1, got 0"
    assert outcome.err == f"error: {error['message']}\n"


def test_a_bug_is_an_event_too(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(Evolution, "step", fail)
    with (
        mock.patch.object(sys, "argv", ["evofool", *EVOLVE, "--out", str(tmp_path / "run"), "--progress", "json"]),
        pytest.raises(ZeroDivisionError),
    ):
        cli.main()
    *_, error = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (error["event"], error["message"], error["exit_code"]) == ("error", "ZeroDivisionError: division by zero", 1)


@pytest.mark.usefixtures("all_told")
def test_where_nobody_reads_any_more_all_is_saved_and_the_run_can_go_on(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, step = tmp_path / "run", Evolution.step
    reading, writing = os.pipe()
    pipe = os.fdopen(writing, "w")

    def closing(evolution: Evolution, **options: bool) -> Any:
        if evolution.search.generation == 2:
            os.close(reading)
        return step(evolution, **options)

    monkeypatch.setattr(Evolution, "step", closing)
    monkeypatch.setattr(sys, "stdout", pipe)
    words = [*EVOLVE, "--generations", "9", "--out", str(run), "--progress", "json"]
    with mock.patch.object(sys, "argv", ["evofool", *words]), pytest.raises(SystemExit) as ended:
        cli.main()
    monkeypatch.undo()
    pipe.close()
    assert ended.value.code == 141  # as of a process that SIGPIPE ends
    assert capsys.readouterr().err == ""
    assert json.loads(succeed(capsys, "inspect", run, "--json").out)["saved"] == {"generation": 3, "evaluations": 60}
    assert json.loads(succeed(capsys, "resume", run, "--json").out)["generations"] == 9


def test_lines_for_people_end_a_job_in_the_same_way(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    reading, writing = os.pipe()
    os.close(reading)
    pipe = os.fdopen(writing, "w")
    monkeypatch.setattr(sys, "stdout", pipe)
    words = [*EVOLVE, "--generations", "9", "--out", str(run)]
    with mock.patch.object(sys, "argv", ["evofool", *words]), pytest.raises(SystemExit) as ended:
        cli.main()
    monkeypatch.undo()
    pipe.close()
    assert ended.value.code == 141
    assert json.loads(succeed(capsys, "inspect", run, "--json").out)["saved"] == {"generation": 1, "evaluations": 20}
