"""Whether a bank of one network helps to fool another: EfficientNet-lite0 from nothing, and from SqueezeNet's bank.

Both runs evolve images for all 1,000 classes of ImageNet with the same seed and as many evaluations, which
``EVOFOOL_EVALUATIONS`` says. They are ``outputs/transfer-lite0-nothing-0`` and ``-bank-0``; the next call goes on where
the last one was stopped. How much of the bank transfers as it is tells ``evofool lab transfer --images imagenet-cppn``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import evofool
from evofool.store.run import RunFolder

from .common import Row, table
from .efficientnet_lite import LITE0

OUTPUTS = Path("outputs")
EVALUATIONS = int(os.environ.get("EVOFOOL_EVALUATIONS", "10000"))
STARTS = {"nothing": "random", "bank": "imagenet-cppn"}

PUBLISHED = 0.8811
"""The median that Nguyen et al. 2015 tell of their CPPN images of ImageNet's classes."""

MARKS = (1_000, 10_000, 20_000, 50_000, 100_000, 150_000, 200_000, 250_000, 300_000, 350_000)
"""Evaluations whose median a row has."""

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, PUBLISHED)
"""Medians of which a row has when they were reached."""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Evolve from nothing and from the bank."""
    rows: list[Row] = []
    for seed in range(seeds or 1):
        for start, init in STARTS.items():
            run = OUTPUTS / f"transfer-lite0-{start}-{seed}"
            if run.exists():
                evofool.resume(run, evaluations=EVALUATIONS)
            else:
                evofool.evolve(LITE0, init=init, seed=seed, evaluations=EVALUATIONS, gallery=False, out=run)
            rows.append(run_row(run, start))
            table(rows)
            yield rows


def run_row(run: Path, start: str) -> Row:
    """Return what a run has reached: its median at some numbers of evaluations, and when it was at some levels."""
    folder = RunFolder.open(run)
    metrics = folder.metrics()
    last = metrics[-1]
    row: Row = {"start": start, "seed": folder.config.options.seed, "precision": folder.config.target.precision}
    for mark in MARKS:
        row[f"median at {mark:,}"] = next((m["median"] for m in metrics if m["evaluations"] >= mark), None)
    for level in LEVELS:
        reached = next((m["evaluations"] for m in metrics if m["median"] >= level), None)
        row[f"evaluations to a median of {100 * level:g} %"] = reached
    return row | {
        "evaluations": last["evaluations"],
        "confirmations": last["confirmations"],
        "minutes": round(last["seconds"] / 60, 1),
        "classes >= 99 %": last["at_99"],
    }
