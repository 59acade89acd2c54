"""Long and large jobs: 10,000 classes, 50,000 attempts, checkpoints; memory, file handles and speed over time."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np

import evofool
from evofool.io.arrays import Arrays
from evofool.store.checkpoint import Checkpoints

from .common import Row, megabytes, table, tiny_target

CLASSES, GENERATIONS = 10_000, 2_000
"""Classes and generations of the evolution."""

IMAGES, CRITERIA = 12_000, 5
"""Images of the campaign, and criteria of each."""

MINUTES = 1.2
"""Minutes of the run whose checkpoints are timed: as long as three of them."""

Sample = tuple[float, int, float, int]
"""The time in seconds, the rows so far, resident memory in MB and open file handles."""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure with a tiny network of random weights, so that the time is evofool's own."""
    rows: list[Row] = []
    for part in (_evolution, _campaign, _checkpoints):
        rows = [*rows, part()]
        table([rows[-1]])
        yield rows


class Samples:
    """Samples of this process over its work."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []

    def take(self, rows: int) -> None:
        """Take a sample after so many rows."""
        self.samples.append((time.perf_counter(), rows, megabytes("VmRSS"), len(os.listdir("/proc/self/fd"))))

    def figures(self, folder: Path) -> Row:
        """Return the last quarter of the work beside the second; the first quarter is warm-up."""
        quarter = len(self.samples) // 4
        parts = [self.samples[quarter : 2 * quarter], self.samples[-quarter:]]
        (early, late), handles = ([_rate(part) for part in parts], [part[-1][3] for part in parts])
        resident = [statistics.median(sample[2] for sample in part) for part in parts]
        return {
            "rows/s, second quarter": round(early),
            "rows/s, last quarter": round(late),
            "speed kept": round(late / early, 3),
            "resident MB, second quarter": round(resident[0]),
            "resident MB, last quarter": round(resident[1]),
            "file handles": handles,
            "folder MB": round(sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6, 1),
            "files": sum(1 for _ in folder.rglob("*")),
        }


def _evolution() -> Row:
    target, samples = tiny_target(CLASSES), Samples()
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(temporary) / "run"
        started = time.perf_counter()
        evofool.evolve(
            target, "cppn", generations=GENERATIONS, batch=100, out=run, gallery=False,
            observer=lambda step: samples.take(step.progress.evaluations),
        )  # fmt: skip
        took = time.perf_counter() - started
        return {"what": f"evolve, {CLASSES:,} classes", "seconds": round(took), **samples.figures(run)}


def _campaign() -> Row:
    target, samples = tiny_target(CRITERIA + 1), Samples()
    with tempfile.TemporaryDirectory() as temporary:
        data, out = Path(temporary) / "data.npz", Path(temporary) / "campaign"
        images = np.random.default_rng(0).integers(0, 256, (IMAGES, 8, 8, 3), np.uint8)
        np.savez(data, images=images, labels=np.arange(IMAGES) % (CRITERIA + 1))
        started = time.perf_counter()
        result = evofool.attack(
            target, data, out=out, count=IMAGES, criterion="all", queries=20, include_misclassified=True,
            observer=lambda step: samples.take(step.campaign.scored),
        )  # fmt: skip
        took = time.perf_counter() - started
        attempts = result.total - result.statistics.already
        return {"what": f"attack, {attempts:,} attempts", "seconds": round(took), **samples.figures(out)}


def _checkpoints() -> Row:
    """Return the share of its time that a default run spends on checkpoints."""
    seconds: list[float] = []
    save = Checkpoints.save

    def timed(checkpoints: Checkpoints, state: Arrays) -> None:
        started = time.perf_counter()
        save(checkpoints, state)
        seconds.append(time.perf_counter() - started)

    with tempfile.TemporaryDirectory() as folder, mock.patch.object(Checkpoints, "save", timed):
        started = time.perf_counter()
        evofool.evolve("cifar10", "cppn", minutes=MINUTES, out=Path(folder) / "run", gallery=False)
        took = time.perf_counter() - started
    return {
        "what": "checkpoints of cifar10, cppn",
        "seconds": round(took),
        "on the writer's thread, share of the time": round(sum(seconds) / took, 4),
    }


def _rate(part: list[Sample]) -> float:
    """Return the rows per second of some samples."""
    return (part[-1][1] - part[0][1]) / (part[-1][0] - part[0][0])
