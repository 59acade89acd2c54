"""Passes one after another on all threads, and side by side on one thread each: alone, and beside another process.

The same run with both ways takes turns, each time from its beginning. The other process computes without end on a core.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import evofool

from .common import Row, imagenet_weights, table

TURNS = 3
"""How often each run is made."""

SIDE_BY_SIDE_ROWS = 13
"""Rows of a pass that has a thread of its own: a default generation is eight of them."""

EVOLUTIONS: dict[str, dict[str, Any]] = {
    "torchvision:squeezenet1_1": {"evaluations": 2_000},
    "cifar10": {"evaluations": 10_000},
}
"""The runs by target."""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Evolve CPPNs for two networks in both ways; ``--seeds`` is the number of turns."""
    rows: list[Row] = []
    for target, options in EVOLUTIONS.items():
        if target.startswith("torchvision:"):
            options = {**options, "weights": imagenet_weights("squeezenet1_1")}
        _evolve(target, options, parallel=True)  # compiles loops, and writes what the system keeps of files
        for others in (0, 1):
            speeds: dict[bool, list[float]] = {False: [], True: []}
            with _busy(others):
                for _ in range(TURNS if seeds is None else seeds):
                    for parallel, measured in speeds.items():
                        measured.append(_evolve(target, options, parallel=parallel))
            in_turn, beside = median(speeds[False]), median(speeds[True])
            rows.append(
                {
                    "target": target,
                    "other processes": others,
                    "evaluations/s, one after another": round(in_turn, 1),
                    "evaluations/s, side by side": round(beside, 1),
                    "ratio": round(beside / in_turn, 2),
                    "each": [[round(speed, 1) for speed in each] for each in speeds.values()],
                }
            )
            table(rows[-1:])
            yield rows


def _evolve(target: str, options: dict[str, Any], *, parallel: bool) -> float:
    """Return the evaluations per second of a whole run."""
    way = {"parallel": parallel, **({"micro_batch": SIDE_BY_SIDE_ROWS} if parallel else {})}
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        evofool.evolve(target, "cppn", out=Path(folder) / "run", seed=0, gallery=False, **options, **way)
        return float(options["evaluations"] / (time.perf_counter() - started))


@contextmanager
def _busy(others: int) -> Iterator[None]:
    """Have so many other processes compute for a while."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(others)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
