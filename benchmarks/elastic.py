"""Jobs on a cluster whose workers, machines and head die: is their result that of one process, byte for byte?

Four kinds of runs take turns, each with another seed: a campaign whose workers are killed every few seconds, an
evolution likewise, an evolution during which a machine is killed and another one joins, and an evolution whose cluster
is killed with its head, and which is resumed without one. ``--seeds`` is the number of runs.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

import evofool
from evofool.store.campaign import CampaignFolder
from evofool.store.run import RunFolder

from .common import Row, table
from .scaling import on_this_machine

RUNS = 50
"""How many runs there are."""

KILLED_SECONDS = 3.0
"""Seconds between two deaths."""

CAMPAIGN: dict[str, Any] = {"count": 500, "criterion": "untargeted", "pixels": 1, "queries": 400, "device": "cpu"}
"""500 attempts on digits."""

EVOLUTION: dict[str, Any] = {
    "encoding": "cppn", "generations": 120, "batch": 120, "micro_batch": 16, "device": "cpu", "gallery": False,
}  # fmt: skip
"""An evolution on digits whose generations are eight passes each."""

MACHINE = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_log_monitor": False}
"""What a machine has: room for one worker."""

FIRST_STEPS = 4
"""Generations after which a run's cluster is killed."""


class Killer:
    """An observer that kills a worker every few seconds, once the last one has brought something."""

    def __init__(self) -> None:
        self.killed, self._at, self._images = 0, time.monotonic(), 0

    def __call__(self, step: Any) -> None:
        working = getattr(step, "campaign", None) or step.evolution
        facts = working.engine.facts()
        if time.monotonic() - self._at >= KILLED_SECONDS and facts.images > self._images and facts.workers:
            self._at, self._images, self.killed = time.monotonic(), facts.images, self.killed + 1
            os.kill(facts.workers[self.killed % len(facts.workers)].process, signal.SIGKILL)


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Have runs disturbed, and compare each with one that nobody disturbs."""
    torch.set_num_threads(1)
    on_this_machine()
    rows: list[Row] = []
    kinds = {"campaign": _campaign, "evolution": _evolution, "machines": _machines, "head": _head}
    for number in range(RUNS if seeds is None else seeds):
        kind = list(kinds)[number % len(kinds)]
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            row = kinds[kind](Path(folder), number)
            passed = round(time.monotonic() - started, 1)
        rows.append({"run": number, "kind": kind, **row, "seconds": passed, "load": round(os.getloadavg()[0], 1)})
        table(rows[-1:])
        yield rows


@contextmanager
def _cluster(machines: int) -> Iterator[Any]:
    """A cluster of machines that are processes of this one; this process is connected to its head."""
    import ray
    from ray.cluster_utils import Cluster

    from evofool.engines.ray.connection import connect

    logging.getLogger("ray").setLevel(logging.CRITICAL)
    cluster = Cluster(initialize_head=True, head_node_args={**MACHINE, "include_dashboard": False})
    try:
        connect(cluster.address)
        for _ in range(machines - 1):
            cluster.add_node(**MACHINE)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def _campaign(folder: Path, seed: int) -> Row:
    """Attack while workers are killed."""
    killer = Killer()
    with _cluster(2):
        evofool.attack("digits", out=folder / "there", seed=seed, **CAMPAIGN, engine="ray", observer=killer)
    evofool.attack("digits", out=folder / "here", seed=seed, **CAMPAIGN)
    there, here = (list(CampaignFolder.open(folder / name).outcomes()) for name in ("there", "here"))
    tasks = {(each["image"], each["criterion_index"], each["pixels"], each["strategy"]) for each in there}
    return {
        "items": len(here),
        "killed": killer.killed,
        "lost": len(here) - len(tasks),
        "doubled": len(there) - len(tasks),
        "identical": sorted(map(str, there)) == sorted(map(str, here)),
    }


def _evolution(folder: Path, seed: int) -> Row:
    """Evolve while workers are killed."""
    killer = Killer()
    options = {**EVOLUTION, "generations": 1_000}
    with _cluster(2):
        evofool.evolve("digits", out=folder / "there", seed=seed, **options, engine="ray", observer=killer)
    return _compared(folder, seed, options, killer.killed)


def _machines(folder: Path, seed: int) -> Row:
    """Evolve while a machine is killed, and another one joins."""
    with _cluster(2) as cluster:
        machines = [cluster.add_node(**MACHINE)]

        def watch(step: Any) -> None:
            engine, generation = step.evolution.engine, step.progress.generation
            if generation == 10:
                _until(engine, lambda facts: len(facts.workers) == 3)
                cluster.remove_node(machines.pop(), allow_graceful=False)
            elif generation == 20:
                _until(engine, lambda facts: facts.lost == 1)
                cluster.add_node(**MACHINE)
            elif generation == 30:
                _until(engine, lambda facts: len(facts.workers) == 3)

        evofool.evolve("digits", out=folder / "there", seed=seed, **EVOLUTION, engine="ray", observer=watch)
    return _compared(folder, seed, EVOLUTION, 1)


def _head(folder: Path, seed: int) -> Row:
    """Evolve on a cluster whose head is killed, and resume without one."""
    from ray.cluster_utils import Cluster

    logging.getLogger("ray").setLevel(logging.CRITICAL)
    cluster = Cluster(initialize_head=True, head_node_args={**MACHINE, "num_cpus": 2, "include_dashboard": False})
    words = [f"--{name.replace('_', '-')}={value}" for name, value in EVOLUTION.items() if name != "gallery"]
    generations = EVOLUTION["generations"]
    command = [sys.executable, "-m", "evofool", "evolve", "--target", "digits", *words, "--generations=1000000"]
    command += [f"--seed={seed}", "--no-gallery", "--engine=ray", f"--address={cluster.address}", "--workers=2"]
    command += ["--quiet", "--out", str(folder / "there")]
    job = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    metrics = folder / "there" / "metrics.jsonl"
    while job.poll() is None and (not metrics.exists() or metrics.read_bytes().count(b"\n") < FIRST_STEPS):
        time.sleep(0.1)
    for processes in list(cluster.head_node.all_processes.values()):
        for each in processes:
            os.kill(each.process.pid, signal.SIGKILL)
    _, told = job.communicate()
    cluster.shutdown()
    done = evofool.inspect(folder / "there")["saved"]["generation"]
    options = {**EVOLUTION, "generations": done + generations}
    evofool.resume(folder / "there", engine="local", generations=done + generations, gallery=False)
    lines = [line for line in told.splitlines() if line.strip()]
    row = _compared(folder, seed, options, 1)
    return {**row, "one line": len(lines) == 1 and "has not answered" in lines[0] and job.returncode == 2}


def _until(engine: Any, reached: Any) -> None:
    """Have black images scored, which changes no run, until the workers are as they should be."""
    while not reached(engine.facts()):
        engine.scores(torch.zeros((64, *engine.target.image_shape), dtype=torch.uint8))


def _compared(folder: Path, seed: int, options: dict[str, Any], killed: int) -> Row:
    """Evolve without a cluster, and compare the archives and the pictures of elites."""
    evofool.evolve("digits", out=folder / "here", seed=seed, **options)
    there, here = (RunFolder.open(folder / name) for name in ("there", "here"))
    ours, theirs = there.checkpoints.load(), here.checkpoints.load()
    same = ours.keys() == theirs.keys() and all(
        name == "seconds" or (ours[name].dtype == theirs[name].dtype and ours[name].tobytes() == theirs[name].tobytes())
        for name in ours
    )
    elites = [[(line["class"], line["confidence"]) for line in run.elites()] for run in (there, here)]
    return {"items": options["generations"], "killed": killed, "identical": same and elites[0] == elites[1]}
