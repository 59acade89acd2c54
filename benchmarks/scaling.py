"""Evolution on a cluster: what a generation costs there, and a simulation of how that grows with the workers.

What is measured: one worker against this process, one worker against two (each on one thread), the part of a generation
that this process does alone, and the bytes that travel for a child. The simulation takes those figures, or round ones
for a GPU, and deals passes as the engine does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import torch

from evofool import encodings
from evofool.config.engine import EngineOptions
from evofool.config.evolve import EvolveOptions
from evofool.engines.base import Engine
from evofool.engines.opening import opened
from evofool.search.evolution import Evolution
from evofool.search.profiler import Profiler
from evofool.targets.prepare import PreparedTarget, prepare_target

from .common import Row, imagenet_weights, table

GENERATIONS = 4
"""Generations that are timed, after one that isn't."""

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


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Simulate, then measure on this machine."""
    rows = simulated()
    table(rows)
    yield rows
    torch.set_num_threads(1)
    options = EvolveOptions(batch=BATCH, micro_batch=ROWS, weights=str(imagenet_weights("squeezenet1_1")))
    prepared = prepare_target("torchvision:squeezenet1_1", options)
    measured: list[Row] = []
    for workers in (0, 1, 2):
        chosen = EngineOptions(engine="ray", workers=workers) if workers else EngineOptions()
        engine = opened(prepared.target, prepared.record, chosen)
        measured.append(_measured(prepared, engine, workers))
        engine.close()
        table(measured)
        yield [*rows, *measured]


def _measured(prepared: PreparedTarget, engine: Engine, workers: int) -> Row:
    """Return how fast an evolution is on an engine, and what travels."""
    from evofool.engines.ray.ray_engine import packed  # It imports ray, an extra.

    target = prepared.target
    encoding = encodings.build("cppn", encodings.preset("cppn", "default"), target.image_shape, "cpu")
    evolution = Evolution(target, encoding, EvolveOptions(batch=BATCH, seed=0), engine=engine)
    evolution.step()
    profiler = Profiler()
    profiler.attach(evolution)
    started = time.perf_counter()
    for _ in range(GENERATIONS):
        last = evolution.step()
    passed = time.perf_counter() - started
    profiler.stop()
    shares = profiler.shares()
    children = evolution.search.ask()
    scores = torch.rand(len(children), len(target.classes)).softmax(1).numpy()
    return {
        "workers": workers or "this process",
        "children/s": GENERATIONS * BATCH / passed,
        "alone: s/child": (shares["variation"] + shares["admission"]) * passed / (GENERATIONS * BATCH),
        "bytes/child": (len(packed(encoding.dump(children.genomes))) + len(packed(scores))) / len(children),
        "median": last.median,
    }
