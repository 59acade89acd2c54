"""How fast a target's forward passes are here, run in one way and another: measured on noise."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import torch

from ...errors import TargetError
from ..torch_target import TorchTarget
from .execution import FORMATS, Execution
from .side_by_side import keeps_nothing

TOLERANCE = {"float32": 1e-4, "bfloat16": 0.1}
"""Largest deviation of a probability from its confirmation, by precision. In float32 it is that of a saved picture that
is scored again; bfloat16 keeps 8 bits."""

MIN_SPEEDUP = 1.05
"""How many times as fast as the choice before another must be; less may be noise."""

TRIAL_SECONDS = 0.12
"""Seconds that one way is tried for, at least one pass."""

MAX_SECONDS = 6.0
"""Seconds after which no other way is tried, and as many more after which none is tried again."""

MICRO_BATCH_FACTORS = (0.25, 0.5, 2, 4)
"""Micro-batches that are tried, as multiples of the default."""

GENERATION = 100
"""Images that passes side by side share: a generation of the default size."""

SIDE_BY_SIDE_PASSES = (4, 2, 1)
"""How many of them each thread then has, in the order in which they are tried."""

SIDE_BY_SIDE_ROWS = 8
"""Fewest rows of such a pass; it takes hardly less time with fewer."""

SIDE_BY_SIDE_SPEED = 0.9
"""How many times as fast as passes in turn those side by side must be. They may be a little slower, since they lose
half as much beside other processes, and passes that confirm gain by it (docs/SPEED.md)."""

REPEATS = 5
"""Largest number of times that the fastest ways are tried again, in turn, because a machine's speed changes from one
second to the next."""

CLOSE = 0.7
"""Smallest share of the fastest way's speed at which another way is tried again."""

FINALISTS = 3
"""Largest number of ways that are tried again beside the first."""

EACH_KIND = 2
"""Largest number of those in turn, and of those side by side, where both are tried again."""

_COMPARED, _MAX_IMAGES = 32, 4096

_FEW = 2
"""Images by which a choice that was kept is tried: they cost a job's start little."""


@dataclass(frozen=True)
class Trial:
    """One way to run forward passes, and what was measured.

    Attributes:
        execution: How they were run.
        images_per_second: Their speed.
        error: The largest deviation of a probability from its confirmation.
    """

    execution: Execution
    images_per_second: float
    error: float

    @property
    def faithful(self) -> bool:
        """Whether its scores are close enough to confirmations."""
        return self.error <= TOLERANCE[self.execution.precision]


def run_trials(target: TorchTarget, images: torch.Tensor) -> list[Trial]:
    """Try the target's own way, and passes side by side; then folding, memory formats and precisions with the better
    one; then micro-batches with the best of them.

    Raises:
        TargetError: The network can't confirm the images.
    """
    original, started = target.execution, time.monotonic()
    exact = target.confirm(images[:_COMPARED])

    def measured(executions: Iterable[Execution]) -> Iterator[Trial]:
        for execution in executions:
            if time.monotonic() - started < MAX_SECONDS and (trial := _try(target, execution, images, exact)):
                yield trial

    trials = [trial for trial in [_try(target, original, images, exact)] if trial]
    trials += measured(_side_by_side(target, original)[:1])
    trials += measured(_combinations(target, best(trials) if trials else original))
    base = best(trials) if trials else original
    ways = _micro_batches(target, base)
    if base.parallel:
        ways = [replace(base, parallel=False, micro_batch=original.micro_batch), *ways]
    trials += measured(way for way in ways if way not in [trial.execution for trial in trials])
    return trials


def repeat_trials(target: TorchTarget, images: torch.Tensor, trials: list[Trial]) -> list[Trial]:
    """Try the first and those close to the fastest again, in turn; return them with their median speeds.

    Where passes run side by side in some of them, all are tried with a generation, and the fastest ways without that
    are among them.
    """
    least = CLOSE * max((trial.images_per_second for trial in trials if trial.faithful), default=0.0)
    close = [trial for trial in trials[1:] if trial.faithful and trial.images_per_second >= least]
    close = sorted(close, key=lambda trial: -trial.images_per_second)
    beside = [trial for trial in close if trial.execution.parallel]
    if beside:
        in_turn = [trial for trial in close if not trial.execution.parallel]
        close = [*in_turn[:EACH_KIND], *beside[:EACH_KIND]]
    else:
        close = close[:FINALISTS]
    finalists, started = [*trials[:1], *close], time.monotonic()
    speeds: dict[Execution, list[float]] = {trial.execution: [] for trial in finalists}
    together = GENERATION if beside else max(map(_images_at_once, speeds))
    same = _repeated(images, together) if close else images
    for _ in range(REPEATS if close else 0):
        if time.monotonic() - started >= MAX_SECONDS:
            break
        for execution, measured in speeds.items():
            measured.append(_speed_of_all(target, execution, same))
    return [
        replace(trial, images_per_second=statistics.median(speeds[trial.execution] or [trial.images_per_second]))
        for trial in finalists
    ]


def best(trials: list[Trial]) -> Execution:
    """Return the fastest way that is faithful: the first, unless another is faster by more than noise.

    Passes side by side are chosen where they are about as fast.
    """
    chosen = trials[0]
    for trial in trials[1:]:
        faster = trial.images_per_second > _speedup(chosen.execution, trial.execution) * chosen.images_per_second
        if trial.faithful and (faster or not chosen.faithful):
            chosen = trial
    return chosen.execution


def _speedup(chosen: Execution, other: Execution) -> float:
    """Return how many times as fast another way has to be to be chosen instead."""
    if chosen.parallel == other.parallel:
        return MIN_SPEEDUP
    return SIDE_BY_SIDE_SPEED if other.parallel else 1 / SIDE_BY_SIDE_SPEED


def holds(target: TorchTarget, execution: Execution) -> bool:
    """Return whether a target can be run so, with scores close to its confirmations. It is run so from then on.

    Raises:
        TargetError: The network can't confirm a few images.
    """
    original, generator = target.execution, torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (_FEW, *target.image_shape), generator=generator).byte()
    exact = target.confirm(images)
    with suppress(TargetError):
        target.apply(execution)
        error = float((target.scores(images) - exact).abs().max())
        if target.execution == execution and Trial(execution, 0.0, error).faithful and _sound(target, images[:1]):
            return True
    target.apply(original)
    return False


def noise_for(target: TorchTarget) -> torch.Tensor:
    """Return (N, C, H, W) uint8 noise of all scales, from the finest to one colour, on the target's device."""
    generator = torch.Generator().manual_seed(0)
    channels, height, width = target.image_shape
    count = max(_COMPARED, min(_MAX_IMAGES, 2**24 // (channels * height * width)))
    parts = []
    for level in range(4):
        size = [max(1, edge >> (2 * level)) for edge in (height, width)]
        coarse = torch.randint(0, 256, (count // 4, channels, *size), generator=generator).float()
        parts.append(torch.nn.functional.interpolate(coarse, (height, width)).byte())
    mixed = torch.cat(parts)
    return mixed[torch.randperm(len(mixed), generator=generator)].to(target.device)


def _combinations(target: TorchTarget, original: Execution) -> list[Execution]:
    """Return all ways that differ from the target's own in what was left open, besides the micro-batch."""
    precisions, formats, folds = [original.precision], [original.memory_format], [original.fold]
    if "precision" in target.tunable and original.precision == "bfloat16":  # elsewhere it is emulated, and slow
        precisions.append("float32")
    if "memory_format" in target.tunable:
        formats += [name for name in FORMATS if name != original.memory_format]
    if "fold" in target.tunable:
        folds.append(not original.fold)
    combinations = [
        replace(original, precision=precision, memory_format=memory_format, fold=fold)
        for precision in precisions
        for memory_format in formats
        for fold in folds
    ]
    return combinations[1:]


def _side_by_side(target: TorchTarget, original: Execution) -> list[Execution]:
    """Return the ways to run passes side by side; none where they can't be, or that was said."""
    if "parallel" not in target.tunable:
        return []
    way = replace(original, parallel=True)
    if "micro_batch" not in target.tunable:
        return [way]
    threads = torch.get_num_threads()
    rows = [max(SIDE_BY_SIDE_ROWS, -(-GENERATION // (passes * threads))) for passes in SIDE_BY_SIDE_PASSES]
    return [replace(way, micro_batch=count) for count in dict.fromkeys(rows)]


def _micro_batches(target: TorchTarget, base: Execution) -> list[Execution]:
    """Return the ways that differ from one in the rows of a pass, as far as these were left open."""
    if base.parallel:
        return _side_by_side(target, base)
    factors = MICRO_BATCH_FACTORS if "micro_batch" in target.tunable else ()
    rows = {max(1, round(factor * base.micro_batch)) for factor in factors} - {base.micro_batch}
    return [replace(base, micro_batch=count) for count in sorted(rows)]


def _images_at_once(execution: Execution) -> int:
    """Return how many images a way is tried with: those of a pass, or of a pass for each thread."""
    return execution.micro_batch * (torch.get_num_threads() if execution.parallel else 1)


def _sound(target: TorchTarget, image: torch.Tensor) -> bool:
    """Return whether a target can be run as it is set: no pass side by side with others may meet what they left."""
    return not target.execution.parallel or keeps_nothing(target.network, lambda: target.confirm(image))


def _try(target: TorchTarget, execution: Execution, images: torch.Tensor, exact: torch.Tensor) -> Trial | None:
    """Measure one way; return None where the network can't be run so."""
    try:
        target.apply(execution)
        if target.execution != execution or not _sound(target, images[:1]):  # can't be joined, or keeps something
            return None
        error = float((target.scores(images[:_COMPARED]) - exact).abs().max())
        speed = _fastest_pass(target, _repeated(images, _images_at_once(execution)))
    except TargetError:
        return None
    if target.execution != execution:  # it ran out of memory, or can't have this format
        return None
    return Trial(execution, speed, error)


def _fastest_pass(target: TorchTarget, images: torch.Tensor) -> float:
    """Return the images per second of the fastest scoring: whatever else runs here can only slow it down."""
    for _ in range(2 if target.execution.parallel else 1):  # each thread has memory of its own to fetch
        target.scores(images)
    _wait(target)
    began, fastest = time.perf_counter(), float("inf")
    while time.perf_counter() - began < TRIAL_SECONDS or fastest == float("inf"):
        started = time.perf_counter()
        target.scores(images)
        _wait(target)
        fastest = min(fastest, time.perf_counter() - started)
    return len(images) / fastest


def _speed_of_all(target: TorchTarget, execution: Execution, images: torch.Tensor) -> float:
    """Return the images per second of one scoring of all images; 0 where it fails, or there is no memory for it."""
    with suppress(TargetError):
        target.apply(execution)
        target.scores(images[: _images_at_once(execution)])
        _wait(target)
        started = time.perf_counter()
        target.scores(images)
        _wait(target)
        if target.execution == execution:
            return len(images) / (time.perf_counter() - started)
    return 0.0


def _repeated(images: torch.Tensor, count: int) -> torch.Tensor:
    """Return ``count`` images, the given ones again and again."""
    return images[torch.arange(count) % len(images)]


def _wait(target: TorchTarget) -> None:
    if target.device.type == "cuda":
        torch.cuda.synchronize(target.device)
