"""This checkout against another one, in turn: `python -m benchmarks.against OTHER [--rounds 5]`.

Whole processes run one after the other, first of one checkout, then of the other, and so on. Each has one thread, and
images are counted per second of its processor time, so other work on the machine matters little. What counts is the
median of the pairs' ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from evofool.targets.prepare import versions

from .common import RESULTS, Row, hardware, imagenet_weights, table

HERE = Path(__file__).resolve().parents[1]

CASES: dict[str, tuple[int, int]] = {
    "mnist": (30_000, 256),
    "cifar10": (6_000, 64),
    "torchvision:squeezenet1_1": (600, 16),
}
"""Evaluations, and rows per forward pass, by target."""

HELP_ROUNDS = 10
"""How often ``evofool --help`` is timed."""


RUN = """
import contextlib, json, sys, time, evofool
with contextlib.suppress(ImportError):  # older checkouts tune the process by themselves
    from evofool.targets.execution.process import tune_process
    tune_process()
options = {**json.loads(sys.argv[1]), "precision": "float32", "memory_format": "channels_last", "fold": True}
evofool.evolve(**{**options, "evaluations": 200, "out": options["out"] + "-warm"})
started = time.process_time()
result = evofool.evolve(**options)
print(result.evaluations / (time.process_time() - started))
"""
"""What a run of either checkout is: nothing is left to be tuned, so both run their forward passes in the same way."""


def evolve(checkout: Path, target: str, encoding: str, seed: int) -> float:
    """Return the images per second of processor time of one run of a checkout."""
    evaluations, rows = CASES[target]
    options = {"target": target, "encoding": encoding, "evaluations": evaluations, "seed": seed, "micro_batch": rows}
    if target.startswith("torchvision"):
        options["weights"] = str(imagenet_weights("squeezenet1_1"))
    with tempfile.TemporaryDirectory() as folder:
        return float(python(checkout, "-c", RUN, json.dumps({**options, "out": f"{folder}/run"})))


def help_seconds(checkout: Path) -> float:
    """Return how long ``evofool --help`` takes."""
    started = time.perf_counter()
    python(checkout, "-m", "evofool", "--help")
    return time.perf_counter() - started


def python(checkout: Path, *words: str) -> str:
    """Run Python with a checkout's package and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    finished = subprocess.run([sys.executable, *words], cwd=checkout, env=environment, capture_output=True, text=True)
    if finished.returncode:
        raise SystemExit(f"{checkout}: {finished.stderr.strip()}")
    return finished.stdout


def main() -> None:
    """Measure, print a table and write ``results/against.json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against", description=__doc__)
    parser.add_argument("other", type=Path, help="the folder of the other checkout")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    other = arguments.other.resolve()
    rows: list[Row] = []
    for target in CASES:
        for encoding in ("cppn", "direct"):
            speeds = [
                (evolve(HERE, target, encoding, seed), evolve(other, target, encoding, seed))
                for seed in range(arguments.rounds)
            ]
            rows.append(compared(f"evolve {target}, {encoding}", speeds, "images/s of CPU"))
            table(rows[-1:])
    seconds = [(help_seconds(HERE), help_seconds(other)) for _ in range(HELP_ROUNDS)]
    rows.append(compared("evofool --help", seconds, "seconds"))
    table(rows)
    content = {"command": "python -m benchmarks.against", "versions": versions(), "hardware": hardware(), "rows": rows}
    (RESULTS / "against.json").write_text(json.dumps(content, indent=1) + "\n")


def compared(what: str, pairs: Sequence[tuple[float, float]], unit: str) -> Row:
    """Return the medians of this checkout and of the other one, and the median of the pairs' ratios with its range."""
    ours, theirs = (statistics.median(values) for values in zip(*pairs, strict=True))
    ratios = sorted(mine / other for mine, other in pairs)
    return {
        "what": what,
        "unit": unit,
        "this": round(ours, 3),
        "other": round(theirs, 3),
        "ratio": round(statistics.median(ratios), 3),
        "lowest": round(ratios[0], 3),
        "highest": round(ratios[-1], 3),
    }


if __name__ == "__main__":
    main()
