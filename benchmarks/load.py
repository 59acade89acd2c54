"""Long and large: 10,000 classes, 50,000 attempts, and what checkpoints cost; memory, file handles and speed over time."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import nn

import evofool
from evofool.jobs import campaign as campaigning
from evofool.jobs import run as session
from evofool.jobs import run_session as sitting

from .common import Row, megabytes, table

CLASSES, GENERATIONS = 10_000, 2_000
IMAGES, GOALS = 12_000, 5


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """A tiny network of random weights, so that what is measured is what surrounds it."""
    rows = [_evolution()]
    table(rows)
    yield rows
    rows = [*rows, _campaign()]
    table([rows[-1]])
    yield rows
    rows = [*rows, _checkpoints()]
    table([rows[-1]])
    yield rows


class Watch:
    """Samples of a process over its work."""

    def __init__(self) -> None:
        self.samples: list[tuple[float, int, float, int]] = []

    def note(self, done: int) -> None:
        self.samples.append((time.perf_counter(), done, megabytes("VmRSS"), len(os.listdir("/proc/self/fd"))))

    def figures(self, folder: Path) -> Row:
        """Of the second half of the work against the quarter before: the first quarter is warm-up."""
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
    target, watch = tiny_target(CLASSES), Watch()
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(temporary) / "run"
        started = time.perf_counter()
        session.evolve(
            target,
            "cppn",
            generations=GENERATIONS,
            batch=100,
            out=run,
            gallery=False,
            observer=lambda p, _: watch.note(p.evaluations),
        )
        took = time.perf_counter() - started
        return {"what": f"evolve, {CLASSES:,} classes", "seconds": round(took), **watch.figures(run)}


def _campaign() -> Row:
    target, watch = tiny_target(GOALS + 1), Watch()
    with tempfile.TemporaryDirectory() as temporary:
        data, out = Path(temporary) / "data.npz", Path(temporary) / "campaign"
        images = np.random.default_rng(0).integers(0, 256, (IMAGES, 8, 8, 3), np.uint8)
        np.savez(data, images=images, labels=np.arange(IMAGES) % (GOALS + 1))
        started = time.perf_counter()
        result = campaigning.attack(
            target, data, out=out, count=IMAGES, criterion="all", queries=20, include_misclassified=True,
            observer=lambda standing: watch.note(standing.campaign.scored),
        )  # fmt: skip
        took = time.perf_counter() - started
        attempts = result.total - result.statistics.already
        return {"what": f"attack, {attempts:,} attempts", "seconds": round(took), **watch.figures(out)}


def _checkpoints() -> Row:
    """The share of its time that a default run spends on checkpoints, when it is as long as three of them."""
    paces: list[sitting.Pace] = []

    class Noted(sitting.Pace):
        def __init__(self, least: float, share: float) -> None:
            super().__init__(least, share)
            paces.append(self)

    with tempfile.TemporaryDirectory() as folder, mock.patch.object(sitting, "Pace", Noted):
        started = time.perf_counter()
        evofool.evolve("cifar10", "cppn", minutes=1.2, out=Path(folder) / "run", gallery=False)
        took = time.perf_counter() - started
    spent = paces[0].spent
    return {
        "what": "checkpoints of cifar10, cppn",
        "seconds": round(took),
        "on the writer's thread, share of the time": round(spent / took, 4),
    }


def tiny_target(classes: int) -> evofool.Target:
    """A linear network of random weights for 3×8×8 images."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Linear(16, classes))
    return evofool.Target(
        network, classes=[f"class {k}" for k in range(classes)], image_shape=(3, 8, 8), mean=0.5, std=0.1,
        name="tiny", device="cpu",
    )  # fmt: skip


def _rate(part: list[tuple[float, int, float, int]]) -> float:
    return (part[-1][1] - part[0][1]) / (part[-1][0] - part[0][0])
