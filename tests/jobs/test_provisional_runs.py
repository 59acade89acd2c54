"""Runs whose elites are provisional for a while: what they end with is confirmed, and no byte depends on when."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch
from runs import Killed, assert_same_run, interrupt, json_lines, kill, small_evolve

import evofool
from evofool import Result
from evofool.engines.local import LocalEngine
from evofool.jobs.run import RunStep
from evofool.store.run import RunFolder
from evofool.targets.registry import load_target

GENERATIONS = 8


@pytest.fixture(autouse=True)
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten classes are many, one child of a generation is confirmed, and the others long afterwards."""
    monkeypatch.setattr("evofool.search.map_elites.MANY_NICHES", 5)
    monkeypatch.setattr("evofool.search.map_elites.CONFIRMED_OF_MANY", 1)
    monkeypatch.setattr("evofool.search.map_elites.PROVISIONAL_SHARE", 0.005)


def evolve(out: Path | None = None, **options: Any) -> Result:
    return small_evolve(out, **{"generations": GENERATIONS, "precision": "bfloat16", "gallery": False, **options})


def confirmed(result: Result) -> list[float]:
    """What the target says of a result's pictures in float32."""
    target = load_target("digits", device="cpu")
    scores = target.confirm(torch.from_numpy(result.images))
    return scores[range(len(scores)), result.indices.tolist()].tolist()


def saved(run: Path, name: str) -> int:
    """The sum of what the search's state in a run's checkpoint has under a name, 0 where it has nothing."""
    return int(RunFolder.open(run).checkpoints.load().get(f"search.{name}", np.zeros(1)).sum())


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
def test_what_a_run_ends_with_is_confirmed(encoding: str, tmp_path: Path) -> None:
    waiting: list[int] = []

    def observe(step: RunStep) -> None:
        waiting.append(int(step.evolution.archive.provisional.sum()))

    result = evolve(tmp_path / "run", encoding=encoding, observer=observe)
    assert waiting[-1] > 0
    assert saved(tmp_path / "run", "archive.provisional") == waiting[-1]  # the run would go on from there
    np.testing.assert_allclose(result.confidence, confirmed(result), rtol=1e-4)  # bfloat16 is further off
    lines = json_lines(tmp_path / "run" / "elites.jsonl")
    for line in lines:
        assert dict(line["top5"])[line["class"]] == pytest.approx(line["score"], rel=1e-5)
    assert not any("provisional" in line for line in lines)
    np.testing.assert_array_equal(evofool.open(tmp_path / "run").confidence, result.confidence)
    alone = evolve(encoding=encoding)
    np.testing.assert_array_equal(alone.confidence, result.confidence)


@pytest.mark.parametrize("encoding", ["direct", "cppn"])
@pytest.mark.usefixtures("eager")
def test_killed_or_stopped_after_any_generation_it_ends_with_the_same_bytes(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evofool.search.map_elites.PROVISIONAL_SHARE", 0.07)  # they are confirmed on the way, too

    def at(generation: int, end: Any) -> Any:
        return lambda step: end() if step.progress.generation == generation else None

    with pytest.raises(Killed):
        evolve(tmp_path / "a", encoding=encoding, observer=at(1, kill))
    for generation in range(2, GENERATIONS):
        end = interrupt if generation % 2 else kill
        with pytest.raises(Killed) if end is kill else nullcontext():
            evofool.resume(tmp_path / "a", observer=at(generation, end), gallery=False)
    evofool.resume(tmp_path / "a", gallery=False)
    evolve(tmp_path / "b", encoding=encoding)
    assert 0 < saved(tmp_path / "b", "settled") <= 20 * GENERATIONS
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_a_budget_in_two_pieces_gives_the_bytes_of_one(tmp_path: Path) -> None:
    first = evolve(tmp_path / "a", generations=3)
    np.testing.assert_allclose(first.confidence, confirmed(first), rtol=1e-4)  # bfloat16 is further off
    evofool.resume(tmp_path / "a", generations=GENERATIONS, gallery=False)
    evolve(tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")


@pytest.mark.usefixtures("eager")
def test_what_a_killed_run_leaves_says_which_scores_are_an_approximation(tmp_path: Path) -> None:
    def end(step: RunStep) -> None:
        if step.progress.generation == 6:
            kill()

    with pytest.raises(Killed):
        evolve(tmp_path / "run", observer=end)
    lines = json_lines(tmp_path / "run" / "elites.jsonl")
    assert {line.get("provisional", False) for line in lines} == {True, False}


def test_a_median_is_reached_when_it_is_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An approximation that is far too sure of itself reaches it sooner, and doesn't count."""
    scores = LocalEngine.scores
    monkeypatch.setattr(LocalEngine, "scores", lambda self, images: scores(self, images).mul(8).clamp(max=1))
    seen: list[float] = []
    result = evolve(
        generations=None, until=0.5, evaluations=4000, observer=lambda step: seen.append(step.progress.median)
    )
    assert not result.interrupted
    assert sum(value >= 0.5 for value in seen) > 1
    assert median(result.confidence.tolist()) >= 0.5
    np.testing.assert_allclose(result.confidence, confirmed(result), rtol=1e-4)  # bfloat16 is further off
