"""``evofool.inspect``: what a job is and how far it got, as plain values; files that lie are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from campaigns import small_attack, write_lines
from runs import Capture, Killed, json_lines, kill, run_cli, small_evolve
from support import tiny_network

import evofool
from evofool.errors import RunError
from evofool.targets.fingerprint import tensors_digest


def test_a_run_tells_its_options_its_figures_and_its_elites(tmp_path: Path) -> None:
    result = small_evolve(tmp_path / "run", classes="0,1", seed=4, gallery=False)
    facts = evofool.inspect(tmp_path / "run")
    expected = {
        "run": str(tmp_path / "run"), "target": "digits", "encoding": "direct", "preset": "default", "batch": 20,
        "seed": 4, "budget": {"generations": 3}, "generation": 3, "evaluations": 60, "selector": "unsure",
        "emitters": ["vary"], "classes": 2, "niches": 2, "device": "cpu", "precision": "float32",
        "damaged": [], "saved": {"generation": 3, "evaluations": 60}, "elites_written": True,
    }  # fmt: skip
    assert {key: facts[key] for key in expected} == expected
    assert [line["score"] for line in facts["elites"]] == result.confidence.tolist()
    assert facts["elites"] == json_lines(tmp_path / "run" / "elites.jsonl")
    assert "qd_score" not in facts
    assert json.loads(json.dumps(facts)) == facts


def test_a_run_with_several_images_of_a_class_counts_its_niches(tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", classes="0,1", descriptors="brightness,size", bins=3, encoding="cppn", gallery=False)
    facts = evofool.inspect(tmp_path / "run")
    assert (facts["classes"], facts["niches"], facts["descriptors"]) == (2, 18, ["brightness", "size"])
    assert facts["pictures"] == len(facts["elites"]) > 2
    assert facts["qd_score"] == pytest.approx(sum(line["score"] for line in facts["elites"]))


def test_a_run_that_was_killed_before_its_elites_were_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        small_evolve(tmp_path / "run", observer=lambda _: kill())
    facts = evofool.inspect(tmp_path / "run")
    assert (facts["generation"], facts["elites"], facts["elites_written"]) == (1, [], False)
    assert facts["saved"] == {"generation": 0, "evaluations": 0}


def test_a_campaign_tells_its_plan_and_its_figures(tmp_path: Path) -> None:
    result = small_attack(tmp_path / "campaign", pixels="auto", max_pixels=2, queries=40, seed=4)
    facts = evofool.inspect(tmp_path / "campaign")
    expected = {
        "campaign": str(tmp_path / "campaign"), "target": "tiny", "images": 6, "skipped": {},
        "criterion": "untargeted", "pixels": [1, 2], "strategy": "local", "queries_per_attempt": 40, "seed": 4,
        "attempts": 6, "baseline": None, "pending": 0, "finished": True, **result.statistics.figures(),
    }  # fmt: skip
    assert {key: facts[key] for key in expected} == expected
    assert facts["weights_sha256"] == tensors_digest(tiny_network())
    assert json.loads(json.dumps(facts)) == facts


def test_a_campaign_that_was_stopped_is_not_finished(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        small_attack(tmp_path / "campaign", observer=lambda _: kill(), baseline=True)
    facts = evofool.inspect(tmp_path / "campaign")
    assert not facts["finished"]
    assert facts["pending"] == 6 - len(json_lines(tmp_path / "campaign" / "outcomes.jsonl")) > 0


@pytest.mark.parametrize(("key", "value"), [("score", float("nan")), ("top5", [["cat", -1e308]]), ("class", 5)])
def test_an_elite_that_lies_is_named_with_its_line(key: str, value: Any, tmp_path: Path) -> None:
    small_evolve(tmp_path / "run", classes="0,1", gallery=False)
    lines = json_lines(tmp_path / "run" / "elites.jsonl")
    lines[1][key] = value
    (tmp_path / "run" / "elites.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(RunError, match=rf"line 2 of .*elites\.jsonl is damaged \({key}"):
        evofool.inspect(tmp_path / "run")


@pytest.mark.parametrize(("key", "value"), [("queries", -1), ("top5", []), ("final_index", 99), ("class", 5)])
def test_an_outcome_that_lies_is_named_with_its_line(key: str, value: Any, tmp_path: Path) -> None:
    small_attack(tmp_path / "campaign")
    lines = json_lines(tmp_path / "campaign" / "outcomes.jsonl")
    lines[1][key] = value
    write_lines(tmp_path / "campaign", "outcomes.jsonl", lines)
    with pytest.raises(RunError, match=rf"line 2 of .*outcomes\.jsonl is damaged \({key}"):
        evofool.inspect(tmp_path / "campaign")


PARTS = {
    "checkpoint/state.npz": "go back to the checkpoint before it with: evofool inspect --repair",
    "history/00001.npz": "go on without it with: evofool inspect --repair",
    "metrics.jsonl": "take them out with: evofool inspect --repair",
}
"""Parts of a run's folder, and what is said to do where one is damaged."""


@pytest.mark.parametrize("name", PARTS)
def test_what_a_resume_would_refuse_is_told_with_its_remedy_which_mends_it(name: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    small_evolve(run, gallery=False)
    content = (run / name).read_bytes()
    middle = len(content) // 3
    (run / name).write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + b"?" + content[middle + 2 :])
    [fault] = evofool.inspect(run)["damaged"]
    assert str(run / name) in fault
    assert fault.endswith(f"{PARTS[name]} {run}")
    assert evofool.repair(run)
    assert evofool.inspect(run)["damaged"] == []
    assert evofool.resume(run, progress=False).generations == 3


def test_several_damaged_parts_are_all_told_and_the_command_fails(tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    small_evolve(run, gallery=False)
    (run / "checkpoint" / "state.npz").write_bytes(b"")
    (run / "history" / "00001.npz").write_bytes(b"")
    outcome = run_cli(capsys, "inspect", run)
    assert outcome.code == 2
    assert "2 parts" in outcome.out
    assert outcome.err.count("\n") == 1
    assert outcome.err.endswith(f"evofool inspect --repair {run} (and 1 further fault)\n")
    outcome = run_cli(capsys, "inspect", run, "--json")
    assert (outcome.code, len(json.loads(outcome.out)["damaged"])) == (2, 2)


def test_every_image_of_a_campaign_is_checked_against_its_hash(tmp_path: Path) -> None:
    small_attack(tmp_path / "campaign")
    file = tmp_path / "campaign" / "images.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(RunError, match=r"image 5 in .*images.npy is not the one that was chosen; start the job anew"):
        evofool.inspect(tmp_path / "campaign")
