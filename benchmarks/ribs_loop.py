"""pyribs' tutorial loop on our LeNet, in turn with ours. It needs the ``bench`` extra."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from typing import Any

import numpy as np
import torch

import evofool
from evofool import encodings
from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions
from evofool.search.defaults import resolve_for_target
from evofool.search.evolution import Evolution
from evofool.targets.execution.tuning import tune
from evofool.targets.torch_target import TorchTarget

from .common import Row, plain_options, table

EVALUATIONS, BATCH = 150_000, 30
"""Evaluations of each loop, and children per generation."""

SURE = 0.9999
"""The median over ten digits whose evaluations are reported."""

TURN = 100
"""Generations of the tutorial's loop, then as many evaluations of the others."""

Loop = Generator[None, None, Row]


def measure(seeds: int | None) -> list[Row]:
    """Measure the loops, where pyribs is there."""
    if rows := ribs_and_ours():
        for row in rows:
            table([row])
    return rows


def ribs_and_ours() -> list[Row]:
    """Return rows for pyribs' GridArchive by arg max with one Gaussian emitter (σ = 0.5), and for evofool: with as many
    children per generation in float32, and as it comes."""
    if subprocess.run([sys.executable, "-c", "import ribs"], capture_output=True).returncode:
        print("speed: no pyribs; install evofool[bench]")
        return []
    target, usual = evofool.load_target("mnist", precision="float32"), evofool.load_target("mnist")
    assert isinstance(target, TorchTarget)
    assert isinstance(usual, TorchTarget)
    tune(usual)
    loops = {
        "pyribs' tutorial, direct MNIST": _ribs(target),
        f"evofool, {BATCH} children, float32": _ours(target, plain_options(BATCH)),
        "evofool, as it comes": _ours(usual, resolve_for_target(EvolveOptions(encoding="direct"), usual)),
    }
    seconds, worked, rows = dict.fromkeys(loops, 0.0), dict.fromkeys(loops, 0.0), dict[str, Row]()
    while len(rows) < len(loops):
        for name, loop in loops.items():
            started, before = time.perf_counter(), time.process_time()
            try:
                next(loop)
            except StopIteration as ended:
                rows[name] = ended.value
            seconds[name] += time.perf_counter() - started
            worked[name] += time.process_time() - before
    times: dict[str, Row] = {
        name: {
            "seconds": round(seconds[name], 2),
            "processor seconds": round(worked[name], 2),
            "evaluations/s": round(EVALUATIONS / seconds[name], 1),
        }
        for name in loops
    }
    return [{"what": name, **times[name], **row} for name, row in rows.items()]


def _ribs(target: TorchTarget) -> Loop:
    from ribs.archives import GridArchive
    from ribs.emitters import GaussianEmitter
    from ribs.schedulers import Scheduler

    archive = GridArchive(solution_dim=784, dims=[10], ranges=[(0, 10)], seed=0)
    emitter = GaussianEmitter(
        archive, sigma=0.5, x0=np.full(784, 0.5), lower_bounds=np.zeros(784), upper_bounds=np.ones(784),
        batch_size=BATCH, seed=0,
    )  # fmt: skip
    scheduler, network = Scheduler(archive, [emitter]), target.network
    mean, std = 0.1307, 0.3081
    sure_at: int | str = f"> {EVALUATIONS:,}"
    for generation in range(1, EVALUATIONS // BATCH + 1):
        solutions = scheduler.ask()
        with torch.no_grad():
            images = torch.tensor((solutions.reshape(-1, 1, 28, 28) - mean) / std, dtype=torch.float32)
            scores, predicted = torch.max(network(images.to(target.device)).cpu().softmax(1), 1)
        scheduler.tell(scores.numpy(), predicted.numpy()[:, None])
        if isinstance(sure_at, str) and generation % 10 == 0 and _median(archive) >= SURE:
            sure_at = BATCH * generation
        if generation % TURN == 0:
            yield
    return {
        f"median after {EVALUATIONS:,}": _median(archive),
        "digits found": len(archive.data("objective")),
        "evaluations to a median of 99.99 %": sure_at,
    }


def _median(archive: Any) -> float:
    """Return the median over ten digits, where those that aren't there count as 0."""
    objectives = np.asarray(archive.data("objective"))
    return float(np.median(np.concatenate([objectives, np.zeros(10 - len(objectives))])))


def _ours(target: TorchTarget, options: EvolveOptions) -> Loop:
    """Evolve with the same number of evaluations on the same network; every child competes for every digit."""
    encoding = encodings.build("direct", encodings.preset("direct", "default"), target.image_shape, target.device)
    evolution = Evolution(target, encoding, options)
    sure_at: int | str = f"> {EVALUATIONS:,}"
    turns = 0
    for progress in evolution.run(Budget(evaluations=EVALUATIONS)):
        if isinstance(sure_at, str) and progress.median >= SURE:
            sure_at = progress.evaluations
        if progress.evaluations // (TURN * BATCH) > turns:
            turns += 1
            yield
    return {
        "precision": target.precision,
        f"median after {EVALUATIONS:,}": progress.median,
        "digits found": 10,
        "evaluations to a median of 99.99 %": sure_at,
    }
