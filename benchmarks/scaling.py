"""Evolution on a cluster: what a generation costs there, and a simulation of how that grows with the workers.

What is measured, each on one thread: one worker against this process, one worker against two, for evolution and for a
campaign; the part of a generation that this process does alone, and the bytes that travel for a child. The engines take
turns, generation by generation, so that what else the machine does slows all of them; ratios of medians are reported,
beside the load average, and the time for which processors worked, which depends less on what else they did. The
simulation takes those figures, or round ones for a GPU, and deals passes as the engine does.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import numpy as np
import torch

from evofool import encodings
from evofool.attacks.campaign import Campaign
from evofool.attacks.plan import plan_of
from evofool.attacks.subject import Subject
from evofool.config.attack import AttackOptions
from evofool.config.engine import EngineOptions
from evofool.config.evolve import EvolveOptions
from evofool.engines.base import Cluster, Engine
from evofool.engines.opening import opened
from evofool.search.evolution import Evolution
from evofool.search.profiler import Profiler
from evofool.targets.prepare import PreparedTarget, prepare_target

from .common import Row, imagenet_weights, table

ROUNDS = 5
"""How often each engine takes its turn, after one turn that isn't timed."""

ATTEMPTS: dict[str, Any] = {"criterion": "untargeted", "pixels": 1, "queries": 24}
"""What a campaign does to each of its images."""

IMAGES = 96
"""Images of a campaign: so many that its end, when workers run out of attempts, hardly counts."""

BATCH, ROWS = 400, 16
"""Children of a generation, and images of a pass."""


@dataclass(frozen=True)
class Costs:
    """What the parts of a generation cost.

    Attributes:
        child: Seconds of a worker for a child: to draw it and to score it.
        rows: Children of a pass.
        serial: Seconds that the head proposes and tells, for a child.
        message: Seconds from sending a share to a worker to having its answer, beside the work.
        sending: Seconds of the head for each share: it packs, sends and unpacks one after another.
        size: Bytes that travel for a child, there and back.
        bandwidth: Bytes a second through the head's network.
    """

    child: float
    rows: int
    serial: float
    message: float = 2e-3
    sending: float = 2e-4
    size: float = 5_000.0
    bandwidth: float = 1.25e9


CPU = Costs(child=1 / 60, rows=ROWS, serial=1e-4)
"""SqueezeNet on one core: 60 images a second."""

GPU = Costs(child=1 / 3_000, rows=256, serial=1e-4)
"""A network of ResNet-50's size on one GPU: 3,000 images a second, drawing included."""


def seconds(costs: Costs, batch: int, workers: int) -> float:
    """Return how long a generation takes: workers wait for the head, and the head for the worker with most passes."""
    passes = ceil(batch / costs.rows)
    busiest = min(batch, ceil(passes / workers) * costs.rows) * costs.child
    messages = costs.message + min(workers, passes) * costs.sending
    return costs.serial * batch + busiest + messages + batch * costs.size / costs.bandwidth


def simulated() -> list[Row]:
    """Return the efficiency of clusters of several sizes: how fast they are for each worker, compared with one."""
    rows: list[Row] = []
    for name, costs in (("core", CPU), ("GPU", GPU)):
        for batch in (400, 6_400, 65_536):
            row: Row = {"worker": name, "children": batch, "1: children/s": batch / seconds(costs, batch, 1)}
            for workers in (2, 8, 64, 512):
                row[f"{workers}: children/s"] = batch / seconds(costs, batch, workers)
                row[f"{workers}: efficiency"] = seconds(costs, batch, 1) / seconds(costs, batch, workers) / workers
            rows.append(row)
    return rows


def on_this_machine() -> None:
    """Have clusters that begin here write no token into the home folder, and their workers be no nicer than others.

    Ray's own niceness of workers is 15: beside other work they would starve.
    """
    os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0"}


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Simulate, then measure on this machine."""
    rows = simulated()
    table(rows)
    yield rows
    torch.set_num_threads(1)
    on_this_machine()
    options = EvolveOptions(batch=BATCH, micro_batch=ROWS, weights=str(imagenet_weights("squeezenet1_1")))
    prepared = prepare_target("torchvision:squeezenet1_1", options)
    for job in (_Evolution, _Campaign):
        rows += _in_turn(prepared, job, ROUNDS if seeds is None else seeds)
        yield rows


def _in_turn(prepared: PreparedTarget, job: Callable[[PreparedTarget, Engine], _Job], rounds: int) -> list[Row]:
    """Return how fast a job is in this process, on one worker and on two, which take turns."""
    jobs: dict[int, _Job] = {}
    with ExitStack() as stack:
        for workers in (0, 1, 2):
            chosen = EngineOptions(engine="ray", workers=workers, cpus_per_worker=0.5) if workers else EngineOptions()
            engine = stack.enter_context(closing(opened([(prepared.target, prepared.record)], chosen)))
            jobs[workers] = job(prepared, engine)
        times: dict[int, list[float]] = {workers: [] for workers in jobs}
        computed: dict[int, list[float]] = {workers: [] for workers in jobs}
        for turn in range(rounds + 1):
            for workers in random.Random(turn).sample(sorted(jobs), len(jobs)):
                started, before = time.perf_counter(), _computed(jobs[workers].engine)
                images = jobs[workers].turn(turn)
                if turn:
                    times[workers].append((time.perf_counter() - started) / images)
                    computed[workers].append((_computed(jobs[workers].engine) - before) / images)
        medians = {workers: median(found) for workers, found in times.items()}
        processors = {workers: median(found) for workers, found in computed.items()}
        rows: list[Row] = [
            {
                "job": type(each).__name__.removeprefix("_").lower(),
                "workers": workers or "this process",
                "images/s": 1 / medians[workers],
                "against this process": medians[0] / medians[workers],
                "against one worker": medians[1] / medians[workers],
                "processor: ms/image": 1_000 * processors[workers],
                "processor: against this process": processors[workers] / processors[0],
                "slowest/fastest turn": max(times[workers]) / min(times[workers]),
                "load": os.getloadavg()[0],
                **each.facts(),
            }
            for workers, each in jobs.items()
        ]
    table(rows)
    return rows


def _computed(engine: Engine) -> float:
    """Return the seconds for which this process and the workers of an engine have had a processor so far."""
    workers = engine.facts().workers if isinstance(engine, Cluster) else ()
    ticks = 0
    for worker in workers:
        fields = Path(f"/proc/{worker.process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


class _Job(Protocol):
    """What is measured."""

    engine: Engine

    def turn(self, number: int) -> int:
        """Do a part of the job. Return how many images were scored."""
        ...

    def facts(self) -> Row:
        """Return what else is told of it."""
        ...


class _Evolution:
    """An evolution of CPPNs; a turn is a generation."""

    def __init__(self, prepared: PreparedTarget, engine: Engine) -> None:
        shape = prepared.target.image_shape
        self.encoding = encodings.build("cppn", encodings.preset("cppn", "default"), shape, "cpu")
        options = EvolveOptions(batch=BATCH, seed=0)
        self.evolution = Evolution(prepared.target, self.encoding, options, engine=engine)
        self.engine = engine
        self._profiler, self._seconds, self._children = Profiler(), 0.0, 0

    def turn(self, number: int) -> int:
        """Evolve for a generation."""
        if number == 1:
            self._profiler.attach(self.evolution)
        started = time.perf_counter()
        self.evolution.step()
        if number:
            self._seconds, self._children = self._seconds + time.perf_counter() - started, self._children + BATCH
        return BATCH

    def facts(self) -> Row:
        """Return what this process does alone, and what travels for a child and its scores."""
        from evofool.engines.ray.ray_engine import packed  # It imports ray, an extra.

        self._profiler.stop()
        shares = self._profiler.shares()
        children = self.evolution.search.ask()
        scores = torch.rand(len(children), len(self.evolution.target.classes)).softmax(1).numpy()
        return {
            "alone: s/child": (shares["variation"] + shares["admission"]) * self._seconds / self._children,
            "bytes/child": (len(packed(self.encoding.dump(children.genomes))) + len(packed(scores))) / len(children),
        }


class _Campaign:
    """Attempts on random images, which the network takes for whatever it does; a turn is a campaign on some."""

    def __init__(self, prepared: PreparedTarget, engine: Engine) -> None:
        self.target, self.engine = prepared.target, engine

    def turn(self, number: int) -> int:
        """Attack random images."""
        rng = np.random.default_rng(number)
        images = rng.integers(0, 256, (IMAGES, *self.target.image_shape), np.uint8)
        found = self.engine.confirm(torch.from_numpy(images)).max(1)
        subjects = [
            Subject(row, str(row), hashlib.sha256(image.tobytes()).hexdigest(), image, int(first), int(first), sure)
            for row, (image, first, sure) in enumerate(zip(images, found.indices, found.values.tolist(), strict=True))
        ]
        campaign = Campaign(self.engine, subjects, plan_of(AttackOptions(**ATTEMPTS, seed=number), self.target))
        outcomes = [outcome for new in campaign.run() for outcome in new]
        return sum(outcome["queries"] for outcome in outcomes)

    def facts(self) -> Row:
        """Return nothing else."""
        return {}
