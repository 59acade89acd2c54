"""Runs whose passes run side by side: the same files on one thread and on several, also where they go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from runs import assert_same_run
from support import tiny_target

import evofool
from evofool.config.evolve import EvolveOptions
from evofool.targets.prepare import prepare_target
from evofool.targets.torch_target import TorchTarget


@pytest.mark.parametrize("encoding", ["cppn", "direct"])
def test_a_run_is_the_same_on_one_thread_and_on_two(
    encoding: str, threads: Callable[[int], None], tmp_path: Path
) -> None:
    def evolve(name: str, generations: int) -> None:
        evofool.evolve(target(), encoding=encoding, generations=generations, batch=18, out=tmp_path / name)

    def target() -> TorchTarget:
        return tiny_target(precision="bfloat16", micro_batch=5, parallel=True)

    evolve("one", 6)
    threads(2)
    evolve("two", 6)
    assert_same_run(tmp_path / "two", tmp_path / "one")
    evolve("resumed", 3)
    threads(1)
    evofool.resume(tmp_path / "resumed", target=target(), generations=6)
    assert_same_run(tmp_path / "resumed", tmp_path / "one")


def test_a_target_whose_queries_are_counted_is_asked_pass_by_pass(threads: Callable[[int], None]) -> None:
    threads(2)
    for counted in (False, True):
        target = tiny_target()
        assert "parallel" in target.tunable
        target.apply(replace(target.execution, parallel=True))
        prepare_target(target, EvolveOptions.of({"count_queries": counted}))
        assert target.execution.parallel is not counted
