"""This checkout against another one, in turn: `python -m benchmarks.against OTHER [--rounds 5]`.

Whole commands run one after the other, first of one checkout, then of the other, and so on; what counts is the ratio of
their medians, for a machine's speed changes from minute to minute. Nothing is tuned (`EVOFOOL_TUNING=off`), so both
run their forward passes in the same way, and what differs is evofool's own work.
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
    "torchvision:squeezenet1_1": (1_000, 16),
}
"""Evaluations, and rows per forward pass, by target."""

HELP_ROUNDS = 10
"""How often ``evofool --help`` is timed."""


def evolve(checkout: Path, target: str, encoding: str, seed: int) -> float:
    """Return the images per second of one run of a checkout."""
    evaluations, rows = CASES[target]
    weights = ["--weights", str(imagenet_weights("squeezenet1_1"))] if target.startswith("torchvision") else []
    with tempfile.TemporaryDirectory() as folder:
        words = [
            "evolve", "--target", target, "--encoding", encoding, "--evaluations", str(evaluations),
            "--seed", str(seed), "--precision", "float32",
            "--micro-batch", str(rows), "--out", f"{folder}/run", "--json", *weights,
        ]  # fmt: skip
        return float(json.loads(command(checkout, words))["images_per_second"])


def help_seconds(checkout: Path) -> float:
    """Return how long ``evofool --help`` takes."""
    started = time.perf_counter()
    command(checkout, ["--help"])
    return time.perf_counter() - started


def command(checkout: Path, words: Sequence[str]) -> str:
    """Run a checkout's command line and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "EVOFOOL_TUNING": "off"}
    finished = subprocess.run(
        [sys.executable, "-m", "evofool", *words], cwd=checkout, env=environment, capture_output=True, text=True
    )
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
            rows.append(compared(f"evolve {target}, {encoding}", speeds, "images/s"))
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
