"""Stopping loses nothing: a run that was interrupted, killed or crashed ends with the bytes of an undisturbed one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import runs
from configs import REMOVED, edit_config
from runs import Killed, assert_same_run, interrupt, json_lines, kill, small_evolve, tree

import evofool
from evofool import Result
from evofool.errors import ConfigError, EvofoolError, RunError
from evofool.jobs.run import RunStep

GENERATIONS = 6

Observer = Callable[[RunStep], None]


def evolve(out: Path, generations: int = GENERATIONS, **options: Any) -> Result:
    return small_evolve(out, generations=generations, classes=["3", "5", "8"], **options)


def at(generation: int, act: Callable[[], object]) -> Observer:
    """Return an observer that acts once, after this generation."""

    def observe(step: RunStep) -> None:
        if step.progress.generation == generation:
            act()

    return observe


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_resume_ends_with_the_same_bytes(stop: int, encoding: str, tmp_path: Path) -> None:
    handler = signal.getsignal(stop)
    first = evolve(tmp_path / "a", encoding=encoding, observer=at(3, lambda: signal.raise_signal(stop)))
    assert (first.interrupted, first.generations) == (True, 3)
    assert signal.getsignal(stop) is handler
    assert (tmp_path / "a" / "gallery.png").exists()
    second = evofool.resume(tmp_path / "a")
    assert (second.interrupted, second.generations) == (False, GENERATIONS)
    evolve(tmp_path / "b", encoding=encoding)
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_stopped_at_every_generation_in_turn_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    evolve(tmp_path / "a", observer=at(1, interrupt))
    for generation in range(2, GENERATIONS):
        assert evofool.resume(tmp_path / "a", observer=at(generation, interrupt)).generations == generation
    evofool.resume(tmp_path / "a")
    evolve(tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_a_second_signal_stops_at_once_and_resume_goes_on(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        evolve(tmp_path / "a", observer=at(2, lambda: (interrupt(), interrupt())))
    evofool.resume(tmp_path / "a")
    evolve(tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("generation", [1, 4, GENERATIONS])
@pytest.mark.parametrize("encoding", ["direct", "cppn"])
@pytest.mark.usefixtures("eager")
def test_killed_after_a_checkpoint_it_ends_with_the_same_bytes(encoding: str, generation: int, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        evolve(tmp_path / "a", encoding=encoding, observer=at(generation, kill))
    assert [line["generation"] for line in json_lines(tmp_path / "a" / "metrics.jsonl")][-1] == generation
    with np.load(tmp_path / "a" / "checkpoint" / "state.npz") as archive:
        assert archive["search.counts"][0] == generation - 1
    evofool.resume(tmp_path / "a")
    evolve(tmp_path / "b", encoding=encoding)
    assert_same_run(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
@pytest.mark.usefixtures("eager")
def test_killed_it_goes_on_along_the_gradient_to_the_same_bytes(encoding: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"encoding": encoding, "emitters": "vary,gradient"}
    with pytest.raises(Killed):
        evolve(tmp_path / "a", observer=at(4, kill), **options)
    resumed = evofool.resume(tmp_path / "a")
    evolve(tmp_path / "b", **options)
    assert_same_run(tmp_path / "a", tmp_path / "b")
    assert evofool.inspect(tmp_path / "a")["evaluations"] == resumed.evaluations
    children = sum(1 for _ in json_lines(tmp_path / "a" / "metrics.jsonl")) * resumed.config.options.batch
    assert resumed.evaluations > children  # gradients count


def test_killed_before_any_checkpoint_of_a_generation_it_starts_over(tmp_path: Path) -> None:
    init = tmp_path / "init"
    evolve(init, generations=2, seed=8)
    with pytest.raises(Killed):
        evolve(tmp_path / "a", init=init, observer=at(4, kill))
    evofool.resume(tmp_path / "a")
    evolve(tmp_path / "b", init=init)
    assert_same_run(tmp_path / "a", tmp_path / "b")


def kill_at_replacement(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the ``number``-th replacement of a file be the last operation, wherever in the package it comes from.

    Half of a file lies beside it under a temporary name, as after a power cut.
    """
    numbers, replace = count(), os.replace

    def replace_or_die(source: Any, destination: Any, **options: Any) -> None:
        if next(numbers) == number:
            Path(destination).with_name(f".{Path(destination).name}.{os.getpid()}.0123abcd.tmp").write_bytes(b"half")
            raise Killed
        replace(source, destination, **options)

    monkeypatch.setattr(os, "replace", replace_or_die)


@pytest.mark.usefixtures("eager")
def test_killed_at_any_write_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """From the third write on: before it there are no config and no checkpoint yet."""
    evolve(tmp_path / "undisturbed", generations=2, encoding="cppn")
    killed = 0
    for number in count(2):
        run = tmp_path / f"killed at {number}"
        with pytest.MonkeyPatch.context() as patch:
            kill_at_replacement(number, patch)
            try:
                evolve(run, generations=2, encoding="cppn")
                break
            except Killed:
                killed += 1
        evofool.resume(run)
        assert_same_run(run, tmp_path / "undisturbed")
    assert killed > 12  # Checkpoints, pictures, genomes, elites.jsonl, and the gallery at last.


def test_killed_while_the_config_is_written_there_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kill_at_replacement(0, monkeypatch)
    with pytest.raises(Killed):
        evolve(tmp_path / "a")
    monkeypatch.undo()
    with pytest.raises(RunError, match=r"no job at .*: expected a folder with config\.json"):
        evofool.resume(tmp_path / "a")
    evolve(tmp_path / "a")


def test_killed_before_the_first_checkpoint_resume_says_what_to_do(tmp_path: Path) -> None:
    """A killed process leaves the folder as it is at that moment."""
    evolve(tmp_path / "a")
    before = tree(tmp_path / "a")
    shutil.rmtree(tmp_path / "a")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "config.json").write_bytes(before["config.json"])
    with pytest.raises(RunError, match=r"the job was stopped before it began: start it again, with `out=.*a`"):
        evofool.resume(tmp_path / "a")
    assert tree(tmp_path / "a") == {"config.json": before["config.json"]}
    evolve(tmp_path / "a")
    evolve(tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_killed_by_sigkill_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from evofool.jobs import session; from runs import small_evolve\n"
        "session.CHECKPOINT_SECONDS = -1.0\n"
        "small_evolve(pathlib.Path(sys.argv[2]), generations=10**6, classes=['3', '5', '8'],"
        " observer=lambda _: time.sleep(0.02))"
    )
    run, tests = tmp_path / "a", Path(runs.__file__).parent
    process = subprocess.Popen([sys.executable, "-c", code, tests, run])
    try:
        metrics, deadline = run / "metrics.jsonl", time.monotonic() + 120
        while not (metrics.exists() and metrics.read_bytes().count(b"\n") >= 4):
            assert process.poll() is None, "the run ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.kill()
        assert process.wait() == -signal.SIGKILL
    total = metrics.read_bytes().count(b"\n") + 2
    resumed = evofool.resume(run, generations=total)
    assert resumed.generations == total
    evolve(tmp_path / "b", generations=total)
    assert_same_run(run, tmp_path / "b")


@pytest.mark.parametrize("torn", ['{"generation": 3, "eval', "\0\0\0\0", "{"])
def test_a_torn_last_line_of_the_metrics_is_left_out(torn: str, tmp_path: Path) -> None:
    evolve(tmp_path / "a", observer=at(2, interrupt))
    with open(tmp_path / "a" / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write(torn)
    evofool.resume(tmp_path / "a")
    lines = json_lines(tmp_path / "a" / "metrics.jsonl")
    assert [line["generation"] for line in lines] == list(range(1, GENERATIONS + 1))


def test_lost_metrics_do_not_keep_a_run_from_going_on(tmp_path: Path) -> None:
    evolve(tmp_path / "a", observer=at(2, interrupt))
    (tmp_path / "a" / "metrics.jsonl").unlink()
    assert evofool.resume(tmp_path / "a").generations == GENERATIONS


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    evolve(tmp_path / "a")
    before = tree(tmp_path / "a")
    result = evofool.resume(tmp_path / "a")
    assert (result.generations, result.interrupted) == (GENERATIONS, False)
    assert tree(tmp_path / "a") == before


def test_a_larger_budget_goes_on_as_if_it_had_been_asked_for_at_first(tmp_path: Path) -> None:
    evolve(tmp_path / "a", generations=2)
    evofool.resume(tmp_path / "a", generations=4)
    evofool.resume(tmp_path / "a", generations=GENERATIONS)
    evolve(tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_lost_pictures_and_gallery_are_made_again(tmp_path: Path) -> None:
    run = tmp_path / "a"
    evolve(run)
    before = tree(run)
    for file in [*(run / "elites").iterdir(), run / "elites.jsonl", run / "gallery.png"]:
        file.unlink()
    evofool.resume(run)
    assert tree(run) == before


def test_the_seconds_run_on_over_all_sessions(tmp_path: Path) -> None:
    evolve(tmp_path / "a", observer=at(3, interrupt))
    evofool.resume(tmp_path / "a")
    seconds = [line["seconds"] for line in json_lines(tmp_path / "a" / "metrics.jsonl")]
    assert seconds == sorted(set(seconds))


def test_a_spent_budget_leaves_the_config_as_it_was(tmp_path: Path) -> None:
    evolve(tmp_path / "a")
    before = tree(tmp_path / "a")
    with pytest.raises(ConfigError, match=r"6 generations.*ask for more in all, as in `generations=12`"):
        evofool.resume(tmp_path / "a", generations=2)
    assert tree(tmp_path / "a") == before


def test_a_run_made_elsewhere_can_be_moved(tmp_path: Path) -> None:
    evolve(tmp_path / "a", observer=at(3, interrupt))
    (tmp_path / "a").rename(tmp_path / "moved")
    evofool.resume(tmp_path / "moved")
    evolve(tmp_path / "b")
    assert_same_run(tmp_path / "moved", tmp_path / "b")
    assert json.loads((tmp_path / "moved" / "config.json").read_text())["options"]["seed"] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"options.selector": "fresh"},
        {"options.emitters": ["vary", "tweak@41"]},
        {"options.seed": 1},
        {"options.batch": 21},
        {"options.settings.rounds": 2},
        {"options.descriptors": ["size"], "options.bins": 2},
        {"options.precision": "bfloat16", "target.precision": "bfloat16"},
        {"options.weights_sha256": "0" * 64, "target.weights_sha256": "0" * 64},
        {"options.classes": [3, 5, 9], "class_indices": [3, 5, 9]},
    ],
    ids=str,
)
def test_options_that_make_another_run_are_refused_at_the_checkpoint(change: dict[str, Any], tmp_path: Path) -> None:
    evolve(tmp_path / "run", encoding="cppn", selector="weak", emitters="vary,tweak@40")
    edit_config(tmp_path / "run", change)
    before = tree(tmp_path / "run")
    with pytest.raises(RunError, match=r"is not of the job that .*config\.json describes|are not those"):
        evofool.resume(tmp_path / "run", generations=2 * GENERATIONS)
    assert tree(tmp_path / "run") == before


@pytest.mark.parametrize(
    "change",
    [
        {"options.minutes": 5},
        {"options.preset": "nguyen2015"},
        {"options.micro_batch": 7, "target.micro_batch": 7},
        {"versions.torch": "9"},
    ],
    ids=str,
)
def test_what_makes_no_other_run_may_be_changed(change: dict[str, Any], tmp_path: Path) -> None:
    evolve(tmp_path / "run")
    edit_config(tmp_path / "run", change)
    assert evofool.resume(tmp_path / "run", generations=GENERATIONS + 1).generations == GENERATIONS + 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("selector", value) for value in ("newest", 3, None, REMOVED)),
        *(("emitters", value) for value in (["newest"], 3, None, [], ["vary@5"], ["vary", "vary"], [["vary"]])),
        ("emitters", {"vary": 1}),
        ("emitters", REMOVED),
    ],
)
def test_a_config_with_a_selector_or_emitters_that_are_none_is_refused(option: str, value: Any, tmp_path: Path) -> None:
    """What is of a wrong type is damaged; a wrong name is named with its option."""
    evolve(tmp_path / "run")
    edit_config(tmp_path / "run", {f"options.{option}": value})
    before = tree(tmp_path / "run")
    with pytest.raises(EvofoolError, match=rf"config\.json|`{option}`|{option.removesuffix('s')} \"newest\"") as error:
        evofool.resume(tmp_path / "run", generations=2 * GENERATIONS)
    assert "\n" not in str(error.value)
    assert tree(tmp_path / "run") == before


@pytest.mark.parametrize("limits", [{"evaluations": 60}, {"generations": 3}, {"evaluations": 41}])
def test_a_budget_that_is_just_reached_is_done_and_changes_nothing(limits: dict[str, int], tmp_path: Path) -> None:
    small_evolve(tmp_path / "a", generations=3, batch=20, gallery=False)
    result = evofool.resume(tmp_path / "a", gallery=False, **limits)
    assert (result.evaluations, result.interrupted) == (60, False)
    with pytest.raises(ConfigError, match="is past that already"):
        evofool.resume(tmp_path / "a", gallery=False, evaluations=40)
