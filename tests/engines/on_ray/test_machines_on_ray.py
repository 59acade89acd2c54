"""Machines leave, join and die in the middle of a run: it goes on, or says in one line how it does, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from clusters import ON_RAY, SMALL, without_engine
from runs import assert_same_run, small_evolve

import evofool
from evofool.engines.ray import head
from evofool.errors import TargetError
from evofool.jobs.run import RunStep

pytestmark = pytest.mark.timeout(600)

CPPN = {"encoding": "cppn", "generations": 6, "batch": 30, "micro_batch": 4, "gallery": False}
"""A run whose generations are eight passes each."""


def keep_busy(engine: Any, until: Any) -> None:
    """Have black images scored, which changes no run, until the workers are as they should be."""
    while not until(engine.facts()):
        engine.scores(torch.zeros((64, *engine.target.image_shape), dtype=torch.uint8))


def test_a_machine_that_dies_and_one_that_joins_change_no_byte(cluster: Any, tmp_path: Path) -> None:
    machines = [cluster.add_node(**SMALL)]

    def watch(step: RunStep) -> None:
        engine, generation = step.evolution.engine, step.progress.generation
        if generation == 1:
            keep_busy(engine, lambda facts: len(facts.workers) == 3)
            cluster.remove_node(machines.pop(), allow_graceful=False)
        elif generation == 2:
            keep_busy(engine, lambda facts: facts.lost == 1)
            machines.append(cluster.add_node(**SMALL))
        elif generation == 3:
            keep_busy(engine, lambda facts: len(facts.workers) == 3)

    try:
        small_evolve(tmp_path / "there", **CPPN, engine="ray", observer=watch)
    finally:
        cluster.remove_node(machines.pop())
    small_evolve(tmp_path / "here", **CPPN)
    for run in ("here", "there"):
        without_engine(tmp_path / run)
    assert_same_run(tmp_path / "there", tmp_path / "here")


@pytest.mark.usefixtures("cluster")
def test_the_death_of_the_head_is_one_line_and_the_run_goes_on_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(head, "LOOKED_SECONDS", 0.1)

    def watch(step: RunStep) -> None:
        if step.progress.generation == 2:
            monkeypatch.setattr(head.Head, "answers", lambda _: False)

    with pytest.raises(TargetError) as raised:
        small_evolve(tmp_path / "there", **{**CPPN, "generations": 10**6}, **ON_RAY, observer=watch)
    monkeypatch.undo()
    assert "\n" not in str(raised.value)
    assert "the head of the Ray cluster at " in str(raised.value)
    assert "has not answered for 1 seconds; go on with `engine=local`" in str(raised.value)
    assert str(raised.value).endswith(f"{tmp_path / 'there'} is kept: go on with: evofool resume {tmp_path / 'there'}")
    done = evofool.inspect(tmp_path / "there")["saved"]["generation"]
    evofool.resume(tmp_path / "there", engine="local", generations=done + 2, gallery=False)
    small_evolve(tmp_path / "here", **{**CPPN, "generations": done + 2})
    for run in ("here", "there"):
        without_engine(tmp_path / run)
    assert_same_run(tmp_path / "there", tmp_path / "here")
