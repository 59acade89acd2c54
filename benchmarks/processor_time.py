"""Utilisation in processor time: a measure that other work on the machine hardly disturbs.

Evolutions from their start on and bare passes have one thread and take turns. Their images are counted per second of
processor time, in the default precision. A run's page is left out: it is written by the clock, not by the images.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch

import evofool
from evofool.search.profiler import Profiler
from evofool.targets.torch_target import TorchTarget

from .common import Row, imagenet_weights, table
from .efficientnet_lite import lite0
from .passes import Passes, fastest_execution, joining_gain
from .utilisation import Turns

EVALUATIONS: dict[str, dict[str, int]] = {
    "cifar10": {"cppn": 10_000, "direct": 10_000},
    "torchvision:squeezenet1_1": {"cppn": 13_000},
    "efficientnet-lite0": {"cppn": 15_000},
}
"""Evaluations by network and encoding."""

SEEDS = 3
"""Number of evolutions of each; the median counts."""

TRIAL_SECONDS = 0.1
"""Seconds of processor time for which each way to run passes is tried: it is steadier than time by the clock."""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Yield a row per network and encoding; ``--seeds`` is the number of evolutions of each."""
    torch.set_num_threads(1)
    rows: list[Row] = []
    for name, encodings in EVALUATIONS.items():
        target = _target(name)
        execution = fastest_execution(target, time.thread_time, TRIAL_SECONDS)
        gain = joining_gain(target, execution, time.thread_time)
        target.apply(replace(execution, fold=gain != "–"))
        passes = Passes(target, execution, time.thread_time)
        for encoding, evaluations in encodings.items():
            evofool.evolve(target, encoding, generations=2)  # compiles its loops
            runs = [_evolve(target, encoding, evaluations, seed, passes) for seed in range(seeds or SEEDS)]
            ratios = [speed / raw for speed, raw, *_ in runs]
            shares = [phases for *_, phases in runs]
            rows.append(
                {
                    "network": name, "encoding": encoding, "precision": target.precision, "evaluations": evaluations,
                    "rows a pass": execution.micro_batch, "raw folded": execution.fold, "joined, times as fast": gain,
                    "raw forward images/s": round(median(raw for _, raw, *_ in runs), 1),
                    "evolve images/s": round(median(speed for speed, *_ in runs), 1),
                    "utilisation": round(median(ratios), 3),
                    "each seed": [round(ratio, 3) for ratio in ratios],
                    "without its end": round(median(before / raw for _, raw, before, _ in runs), 3),
                    **{f"% {phase}": round(100 * median(each[phase] for each in shares), 1) for phase in shares[0]},
                }
            )  # fmt: skip
            table(rows[-1:])
            yield rows


def _target(name: str) -> TorchTarget:
    """Return a network as a target, on the CPU."""
    if name == "efficientnet-lite0":
        return lite0(device="cpu")
    weights = imagenet_weights(name.partition(":")[2]) if ":" in name else None
    target = evofool.load_target(name, weights=weights, device="cpu")
    assert isinstance(target, TorchTarget)
    return target


def _evolve(
    target: TorchTarget, encoding: str, evaluations: int, seed: int, passes: Passes
) -> tuple[float, float, float, dict[str, float]]:
    """Return images per second and the shares of an evolution's phases.

    The images per second are those of the whole evolution, of passes in turn with it, and of the evolution without its
    end, in which its last elites are confirmed and written.
    """
    turns = Turns(passes, profiler := Profiler(), time.process_time)
    with tempfile.TemporaryDirectory() as folder:
        evofool.evolve(
            target, encoding, evaluations=evaluations, seed=seed, out=Path(folder) / "run", gallery=False,
            profiler=profiler, observer=turns,
        )  # fmt: skip
        before, raw = turns.rates(filled=False)
        turns.end(evaluations)
    whole, _ = turns.rates(filled=False)
    shares = profiler.shares()
    evolution = 1 - shares.pop("raw")
    return whole, raw, before, {phase: share / evolution for phase, share in shares.items()}
