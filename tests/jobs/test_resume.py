"""Stopping loses nothing: a run that was interrupted, killed or crashed ends with the bytes of an undisturbed one."""

from __future__ import annotations

import json
import os
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
from runs import Killed, assert_same_run, interrupt, json_lines, kill, small_evolve, tree

from evofool.errors import RunError
from evofool.gallery.pages import run_page
from evofool.gallery.prints import sheet
from evofool.io import arrays
from evofool.io.files import write_atomically
from evofool.jobs import run as session
from evofool.jobs import run_session as sitting
from evofool.jobs.run import Result
from evofool.search.evolution import Evolution
from evofool.search.progress import Progress
from evofool.store import folder as folder_module
from evofool.store import run as run_module

GENERATIONS = 6

Observer = Callable[[Progress, Evolution], None]


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every generation."""
    monkeypatch.setattr(sitting, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(sitting, "CHECKPOINT_SHARE", float("inf"))


def evolve(out: Path, generations: int = GENERATIONS, **options: Any) -> Result:
    return small_evolve(out, generations=generations, classes=["3", "5", "8"], **options)


def at(generation: int, act: Callable[[], object]) -> Observer:
    """An observer that acts once, after this generation."""

    def observe(progress: Progress, _: Evolution) -> None:
        if progress.generation == generation:
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
    second = session.resume(tmp_path / "a")
    assert (second.interrupted, second.generations) == (False, GENERATIONS)
    evolve(tmp_path / "b", encoding=encoding)
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_stopped_at_every_generation_in_turn_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    evolve(tmp_path / "a", observer=at(1, interrupt))
    for generation in range(2, GENERATIONS):
        assert session.resume(tmp_path / "a", observer=at(generation, interrupt)).generations == generation
    session.resume(tmp_path / "a")
    evolve(tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_a_second_signal_stops_at_once_and_resume_goes_on(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        evolve(tmp_path / "a", observer=at(2, lambda: (interrupt(), interrupt())))
    session.resume(tmp_path / "a")
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
    session.resume(tmp_path / "a")
    evolve(tmp_path / "b", encoding=encoding)
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_killed_before_any_checkpoint_of_a_generation_it_starts_over(tmp_path: Path) -> None:
    init = tmp_path / "init"
    evolve(init, generations=2, seed=8)
    with pytest.raises(Killed):
        evolve(tmp_path / "a", init=init, observer=at(4, kill))
    session.resume(tmp_path / "a")
    evolve(tmp_path / "b", init=init)
    assert_same_run(tmp_path / "a", tmp_path / "b")


def _kill_at_write(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the ``number``-th replacement of a file be the last: half of its content lies in the temporary file."""
    numbers = count()

    def write(path: Path, content: Any, **options: Any) -> None:
        if next(numbers) == number:
            path.with_name(f".{path.name}.{os.getpid()}.0123abcd.tmp").write_bytes(b"half")
            raise Killed
        write_atomically(path, content, **options)

    for module in (arrays, folder_module, run_module, sheet, run_page):
        monkeypatch.setattr(module, "write_atomically", write)


@pytest.mark.usefixtures("eager")
def test_killed_at_any_write_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """From the third write on: before it there are no config and no checkpoint yet."""
    evolve(tmp_path / "undisturbed", generations=2, encoding="cppn")
    killed = 0
    for number in count(2):
        run = tmp_path / f"killed at {number}"
        with pytest.MonkeyPatch.context() as patch:
            _kill_at_write(number, patch)
            try:
                evolve(run, generations=2, encoding="cppn")
                break
            except Killed:
                killed += 1
        session.resume(run)
        assert_same_run(run, tmp_path / "undisturbed")
    assert killed > 12  # two generations: checkpoint, pictures, genomes, elites.jsonl; at last the gallery


@pytest.mark.parametrize("number", [0, 1])
def test_killed_while_the_folder_is_made_resume_says_what_to_do(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kill_at_write(number, monkeypatch)
    with pytest.raises(Killed):
        evolve(tmp_path / "a")
    with pytest.raises(RunError, match=r"no run at|has no checkpoint; start the run anew"):
        session.resume(tmp_path / "a")


def test_killed_by_sigkill_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from evofool import sitting; from runs import small_evolve\n"
        "sitting.CHECKPOINT_SECONDS = -1.0; sitting.CHECKPOINT_SHARE = float('inf')\n"
        "small_evolve(pathlib.Path(sys.argv[2]), generations=10**6, classes=['3', '5', '8'],"
        " observer=lambda *_: time.sleep(0.02))"
    )
    run = tmp_path / "a"
    process = subprocess.Popen([sys.executable, "-c", code, os.path.dirname(__file__), str(run)])
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
    resumed = session.resume(run, generations=total)
    assert resumed.generations == total
    evolve(tmp_path / "b", generations=total)
    assert_same_run(run, tmp_path / "b")


@pytest.mark.parametrize("torn", ['{"generation": 3, "eval', "\0\0\0\0", "{"])
def test_a_torn_last_line_of_the_metrics_is_left_out(torn: str, tmp_path: Path) -> None:
    evolve(tmp_path / "a", observer=at(2, interrupt))
    with open(tmp_path / "a" / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write(torn)
    session.resume(tmp_path / "a")
    lines = json_lines(tmp_path / "a" / "metrics.jsonl")
    assert [line["generation"] for line in lines] == list(range(1, GENERATIONS + 1))


def test_lost_metrics_do_not_keep_a_run_from_going_on(tmp_path: Path) -> None:
    evolve(tmp_path / "a", observer=at(2, interrupt))
    (tmp_path / "a" / "metrics.jsonl").unlink()
    assert session.resume(tmp_path / "a").generations == GENERATIONS


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    evolve(tmp_path / "a")
    before = tree(tmp_path / "a")
    result = session.resume(tmp_path / "a")
    assert (result.generations, result.interrupted) == (GENERATIONS, False)
    assert tree(tmp_path / "a") == before


def test_a_larger_budget_goes_on_as_if_it_had_been_asked_for_at_first(tmp_path: Path) -> None:
    evolve(tmp_path / "a", generations=2)
    session.resume(tmp_path / "a", generations=4)
    session.resume(tmp_path / "a", generations=GENERATIONS)
    evolve(tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_lost_pictures_and_gallery_are_made_again(tmp_path: Path) -> None:
    run = tmp_path / "a"
    evolve(run)
    before = tree(run)
    for file in [*(run / "elites").iterdir(), run / "elites.jsonl", run / "gallery.png"]:
        file.unlink()
    session.resume(run)
    assert tree(run) == before


def test_the_stopwatch_runs_over_all_sittings(tmp_path: Path) -> None:
    evolve(tmp_path / "a", observer=at(3, interrupt))
    session.resume(tmp_path / "a")
    seconds = [line["seconds"] for line in json_lines(tmp_path / "a" / "metrics.jsonl")]
    assert seconds == sorted(set(seconds))


def test_a_spent_budget_leaves_the_config_as_it_was(tmp_path: Path) -> None:
    evolve(tmp_path / "a")
    before = tree(tmp_path / "a")
    with pytest.raises(session.ConfigError, match="6 generations"):
        session.resume(tmp_path / "a", generations=2)
    assert tree(tmp_path / "a") == before


def test_a_run_made_elsewhere_can_be_moved(tmp_path: Path) -> None:
    evolve(tmp_path / "a", observer=at(3, interrupt))
    (tmp_path / "a").rename(tmp_path / "moved")
    session.resume(tmp_path / "moved")
    evolve(tmp_path / "b")
    assert_same_run(tmp_path / "moved", tmp_path / "b")
    assert json.loads((tmp_path / "moved" / "config.json").read_text())["seed"] == 0


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
def test_a_run_of_before_there_were_selectors_goes_on_with_uniform_parents(encoding: str, tmp_path: Path) -> None:
    evolve(tmp_path / "whole", encoding=encoding, selector="uniform")
    evolve(tmp_path / "old", GENERATIONS // 2, encoding=encoding, selector="uniform")
    config = json.loads((tmp_path / "old" / "config.json").read_text())
    del config["selector"]
    (tmp_path / "old" / "config.json").write_text(json.dumps(config))
    session.resume(tmp_path / "old", generations=GENERATIONS)
    assert json_scores(tmp_path / "old") == json_scores(tmp_path / "whole")


def json_scores(run: Path) -> list[float]:
    return [line["score"] for line in json_lines(run / "elites.jsonl")]


def test_another_selector_is_another_run(tmp_path: Path) -> None:
    evolve(tmp_path / "run", selector="weak")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    (tmp_path / "run" / "config.json").write_text(json.dumps(config | {"selector": "fresh"}))
    with pytest.raises(RunError, match="is not of the run"):
        session.resume(tmp_path / "run", generations=2 * GENERATIONS)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("selector", value) for value in ("newest", 3, None)),
        *(("emitters", value) for value in (["newest"], 3, None, [], ["vary@5"], ["vary", "vary"], [["vary"]])),
        ("emitters", {"vary": 1}),
    ],
)
def test_a_config_with_a_selector_or_emitters_that_are_none_is_damaged(option: str, value: Any, tmp_path: Path) -> None:
    evolve(tmp_path / "run")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    (tmp_path / "run" / "config.json").write_text(json.dumps(config | {option: value}))
    with pytest.raises(RunError, match=r"config\.json is damaged"):
        session.resume(tmp_path / "run", generations=2 * GENERATIONS)
