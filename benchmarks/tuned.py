"""A run as tuned beside the same run with torch's own defaults.

These are one pass per generation, contiguous, float32, and memory that goes back to the system.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import evofool
from evofool import encodings
from evofool.search.defaults import BATCH
from evofool.search.evolution import Evolution
from evofool.targets.execution.execution import Execution
from evofool.targets.execution.process import SWITCH
from evofool.targets.execution.tuning import tune
from evofool.targets.torch_target import TorchTarget

from .common import Row, plain_options

REPEATS = 5
SECONDS = 8.0
"""Seconds of each run."""


def tuned_beside_defaults(name: str, weights: Path | None) -> list[Row]:
    """Return a row about a network, from runs in processes of their own, in turn."""
    rates: dict[str, list[float]] = {"on": [], "off": []}
    call = f"from benchmarks.tuned import print_rate; print_rate({name!r}, {weights and str(weights)!r})"
    for _ in range(REPEATS):
        for switch, measured in rates.items():
            process = subprocess.run(
                [sys.executable, "-c", call], env={**os.environ, SWITCH: switch}, capture_output=True, text=True,
                check=True,
            )  # fmt: skip
            measured.append(float(process.stdout))
    fast, slow = (statistics.median(measured) for measured in rates.values())
    return [
        {
            "what": f"evolve {name}, cppn, {BATCH['default']} children",
            "tuned images/s": round(fast, 1),
            "torch's defaults images/s": round(slow, 1),
            "times": round(fast / slow, 2),
        }
    ]


def print_rate(name: str, weights: str | None) -> None:
    """Print the images per second of a run without a folder, tuned unless the environment says off."""
    target = evofool.load_target(name, weights=weights)
    assert isinstance(target, TorchTarget)
    if os.environ[SWITCH] == "off":
        target.apply(Execution("float32", "contiguous", 1_000_000))
    else:
        tune(target)
    encoding = encodings.build("cppn", encodings.preset("cppn", "default"), target.image_shape, target.device)
    evolution = Evolution(target, encoding, plain_options(BATCH["default"]))
    evolution.step()  # compiles, and fills the archive
    started, before = time.perf_counter(), evolution.search.evaluations
    while time.perf_counter() - started < SECONDS:
        evolution.step()
    print((evolution.search.evaluations - before) / (time.perf_counter() - started))
