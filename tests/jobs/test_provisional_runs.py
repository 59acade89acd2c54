"""Runs whose elites are provisional for a while: what they end with is confirmed, and no byte depends on when."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch
from runs import Killed, assert_same_run, change_checkpoint, interrupt, json_lines, kill, small_evolve

import evofool
from evofool import Result
from evofool.config.budget import Budget
from evofool.engines.local import LocalEngine
from evofool.errors import RunError, TargetError
from evofool.jobs.run import RunStep
from evofool.search import evolution
from evofool.store.elites import elite_stem
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


def biased(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the approximation far too sure of itself."""
    scores = LocalEngine.scores
    monkeypatch.setattr(LocalEngine, "scores", lambda self, images: scores(self, images).mul(8).clamp(max=1))


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
    assert 0 < saved(tmp_path / "b", "all_confirmed") <= 20 * GENERATIONS
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
    biased(monkeypatch)
    seen: list[float] = []
    result = evolve(
        generations=None, until=0.5, evaluations=4000, observer=lambda step: seen.append(step.progress.median)
    )
    assert not result.interrupted
    assert sum(value >= 0.5 for value in seen) > 1
    assert median(result.confidence.tolist()) >= 0.5
    np.testing.assert_allclose(result.confidence, confirmed(result), rtol=1e-4)  # bfloat16 is further off


def test_the_last_figures_of_a_run_are_confirmed_and_go_on_as_they_were(tmp_path: Path) -> None:
    result = evolve(tmp_path / "run", generations=4)
    last = json_lines(tmp_path / "run" / "metrics.jsonl")[-1]
    assert last["median"] == pytest.approx(median(result.confidence.tolist()))
    assert last["min"] == pytest.approx(result.confidence.min())
    assert last["confirmations"] == result.confirmations == evofool.open(tmp_path / "run").confirmations
    assert evofool.inspect(tmp_path / "run")["confirmations"] == result.confirmations
    for generations in (6, GENERATIONS):
        evofool.resume(tmp_path / "run", generations=generations, gallery=False)
    evolve(tmp_path / "whole")
    ours, theirs = (json_lines(tmp_path / name / "metrics.jsonl") for name in ("run", "whole"))
    assert [{**line, "seconds": 0} for line in ours] == [{**line, "seconds": 0} for line in theirs]


def test_an_observer_is_told_that_elites_are_confirmed() -> None:
    told: list[object] = []

    class Watching:
        def __call__(self, step: RunStep) -> None:
            told.append(len(np.unique(step.evolution.archive.evaluation_id[step.evolution.archive.provisional])))

        def notice(self, words: str) -> None:
            told.append(words)

    evolve(observer=Watching())
    assert told[-1] == f"confirming {told[-2]} elites"
    told.clear()
    evolve(precision="float32", observer=Watching())
    assert told == [0] * GENERATIONS


def test_a_median_that_was_never_confirmed_is_no_budget_that_is_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    biased(monkeypatch)
    first = evolve(tmp_path / "run", generations=5)
    goal = (1 + median(first.confidence.tolist())) / 2
    assert json_lines(tmp_path / "run" / "metrics.jsonl")[-2]["median"] > goal
    assert not RunFolder.open(tmp_path / "run").spent(Budget(until=goal))
    resumed = evofool.resume(tmp_path / "run", until=goal, evaluations=3000, gallery=False)
    assert resumed.generations > 5
    assert median(resumed.confidence.tolist()) >= goal


def test_looking_for_a_median_scores_an_elite_once(monkeypatch: pytest.MonkeyPatch) -> None:
    biased(monkeypatch)
    images: list[int] = []
    confirm = LocalEngine.confirm

    def count(self: LocalEngine, batch: torch.Tensor, rows: int | None = None) -> torch.Tensor:
        images.append(len(batch))
        return confirm(self, batch, rows)

    monkeypatch.setattr(LocalEngine, "confirm", count)
    evolve()
    alone = sum(images)
    images.clear()
    evolve(until=0.99999)
    assert alone < sum(images) < 3 * alone


@pytest.mark.usefixtures("eager")
def test_a_run_that_ends_before_its_elites_are_confirmed_is_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr("evofool.search.evolution.confirm_elites", fail)
        with pytest.raises(Killed):
            evolve(tmp_path / "run")
    assert evofool.open(tmp_path / "run").interrupted
    evofool.resume(tmp_path / "run", gallery=False)
    assert not evofool.open(tmp_path / "run").interrupted
    evolve(tmp_path / "whole")
    assert_same_run(tmp_path / "run", tmp_path / "whole")


def test_scores_that_are_none_end_the_run_when_they_are_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = evolution.confirm_elites

    def broken(archive: Any, toolbox: Any, batch: int) -> int:
        confirm = toolbox.confirm
        toolbox.register("confirm", lambda population: confirm(population) * float("nan"))
        return original(archive, toolbox, batch)

    monkeypatch.setattr(evolution, "confirm_elites", broken)
    with pytest.raises(TargetError, match="NaN"):
        evolve(tmp_path / "run")


def test_a_provisional_elite_has_files_of_its_own(tmp_path: Path) -> None:
    """Or else a run killed between two files would have a genome that its line doesn't fit."""
    names = [elite_stem(3, "cat", 0.99912, 7, provisional=mark) for mark in (True, False)]
    assert names == ["003_cat_0.9991_7p", "003_cat_0.9991_7"]


def test_islands_have_nothing_provisional() -> None:
    seen: list[bool] = []
    evolve(
        islands=2,
        observer=lambda step: seen.extend(
            bool(search.archive.provisional.any()) for search in step.evolution.search.searches
        ),
    )
    assert not any(seen)


def test_what_was_confirmed_last_is_no_later_than_the_run(tmp_path: Path) -> None:
    evolve(tmp_path / "run")
    change_checkpoint(tmp_path / "run", **{"search.all_confirmed": np.array([10**6])})
    with pytest.raises(RunError, match="all_confirmed"):
        evofool.resume(tmp_path / "run", generations=9)
