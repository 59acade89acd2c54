"""Machines leave, join and die in the middle of a run: it goes on, or says in one line how it does, byte for byte."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from clusters import SMALL, begun, without_engine
from runs import assert_same_run, small_evolve

import evofool
from evofool.jobs.run import RunStep

pytestmark = pytest.mark.timeout(600)

CPPN = {"encoding": "cppn", "generations": 6, "batch": 30, "micro_batch": 4, "gallery": False}
"""A run whose generations are eight passes each."""


def keep_busy(engine: Any, until: Any) -> None:
    """Have black images scored, which changes no run, until the workers are as they should be."""
    while not until(engine.facts()):
        engine.scores(torch.zeros((64, *engine.target.image_shape), dtype=torch.uint8))


def test_a_machine_that_dies_and_one_that_joins_change_no_byte(cluster: Any, tmp_path: Path) -> None:
    machines = [begun(lambda: cluster.add_node(**SMALL))]

    def watch(step: RunStep) -> None:
        engine, generation = step.evolution.engine, step.progress.generation
        if generation == 1:
            keep_busy(engine, lambda facts: len(facts.workers) == 3)
            cluster.remove_node(machines.pop(), allow_graceful=False)
        elif generation == 2:
            keep_busy(engine, lambda facts: facts.lost == 1)
            machines.append(begun(lambda: cluster.add_node(**SMALL)))
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


SOON = """
from evofool.cli import app
from evofool.engines.ray import head

head.SILENT_SECONDS = 3.0
app.main()
"""
"""The command line, which waits less long for a head that doesn't answer."""


def test_the_death_of_the_head_is_one_line_and_the_run_goes_on_here_and_on_another_cluster(
    cluster: Any, tmp_path: Path
) -> None:
    from ray.cluster_utils import Cluster

    dying = begun(lambda: Cluster(initialize_head=True, head_node_args={**SMALL, "include_dashboard": False}))
    there, options = tmp_path / "there", {**CPPN, "target": "digits", "device": "cpu", "precision": "float32"}
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if name != "gallery"]
    words += ["--generations=1000000", "--no-gallery", f"--address={dying.address}", "--engine=ray", "--workers=1"]
    command = [sys.executable, "-c", SOON, "evolve", *words, "--quiet", "--out", str(there)]
    job = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while job.poll() is None and not (there / "metrics.jsonl").exists():
        time.sleep(0.1)
    for process in [each.process.pid for group in dying.head_node.all_processes.values() for each in group]:
        os.kill(process, signal.SIGKILL)
    _, told = job.communicate(timeout=300)
    dying.shutdown()
    assert job.returncode == 2
    (line,) = told.splitlines()
    assert re.match(
        r"error: the head of the Ray cluster at \S+:\d+ has not answered for \d+ seconds; go on with ", line
    )
    assert line.endswith(f"{there} is kept: go on with: evofool resume {there}")
    shutil.copytree(there, tmp_path / "elsewhere")
    generations = evofool.inspect(there)["saved"]["generation"] + 2
    evofool.resume(there, engine="local", generations=generations, gallery=False)
    evofool.resume(tmp_path / "elsewhere", address=cluster.address, generations=generations, gallery=False)
    small_evolve(tmp_path / "here", **{**CPPN, "generations": generations})
    for run in ("here", "there", "elsewhere"):
        without_engine(tmp_path / run)
    assert_same_run(there, tmp_path / "here")
    assert_same_run(tmp_path / "elsewhere", tmp_path / "here")
