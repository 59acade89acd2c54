"""1,000 classes at 224²: the memory of a run above torch's own, and how long a checkpoint stops the loop."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import evofool
from evofool import encodings
from evofool.jobs import session
from evofool.search.evolution import Evolution

from .common import Row, imagenet_weights, megabytes, plain_options, table

MINUTES = 1.5
"""Minutes of each run."""

CHECKPOINT_SECONDS = 10.0
"""Seconds between its checkpoints, whatever share of the time they take."""


def measure(seeds: int | None) -> list[Row]:
    """Measure both encodings, each in a process of its own."""
    weights = imagenet_weights("squeezenet1_1")
    rows: list[Row] = []
    for encoding in ("cppn", "direct"):
        words = [sys.executable, "-m", "benchmarks.memory", encoding, str(weights)]
        rows.append(json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout))
    table(rows)
    return rows


def _run(encoding: str, weights: str) -> Row:
    """Return what one encoding takes in this process."""
    session.CHECKPOINT_SECONDS, session.CHECKPOINT_SHARE = CHECKPOINT_SECONDS, 1e9
    target = evofool.load_target("torchvision:squeezenet1_1", weights=weights)
    before, moments = megabytes("VmRSS"), []
    built = encodings.build(encoding, encodings.preset(encoding, "default"), target.image_shape, target.device)
    warm = Evolution(target, built, plain_options(2))
    for _ in range(3):  # where evofool has not run yet, its loops are compiled here
        warm.step()
    del warm
    with tempfile.TemporaryDirectory() as temporary:
        result = evofool.evolve(
            target, encoding, minutes=MINUTES, out=Path(temporary) / "run",
            observer=lambda *_: moments.append(time.perf_counter()),
        )  # fmt: skip
    pauses = [later - sooner for sooner, later in pairwise(moments)]
    return {
        "what": f"1,000 classes, 224², {encoding}",
        "evaluations": result.evaluations,
        "MB before": round(before),
        "MB at most": round(megabytes("VmHWM")),
        "above": round(megabytes("VmHWM") - before),
        "generation seconds": round(statistics.median(pauses), 2),
        "the longest": round(max(pauses), 2),
    }


if __name__ == "__main__":
    print(json.dumps(_run(sys.argv[1], sys.argv[2])))
