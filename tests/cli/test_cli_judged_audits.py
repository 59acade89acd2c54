"""Audits judged on the command line: rules, files for machines, comparisons, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from audit_records import figure, record
from runs import Capture, assert_refused, run_cli, succeed


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """The folder of an audit that is done, as far as its record."""
    folder = tmp_path / "done"
    folder.mkdir()
    (folder / "audit.json").write_bytes(record({"fooled_at_99": figure(0.6, 0.5, 0.7)}, {"fooling": {}}).to_json())
    return folder


def test_an_audit_that_breaks_a_rule_ends_with_exit_code_3_and_says_which(tmp_path: Path, capsys: Capture) -> None:
    out, junit, card = tmp_path / "audit", tmp_path / "ci" / "junit.xml", tmp_path / "card.md"
    words = ["--target", "digits", "--device", "cpu", "--budget", "400", "--out", out, "--junit", junit]
    rules = ["--fail-on", "fooled_at_50 > 0.5", "--fail-on", "queries > 1e6"]
    result = run_cli(capsys, "audit", *words, *rules, "--model-card", card)
    lines = [line.strip() for line in result.out.splitlines()]
    assert result.code == 3
    assert [line.split(":")[0] for line in lines[-2:]] == ["broken", "kept"]
    assert f"report {out / 'report.html'}" in {" ".join(line.split()) for line in lines}
    assert ElementTree.parse(junit).getroot().find(".//failure") is not None
    assert "fooled_at_99" in card.read_text()
    assert (out / "report.html").is_file()


@pytest.mark.parametrize(("rule", "code"), [("fooled_at_99 > 0.5", 3), ("fooled_at_99_high < 10 %", 0)])
def test_an_audit_that_is_done_is_judged_again(done: Path, capsys: Capture, rule: str, code: int) -> None:
    result = run_cli(capsys, "audit", done, "--fail-on", rule, "--json")
    shown = json.loads(result.out)
    assert result.code == code
    assert shown["fooled_at_99"] == 0.6
    assert [one["broken"] for one in shown["rules"]] == [code == 3]


def test_a_comparison_has_a_page_a_finding_and_an_exit_code(done: Path, tmp_path: Path, capsys: Capture) -> None:
    before = tmp_path / "before"
    before.mkdir()
    (before / "audit.json").write_bytes(record({"fooled_at_99": figure(0.1, 0.05, 0.15)}).to_json())
    page = tmp_path / "page.html"
    worse = run_cli(capsys, "audit", "--compare", before, done, "--out", page)
    assert worse.code == 3
    assert "Surely worse: fooled_at_99." in worse.out
    assert page.is_file()
    better = succeed(capsys, "audit", "--compare", done, before, "--out", page, "--json")
    assert json.loads(better.out)["comparisons"][0]["finding"] == "Surely better: fooled_at_99."


@pytest.mark.parametrize("words", [["--schema"], ["--compare"], []])
def test_trackers_are_refused_where_no_job_works(done: Path, capsys: Capture, words: list[str]) -> None:
    folders = [] if "--schema" in words else [done] * (1 + len(words))
    assert_refused(run_cli(capsys, "audit", *words, *folders, "--observe", "tensorboard"), "--observe follows a job")


def test_the_schema_is_printed(capsys: Capture) -> None:
    assert "fooled_at_99" in json.dumps(json.loads(succeed(capsys, "audit", "--schema").out))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fail-on", "fooled > 1"], '--fail-on: no figure is called "fooled"'),
        (["--fail-on", "ece"], "--fail-on takes a figure, a sign"),
        (["--junit", "."], "--junit must name a file"),
        (
            ["--junit", "done/audit.json/x.xml", "--target", "no such"],
            "audit.json takes no files; choose",
        ),
        (["DONE", "--target", "digits"], "--target belongs to a new audit"),
        (["DONE", "DONE"], "say --compare as well"),
        (["DONE", "--out", "x"], "--out belongs to a new audit"),
        (["--compare", "DONE"], "--compare takes two audits or more"),
        (["--compare", "DONE", "DONE"], "given twice"),
        (["--compare", "DONE", "gone", "--fail-on", "ece > 1"], "--compare takes no rules"),
        (["--compare", "DONE", "gone"], "no audit.json"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    done: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(done.parent)
    assert_refused(run_cli(capsys, "audit", *[str(done) if word == "DONE" else word for word in words]), said)
    assert sorted(path.name for path in done.parent.iterdir()) == ["done"]
