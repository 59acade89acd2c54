"""An evolution on a cluster ends with the bytes of one in this process, whoever scores what, and whoever dies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from clusters import ON_RAY, Linear, kill, without_engine
from deap import algorithms
from runs import assert_same_run, small_evolve
from support import assert_same_arrays, build, tiny_target

import evofool
from evofool.config.engine import EngineOptions
from evofool.config.evolve import EvolveOptions
from evofool.engines.base import Cluster
from evofool.engines.opening import opened
from evofool.jobs.run import RunStep
from evofool.search.evolution import Evolution
from evofool.targets.prepare import prepare_target

pytestmark = [pytest.mark.usefixtures("cluster"), pytest.mark.timeout(600)]

CPPN = {"encoding": "cppn", "generations": 6, "batch": 30, "micro_batch": 4, "precision": "bfloat16"}
"""An evolution whose generations are eight passes each, and whose elites are confirmed."""


def test_a_run_of_a_named_target_is_the_same_on_two_workers_one_of_which_dies_twice(tmp_path: Path) -> None:
    lost: list[int] = []

    def watch(step: RunStep) -> None:
        engine: Any = step.evolution.engine
        assert isinstance(engine, Cluster)
        if step.progress.generation in (2, 4):
            kill(engine)
        lost.append(engine.facts().lost)

    small_evolve(tmp_path / "here", **CPPN)
    small_evolve(tmp_path / "there", **CPPN, **ON_RAY, observer=watch)
    assert lost[-1] == 2
    for run in ("here", "there"):
        without_engine(tmp_path / run)
    assert_same_run(tmp_path / "there", tmp_path / "here")


def test_a_target_of_the_users_own_travels_and_a_stopped_run_goes_on_in_this_process(tmp_path: Path) -> None:
    options: dict[str, Any] = {"encoding": "direct", "batch": 20, "islands": 2, "target": Linear()}
    small_evolve(tmp_path / "here", generations=5, **options, device="auto", precision=None)
    small_evolve(tmp_path / "there", generations=3, **options, **ON_RAY, device="auto", precision=None)
    evofool.resume(tmp_path / "there", target=Linear(), generations=5, engine="local")
    for run in ("here", "there"):
        without_engine(tmp_path / run)
    assert_same_run(tmp_path / "there", tmp_path / "here")


@pytest.mark.parametrize("job", ["evolve", "attack"])
@pytest.mark.usefixtures("kept_workers")
def test_the_runs_and_campaigns_of_a_sweep_go_over_the_cluster(job: str, tmp_path: Path) -> None:
    options = {"generations": 2, "batch": 8} if job == "evolve" else {"count": 2, "queries": 20}
    plan: dict[str, Any] = {"command": job, "target": "digits", "device": "cpu", "seeds": [0, 1], **options}
    workers: list[int] = []

    def watch(step: Any) -> None:
        if part := step.step:
            engine = part.evolution.engine if job == "evolve" else part.campaign.engine
            workers.append(len(engine.facts().workers))

    evofool.sweep(plan, out=tmp_path / "here", gallery=False)
    evofool.sweep({**plan, **ON_RAY}, out=tmp_path / "there", gallery=False, observer=watch)
    assert min(workers) > 0
    names = ("elites.jsonl",) if job == "evolve" else ("outcomes.jsonl", "images.jsonl")
    files = [file for name in names for file in sorted((tmp_path / "here").rglob(name))]
    assert len(files) == 2 * len(names)
    for file in files:
        lines = (tmp_path / "there" / file.relative_to(tmp_path / "here")).read_bytes().splitlines()
        assert sorted(lines) == sorted(file.read_bytes().splitlines())


SEARCHES: tuple[dict[str, Any], ...] = (
    {},
    {"islands": 3, "ahead": True},
    {"novelty": "pixels", "bins": 2},
    {"batch": 3},
)
"""Options of searches of four classes. Of three children, most could enter, so they are confirmed at once."""


def states(engine: Any, target: Any, **options: Any) -> dict[str, Any]:
    """The state after some generations of DEAP's own loop."""
    searched = EvolveOptions(**{"batch": 24, "seed": 3, **options})
    evolution = Evolution(target, build("cppn", "default"), searched, engine=engine)
    algorithms.eaGenerateUpdate(evolution.toolbox, ngen=3, verbose=False)
    return {name: array for name, array in evolution.state().items() if name != "seconds"}


def test_the_map_of_deaps_own_loop_goes_over_the_cluster_and_one_worker_gives_the_same_as_several() -> None:
    prepared = prepare_target(tiny_target(micro_batch=5, precision="bfloat16"), EvolveOptions())
    here = [states(None, prepared.target, **options) for options in SEARCHES]
    for workers in (1, 2):
        engine = opened([(prepared.target, prepared.record)], EngineOptions(engine="ray", workers=workers))
        for options, state in zip(SEARCHES, here, strict=True):
            assert_same_arrays(states(engine, prepared.target, **options), state)
        assert isinstance(engine, Cluster)
        assert engine.facts().images >= 3 * 24
        engine.close()
