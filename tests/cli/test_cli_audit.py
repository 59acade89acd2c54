"""``evofool audit`` on the command line, on the embedded digits."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from runs import Capture, run_cli, succeed

from evofool.audits.record import read_record

AUDIT = ["audit", "--target", "digits", "--device", "cpu", "--budget", "400"]


def test_an_audit_prints_its_figures_and_where_it_is(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "audit"
    lines = succeed(capsys, *AUDIT, "--out", out).out.splitlines()
    assert "done: audit, digits" in lines
    assert any(line.startswith("tasks ") for line in lines)
    assert any(re.match(r" *fooled_at_90 +[\d.]+ % \(95 % interval ", line) for line in lines)
    assert lines[-1].split() == ["audit", str(out)]


def test_the_json_of_an_audit_has_every_figure_with_its_interval(tmp_path: Path, capsys: Capture) -> None:
    shown = json.loads(succeed(capsys, *AUDIT, "--out", tmp_path / "audit", "--json").out)
    for name, value in read_record(tmp_path / "audit").flat().items():
        assert shown[name] == value
    assert shown["audit"] == str(tmp_path / "audit")
    assert shown["interrupted"] is False


def test_a_finished_audit_is_resumed_and_inspected(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "audit"
    succeed(capsys, *AUDIT, "--out", out, "--quiet")
    before = (out / "audit.json").read_bytes()
    assert "done: audit, digits" in succeed(capsys, "resume", out).out
    assert (out / "audit.json").read_bytes() == before
    facts = json.loads(succeed(capsys, "inspect", out, "--json").out)
    assert facts["finished"]
    assert facts["plan"]["queries"] == 400


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--budget", "7"], "--budget is 7 queries, too few for any part of an audit"),
        (["--budget", "soon"], '--budget must be time as in 10m or 90s, or queries as in 50000, got "soon"'),
        (["--profile", "slow"], '--profile must be quick, standard, full, got "slow"'),
        (["--skip", "fool"], '--skip: there is no part "fool"'),
        (["--data", "nowhere"], "no data at --data nowhere"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(words: list[str], said: str, tmp_path: Path, capsys: Capture) -> None:
    outcome = run_cli(capsys, *AUDIT, *words, "--out", tmp_path / "audit")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {said}")
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "audit").exists()


def test_what_parts_cannot_do_for_one_reason_is_said_once(tmp_path: Path, capsys: Capture) -> None:
    lines = succeed(capsys, *AUDIT, "--skip", "fooling,pixels", "--out", tmp_path / "audit").out.splitlines()
    notes = [line.split(maxsplit=1)[1] for line in lines if line.startswith("  note ")]
    assert notes[0] == "Fooling images, Pixels: left out, as asked"


@pytest.mark.parametrize(("command", "words"), [("report", []), ("timelapse", ["--out", "x.gif"])])
def test_a_command_for_another_job_says_what_an_audit_has_inside(
    command: str, words: list[str], tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "audit"
    succeed(capsys, *AUDIT, "--out", out, "--quiet")
    assert f"error: {out} is an audit; expected a " in run_cli(capsys, command, out, *words).err
