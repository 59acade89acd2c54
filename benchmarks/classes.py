"""Many classes: the time and memory of a run as the number of classes grows, of this checkout and of another one.

`python -m benchmarks.classes [OTHER]`. The network is small and its weights are seeded, so that the time is evofool's
own. Every run is a process of its own with a folder and a page, as the command line makes them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from evofool.targets.prepare import versions

from .common import RESULTS, Row, hardware, table

HERE = Path(__file__).resolve().parents[1]

CLASSES = (1_000, 10_000, 22_000)
"""Numbers of classes; the whole ImageNet has 21,841."""

EVALUATIONS = 2_000
"""Images that each run scores."""

RUN = """
import json, pathlib, resource, sys, time
import torch
from torch import nn
import evofool
classes, evaluations, out = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
torch.manual_seed(0)
network = nn.Sequential(nn.Flatten(), nn.Linear(3072, 32), nn.ReLU(), nn.Linear(32, classes))
with torch.no_grad():
    network[3].weight.mul_(8)
names = [f"class {k}" for k in range(classes)]
options = {"image_shape": (3, 32, 32), "mean": 0.5, "std": 0.25, "device": "cpu", "precision": "float32"}
small = evofool.Target(nn.Sequential(nn.Flatten(), nn.Linear(3072, 4)), classes=list("abcd"), name="small", **options)
evofool.evolve(small, evaluations=200, out=out / "warm")  # loops are compiled here
target = evofool.Target(network, classes=names, name="many", **options)
before, started, worked = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter(), time.process_time()
result = evofool.evolve(target, evaluations=evaluations, seed=0, out=out / "run")
seconds, cpu = time.perf_counter() - started, time.process_time() - worked
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
state = (out / "run" / "checkpoint" / "state.npz").stat().st_size
print(json.dumps({
    "classes": classes, "seconds": round(seconds, 1), "evolving": round(result.seconds, 1), "cpu s": round(cpu, 1),
    "MB above": round((peak - before) * 1024 / 1e6), "MB of checkpoint": round(state / 1e6, 1),
}))
"""
"""What a run of either checkout is."""


def run(checkout: Path, classes: int) -> Row:
    """Return the figures of one run of a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-c", RUN, str(classes), str(EVALUATIONS), folder]
        finished = subprocess.run(words, cwd=checkout, env=environment, capture_output=True, text=True)
    if finished.returncode:
        raise SystemExit(f"{checkout}: {finished.stderr.strip()}")
    figures: Row = json.loads(finished.stdout)
    return figures


def main() -> None:
    """Measure, print a table and write ``results/classes.json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classes", description=__doc__)
    parser.add_argument("other", type=Path, nargs="?", help="the folder of another checkout, measured in turn")
    other = parser.parse_args().other
    rows: list[Row] = []
    for classes in CLASSES:
        for name, checkout in (("this", HERE), *([("other", other.resolve())] if other else [])):
            rows.append({"checkout": name, **run(checkout, classes)})
            table(rows[-1:])
    table(rows)
    content = {"command": "python -m benchmarks.classes", "versions": versions(), "hardware": hardware(), "rows": rows}
    (RESULTS / "classes.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
