"""Jobs on a cluster whose workers, machines and head die: is their result that of one process, byte for byte?

Four kinds of runs take turns, each with another seed: a campaign whose workers are killed every few seconds, an
evolution likewise, an evolution during which a machine is killed and another one joins, and an evolution whose cluster
is killed with its head. That one is resumed twice, without a cluster and on another one. ``--seeds`` is the number of
runs; those that ``results/elastic.json`` has are not made again.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

import evofool
from evofool.store.campaign import CampaignFolder
from evofool.store.run import RunFolder

from .common import Row, recorded_rows, table
from .scaling import on_this_machine

RUNS = 50
"""How many runs there are."""

KINDS = (*("campaign", "evolution") * 2, "machines", *("campaign", "evolution") * 2, "head")
"""The kinds of runs, in the order in which they take turns."""

KILLED_SECONDS = 3.0
"""Seconds between two deaths, at least."""

KILLED_SHARE = 0.2
"""Share of a job that is done between two deaths, at least: on a busy machine, workers that are killed as soon as they
have begun would never bring anything."""

CAMPAIGN: dict[str, Any] = {
    "count": 250, "baseline": True, "criterion": "untargeted", "pixels": 1, "queries": 300, "device": "cpu",
}  # fmt: skip
"""500 attempts on digits: after each of 250 a random search follows, which has as many queries."""

EVOLUTION: dict[str, Any] = {
    "encoding": "cppn", "generations": 120, "batch": 120, "micro_batch": 16, "device": "cpu", "gallery": False,
}  # fmt: skip
"""An evolution on digits whose generations are eight passes each."""

LONGER: dict[str, Any] = {**EVOLUTION, "generations": 400}
"""One that takes long enough for several deaths."""

MACHINE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_log_monitor": False}
"""What a machine has: room for one worker."""

HEAD: dict[str, Any] = {**MACHINE, "include_dashboard": False, "no_monitor": True}
"""What a cluster's first machine has."""

TRIES = 10
"""How often a machine is begun. Where others use this one, Ray's processes may take longer than Ray waits for them."""

FIRST_STEPS = 4
"""Generations after which a run's cluster is killed."""


class Killer:
    """An observer that kills a worker every few seconds, while there is enough left to do.

    Args:
        items: The attempts or generations of the job.
    """

    def __init__(self, items: int) -> None:
        self._items, self._at, self._done, self.killed = items, time.monotonic(), 0, 0

    def __call__(self, step: Any) -> None:
        campaign = getattr(step, "campaign", None)
        engine, done = (campaign.engine, step.done) if campaign else (step.evolution.engine, step.progress.generation)
        workers = engine.facts().workers
        far = done - self._done >= KILLED_SHARE * self._items
        if workers and far and time.monotonic() - self._at >= KILLED_SECONDS:
            self._at, self._done, self.killed = time.monotonic(), done, self.killed + 1
            os.kill(workers[self.killed % len(workers)].process, signal.SIGKILL)


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Have runs disturbed, and compare each with one that nobody disturbs."""
    torch.set_num_threads(1)
    on_this_machine()
    rows = recorded_rows("elastic")
    make = {"campaign": _campaign, "evolution": _evolution, "machines": _machines, "head": _head}
    with _cluster(2) as cluster:
        for number in range(len(rows), RUNS if seeds is None else seeds):
            kind = KINDS[number % len(KINDS)]
            with tempfile.TemporaryDirectory() as folder:
                started = time.monotonic()
                row = make[kind](cluster, Path(folder), number)
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
    cluster = _begun(lambda: Cluster(initialize_head=True, head_node_args=HEAD))
    try:
        connect(cluster.address)
        for _ in range(machines - 1):
            _begun(lambda: cluster.add_node(**MACHINE))
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def _begun(begin: Callable[[], Any], tries: int = TRIES) -> Any:
    """Begin a machine or a cluster, once more where Ray's processes were too slow."""
    try:
        return begin()
    except Exception as error:  # Ray raises no other
        if tries == 1 or "timed out during startup" not in str(error):
            raise
        return _begun(begin, tries - 1)


def _campaign(cluster: Any, folder: Path, seed: int) -> Row:
    """Attack while workers are killed."""
    killer = Killer(2 * CAMPAIGN["count"])
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


def _evolution(cluster: Any, folder: Path, seed: int) -> Row:
    """Evolve while workers are killed."""
    killer = Killer(LONGER["generations"])
    evofool.evolve("digits", out=folder / "there", seed=seed, **LONGER, engine="ray", observer=killer)
    evofool.evolve("digits", out=folder / "here", seed=seed, **LONGER)
    return {"items": LONGER["generations"], "killed": killer.killed, "identical": _same(folder, "there")}


def _machines(cluster: Any, folder: Path, seed: int) -> Row:
    """Evolve while a machine is killed, and another one joins."""
    machines = [_begun(lambda: cluster.add_node(**MACHINE))]

    def watch(step: Any) -> None:
        engine, generation = step.evolution.engine, step.progress.generation
        if generation == 10:
            _until(engine, lambda facts: len(facts.workers) >= 3)
            cluster.remove_node(machines.pop(), allow_graceful=False)
        elif generation == 20:
            _until(engine, lambda facts: facts.lost == 1)
            machines.append(_begun(lambda: cluster.add_node(**MACHINE)))
        elif generation == 30:
            _until(engine, lambda facts: len(facts.workers) >= 3)

    evofool.evolve("digits", out=folder / "there", seed=seed, **EVOLUTION, engine="ray", observer=watch)
    cluster.remove_node(machines.pop())
    evofool.evolve("digits", out=folder / "here", seed=seed, **EVOLUTION)
    return {"items": EVOLUTION["generations"], "killed": 1, "identical": _same(folder, "there")}


def _head(cluster: Any, folder: Path, seed: int) -> Row:
    """Evolve on a cluster of its own, whose head is killed, and resume without one and on another one."""
    from ray.cluster_utils import Cluster

    dying = _begun(lambda: Cluster(initialize_head=True, head_node_args={**HEAD, "num_cpus": 2}))
    words = [f"--{name.replace('_', '-')}={value}" for name, value in EVOLUTION.items() if name != "gallery"]
    command = [sys.executable, "-m", "evofool", "evolve", "--target", "digits", *words, "--generations=1000000"]
    command += [f"--seed={seed}", "--no-gallery", "--engine=ray", f"--address={dying.address}", "--workers=2"]
    command += ["--quiet", "--out", str(folder / "there")]
    job = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    metrics = folder / "there" / "metrics.jsonl"
    while job.poll() is None and (not metrics.exists() or metrics.read_bytes().count(b"\n") < FIRST_STEPS):
        time.sleep(0.1)
    for processes in list(dying.head_node.all_processes.values()):
        for each in processes:
            os.kill(each.process.pid, signal.SIGKILL)
    _, told = job.communicate()
    dying.shutdown()
    lines = [line for line in told.splitlines() if line.strip()]
    generations = evofool.inspect(folder / "there")["saved"]["generation"] + EVOLUTION["generations"]
    shutil.copytree(folder / "there", folder / "elsewhere")
    evofool.resume(folder / "there", engine="local", generations=generations, gallery=False)
    evofool.resume(folder / "elsewhere", engine="ray", address=cluster.address, generations=generations, gallery=False)
    evofool.evolve("digits", out=folder / "here", seed=seed, **{**EVOLUTION, "generations": generations})
    return {
        "items": generations,
        "killed": 1,
        "identical": _same(folder, "there") and _same(folder, "elsewhere"),
        "one line": len(lines) == 1 and "has not answered" in lines[0] and job.returncode == 2,
    }


def _until(engine: Any, reached: Any) -> None:
    """Have black images scored, which changes no run, until the workers are as they should be."""
    while not reached(engine.facts()):
        engine.scores(torch.zeros((64, *engine.target.image_shape), dtype=torch.uint8))


def _same(folder: Path, disturbed: str) -> bool:
    """Return whether a run has the checkpoint of the undisturbed one, but for its time, and the files of its elites."""
    runs = [RunFolder.open(folder / name) for name in (disturbed, "here")]
    ours, theirs = (run.checkpoints.load() for run in runs)
    arrays = ours.keys() == theirs.keys() and all(
        name == "seconds" or (ours[name].dtype == theirs[name].dtype and ours[name].tobytes() == theirs[name].tobytes())
        for name in ours
    )
    elites = [
        {
            file.relative_to(run.path): file.read_bytes()
            for file in (run.path / "elites.jsonl", *run.path.glob("elites/*"))
        }
        for run in runs
    ]
    return arrays and len(elites[0]) > 1 and elites[0] == elites[1]
