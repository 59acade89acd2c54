"""Forward passes of a bare network, the ceiling that an evolution's speed is compared with."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch.fx.experimental.optimization import fuse

from evofool.targets.execution.execution import FORMATS, Execution
from evofool.targets.execution.folding import has_normalisations
from evofool.targets.execution.trials import GENERATION, noise_for
from evofool.targets.torch_target import TorchTarget

REPEATS = 5
"""Number of turns of whatever is measured in turn; the median counts."""

TRIAL_SECONDS = 0.6
"""Seconds of forward passes with each execution."""

FINALISTS = 3
"""Number of the fastest executions that are tried again, for longer."""

GPU_BATCH = 400
"""Children per generation on a GPU, where the default batch doesn't fill it."""

Clock = Callable[[], float]
"""Returns seconds: of the day, or of a processor."""

Turn = tuple[float, int]
"""Seconds, and the images of that time."""


class Passes:
    """Forward passes of the bare network over the same floating-point images, folded by torch's own tool at most.

    Args:
        target: The target whose network it is.
        execution: How the passes are run.
        clock: What their time is taken with.
    """

    def __init__(self, target: TorchTarget, execution: Execution, clock: Clock = time.perf_counter) -> None:
        self.clock = clock
        memory, self.device = FORMATS[execution.memory_format], target.device
        dtype = torch.bfloat16 if execution.precision == "bfloat16" else torch.float32
        network = fuse(target.network) if execution.fold else copy.deepcopy(target.network)
        self.network = network.to(self.device, dtype, memory_format=memory)  # type: ignore[call-overload]
        images = torch.rand(execution.micro_batch, *target.image_shape)
        self.images = images.to(self.device, dtype, memory_format=memory)
        self.run(0.0)

    @torch.inference_mode()
    def run(self, seconds: float) -> Turn:
        """Run passes for some seconds, at least one; return the seconds that it took, and the images."""
        started, passes = self.clock(), 0
        while not passes or self.clock() - started < seconds:
            self.network(self.images)
            passes += 1
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return self.clock() - started, passes * len(self.images)


def rate(turns: Sequence[Turn]) -> float:
    """Return the images per second of some turns together."""
    seconds, images = (sum(column) for column in zip(*turns, strict=True))
    return images / seconds


def fastest_execution(
    target: TorchTarget, clock: Clock = time.perf_counter, seconds: float = TRIAL_SECONDS
) -> Execution:
    """Return the execution with the fastest forward passes here, tried without the tuning of evofool.

    Args:
        target: The target.
        clock: What the time of passes is taken with.
        seconds: How long each execution is tried; the fastest ones are tried again for three times as long.
    """

    def speed(execution: Execution, seconds: float) -> float:
        return rate([Passes(target, execution, clock).run(seconds)])

    trials = sorted(_candidates(target), key=lambda execution: -speed(execution, seconds))
    return max(trials[:FINALISTS], key=lambda execution: speed(execution, 3 * seconds))


def joining_gain(target: TorchTarget, execution: Execution, clock: Clock = time.perf_counter) -> float | str:
    """Return how much faster the target's passes are with its layers joined; a dash where they can't be."""
    ways = [replace(execution, precision=target.precision, fold=fold) for fold in (True, False)]
    before, images = target.execution, noise_for(target)
    images = images[torch.arange(GENERATION) % len(images)]
    seconds: list[list[float]] = [[], []]
    for _ in range(REPEATS):
        for way, taken in zip(ways, seconds, strict=True):
            target.apply(way)
            if target.execution != way:
                return "–"
            target.scores(images)
            started = clock()
            target.scores(images)
            taken.append(clock() - started)
    target.apply(before)
    return round(statistics.median(apart / joined for joined, apart in zip(*seconds, strict=True)), 2)


def _candidates(target: TorchTarget) -> list[Execution]:
    """Return the executions that are tried."""
    rows = [8, 16, 32, 50] if target.image_shape[1] > 64 else [16, 32, 50, 64, 128, 256, 512, 1024]
    if target.device.type == "cuda":
        rows = [64, 128, 256, GPU_BATCH, 1024]
    folds = [False, True] if has_normalisations(target.network) else [False]
    executions = [Execution(target.precision, name, n, fold) for name in FORMATS for n in rows for fold in folds]
    return list(dict.fromkeys([*executions, target.execution]))
