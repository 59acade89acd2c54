"""Generations that are proposed before the last one's scores are known: the same bytes, and nothing paid twice."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import runs
from plain import PlainTarget
from runs import Killed, assert_same_run, interrupt, kill, small_evolve
from torch import Tensor

import evofool
from evofool import Result
from evofool.jobs.run import RunStep
from evofool.search.profiler import Profiler
from evofool.store.ledger import FolderLedger

GENERATIONS = 8
EMITTERS = ("vary", "restart@30")

ASKED: dict[str, Any] = {
    "encoding": "direct", "batch": 12, "seed": 1, "ahead": True, "count_queries": True, "concurrency": 4,
    "request_images": 3,
}  # fmt: skip
"""A run on a target that is asked for three images at once, four times at the same time."""


class Slow(PlainTarget):
    """A target that takes its time, remembers what it was asked, and may fail."""

    fingerprint = "slow 1"

    def __init__(self, fail: Callable[[], None] = lambda: None) -> None:
        super().__init__("slow")
        self.asked: list[bytes] = []
        self._fail, self._lock = fail, threading.Lock()

    def scores(self, images: Tensor) -> Tensor:
        with self._lock:
            self._fail()
        time.sleep(0.002)
        with self._lock:
            self.asked += [image.numpy().tobytes() for image in images]
        return super().scores(images)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own."""
    monkeypatch.setenv("EVOFOOL_CACHE", str(tmp_path / "cache"))


def evolve(out: Path, **options: Any) -> Result:
    given = {"generations": GENERATIONS, "classes": ["3", "5", "8"], "ahead": True, **options}
    return small_evolve(out, **given)


def at(generation: int, act: Callable[[], object]) -> Callable[[RunStep], None]:
    """Return an observer that acts once, after this generation."""

    def observe(step: RunStep) -> None:
        if step.progress.generation == generation:
            act()

    return observe


@pytest.mark.parametrize("options", [{"encoding": "direct"}, {"encoding": "cppn", "emitters": EMITTERS}])
@pytest.mark.usefixtures("eager")
def test_killed_or_stopped_after_any_generation_it_ends_with_the_same_bytes(
    options: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        evolve(tmp_path / "a", **options, observer=at(2, kill))
    for generation in range(3, GENERATIONS):
        end = kill if generation % 2 else interrupt
        with pytest.raises(Killed) if end is kill else nullcontext():
            evofool.resume(tmp_path / "a", observer=at(generation, end))
    evofool.resume(tmp_path / "a")
    evolve(tmp_path / "b", **options)
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_a_budget_in_two_pieces_gives_the_bytes_of_one(tmp_path: Path) -> None:
    evolve(tmp_path / "a", generations=3)
    evofool.resume(tmp_path / "a", generations=GENERATIONS)
    evolve(tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_it_is_another_job_than_one_that_waits(tmp_path: Path) -> None:
    ahead, waiting = evolve(tmp_path / "a"), evolve(tmp_path / "b", ahead=False)
    assert ahead.evaluations == waiting.evaluations
    assert (ahead.images != waiting.images).any()


def test_who_answers_when_changes_no_byte() -> None:
    alone = evofool.evolve(PlainTarget("slow"), "direct", batch=12, seed=1, ahead=True, generations=6)
    asked = evofool.evolve(Slow(), generations=6, **ASKED)
    np.testing.assert_array_equal(asked.images, alone.images)


def test_a_profiler_changes_no_byte_and_sees_each_generation_scored_in_its_turn() -> None:
    target, profiler = Slow(), Profiler()
    profiled = evofool.evolve(target, generations=6, profiler=profiler, **ASKED)
    alone = evofool.evolve(PlainTarget("slow"), "direct", batch=12, seed=1, ahead=True, generations=6)
    np.testing.assert_array_equal(profiled.images, alone.images)
    assert profiler.shares()["scoring"] > 0.3


class Patient(PlainTarget):
    """A target that answers every fourth request only when four more have come, or after a while.

    A generation is four requests, so the fourth from one is always one of the next generation's.
    """

    fingerprint = "patient 1"

    def __init__(self, patience: float) -> None:
        super().__init__("patient")
        self.released = self.waited = 0
        self._patience, self._count, self._came = patience, 0, threading.Condition()

    def scores(self, images: Tensor) -> Tensor:
        with self._came:
            number, self._count = self._count, self._count + 1
            self._came.notify_all()
            if number % 4 == 0:
                came = self._came.wait_for(lambda: self._count > number + 4, self._patience)
                self.released, self.waited = self.released + came, self.waited + (not came)
        return super().scores(images)


@pytest.mark.parametrize("ahead", [True, False])
def test_the_next_generation_is_asked_for_before_the_last_is_answered(ahead: bool) -> None:
    target = Patient(patience=2.0 if ahead else 0.05)
    evofool.evolve(target, generations=12, **{**ASKED, "ahead": ahead})
    told = f"{target.released} requests were followed by the next generation's, {target.waited} were not"
    assert (target.released >= 10) if ahead else (target.released == 0), told


def test_nothing_is_asked_beyond_the_budget_of_evaluations_or_twice(tmp_path: Path) -> None:
    target = Slow()
    evofool.evolve(target, evaluations=60, **ASKED, out=tmp_path / "run")
    assert len(target.asked) == len(set(target.asked)) == FolderLedger(tmp_path / "run").spent
    assert len(target.asked) <= 60 + 8  # the pictures at the start


def test_nothing_is_paid_twice_however_often_it_is_killed(tmp_path: Path) -> None:
    dice, kills = random.Random(0), 0

    def die() -> None:
        if dice.random() < 0.3:
            raise Killed

    run, target, result = tmp_path / "run", Slow(die), None
    while result is None:
        try:
            begun = (run / "config.json").exists()
            options = {**ASKED, "generations": 10}
            result = evofool.resume(run, target=target) if begun else evofool.evolve(target, **options, out=run)
        except Killed:
            kills += 1
    assert kills >= 3
    assert len(target.asked) == len(set(target.asked))
    alone = evofool.evolve(PlainTarget("slow"), "direct", batch=12, seed=1, ahead=True, generations=10)
    np.testing.assert_array_equal(result.images, alone.images)


def test_a_budget_of_queries_ends_it_resumably(tmp_path: Path) -> None:
    target, run = Slow(), tmp_path / "run"
    first = evofool.evolve(target, **ASKED, generations=10, max_queries=60, out=run)
    assert first.interrupted
    assert len(target.asked) == 60 == FolderLedger(run).spent
    last = evofool.resume(run, target=target, max_queries=1_000)
    alone = evofool.evolve(PlainTarget("slow"), "direct", batch=12, seed=1, ahead=True, generations=10)
    np.testing.assert_array_equal(last.images, alone.images)
    assert len(target.asked) == len(set(target.asked))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("proposed.0.parents", np.full(20, 10**6)),
        ("proposed.0.parents", np.full(20, -1)),
        ("proposed.0.parents", np.zeros(3, np.int64)),
        ("proposed.0.parents", np.zeros(20)),
        ("proposed.0.proposer", np.array(7)),
        ("proposed.0.proposer", np.array([0])),
    ],
)
def test_a_checkpoint_whose_proposed_generation_cannot_be_is_refused(
    name: str, value: np.ndarray, tmp_path: Path
) -> None:
    evolve(tmp_path / "a", generations=3)
    assert name in runs.checkpoint(tmp_path / "a")
    runs.change_checkpoint(tmp_path / "a", **{name: value})
    with pytest.raises(evofool.EvofoolError, match="damaged"):
        evofool.resume(tmp_path / "a", generations=5)
