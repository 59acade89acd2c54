"""Jobs record how their target was run, and go on so; the command that tunes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from runs import Capture, assert_refused, run_cli, small_evolve
from tuned import Slow, normalised, target_of

import evofool
from evofool.jobs.recorded import recorded_options
from evofool.targets.execution.options import ExecutionOptions
from evofool.targets.execution.process import SWITCH

pytestmark = pytest.mark.usefixtures("cache")


def test_a_run_records_how_it_was_scored_and_goes_on_so(tmp_path: Path, cache: Path, real_time: None) -> None:
    options: dict[str, Any] = {"device": "cpu", "batch": 20, "gallery": False}
    evofool.evolve("digits", "direct", generations=2, out=tmp_path / "run", **options)
    evofool.evolve("digits", "direct", generations=4, out=tmp_path / "whole", **options)
    kept = json.loads(cache.read_text())
    [key] = kept
    recorded = json.loads((tmp_path / "run" / "config.json").read_text())["target"]
    assert {name: recorded[name] for name in kept[key]} == kept[key]
    cache.write_text(json.dumps({key: {"precision": "float32", "memory_format": "contiguous", "micro_batch": 3}}))
    evofool.resume(tmp_path / "run", generations=4, gallery=False)
    again = json.loads((tmp_path / "run" / "config.json").read_text())["target"]
    assert again == recorded
    assert (tmp_path / "run" / "elites.jsonl").read_bytes() == (tmp_path / "whole" / "elites.jsonl").read_bytes()
    options = recorded_options(tmp_path / "run", {})
    assert {name: getattr(options, name) for name in kept[key]} == kept[key]
    elsewhere = recorded_options(tmp_path / "run", {"device": "cpu"})
    assert ExecutionOptions.of(elsewhere) == ExecutionOptions("cpu")  # another device may be fastest in another way


def test_a_target_of_ones_own_goes_on_as_it_was_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_evolve(tmp_path / "run", target=target_of(Slow(0.001)), device="auto", precision="auto", gallery=False)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["target"]["micro_batch"] == 1024
    monkeypatch.setenv(SWITCH, "off")
    own = target_of(Slow(0.001))
    evofool.resume(tmp_path / "run", target=own, generations=6, gallery=False)
    assert own.micro_batch == 1024


def test_a_run_with_folded_normalisations_goes_on_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"device": "auto", "precision": "auto", "gallery": False}
    small_evolve(tmp_path / "run", target=target_of(normalised()), **options)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["target"]["fold"] is True
    monkeypatch.setenv(SWITCH, "off")
    own = target_of(normalised())
    assert not own.execution.fold
    evofool.resume(tmp_path / "run", target=own, generations=6, gallery=False)
    assert own.execution.fold


def test_the_command_shows_what_was_tried(capsys: Capture, cache: Path, real_time: None) -> None:
    shown = run_cli(capsys, "targets", "digits", "--tune", "--device", "cpu")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("digits on cpu")
    assert shown.out.count("chosen") == 1
    outcome = json.loads(run_cli(capsys, "targets", "digits", "--tune", "--device", "cpu", "--json").out)
    assert outcome["chosen"] == next(iter(json.loads(cache.read_text()).values()))
    assert outcome["chosen"] in [{name: each[name] for name in outcome["chosen"]} for each in outcome["trials"]]
    assert all(each["images_per_second"] > 0 and each["error"] < 1e-3 for each in outcome["trials"])


def test_options_that_tell_nothing_are_refused(capsys: Capture) -> None:
    assert_refused(run_cli(capsys, "targets", "--tune"), "evofool targets cifar10 --tune")
    assert_refused(run_cli(capsys, "targets", "digits", "--device", "cpu"), "add --tune")
    assert_refused(run_cli(capsys, "targets", "digit", "--tune"), "digits")
