"""Attacks by success and queries: the default strategy beside the sweep, Sparse-RS and differential evolution.

Nothing here depends on the clock; ``python -m benchmarks peers`` measures time. Rows that
``benchmarks/results/attack.json`` already has are kept, so that the hour it takes can be spread over sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evofool.attacks.statistics import wilson
from evofool.config.attack import UNTARGETED

from .campaigns import Bench, bench, median_queries, run_campaign, total_queries, within
from .common import Row, recorded_rows, shared, table
from .efficientnet_lite import LITE0


@dataclass(frozen=True)
class Case:
    """One campaign.

    Attributes:
        images: The network and its images.
        strategy: How attempts search.
        k: How many pixels may change.
        queries: Budget of an attempt; None for the strategy's own.
        criterion: What counts as success.
    """

    images: str
    strategy: str
    k: int
    queries: int | None = None
    criterion: str = UNTARGETED

    @property
    def name(self) -> str:
        """What its row is called."""
        criterion = "all criteria" if self.criterion == "all" else self.criterion
        budget = f", {self.queries:,} queries" if self.queries else ""
        return f"{self.images}, {criterion}, k = {self.k}, {self.strategy}{budget}"


CASES = (
    Case("resnet20", "local", 1),
    Case("resnet20", "corners", 1),
    Case("resnet20", "local", 3, 10_000),
    Case("resnet20", "local", 5, 10_000),
    Case("mnist", "local", 1),
    Case("mnist", "local", 3),
    Case("mnist", "local", 5),
    Case("resnet20", "sparse-rs", 5, 10_000),
    Case("resnet20", "sparse-rs", 3, 10_000),
    Case("resnet20 on 30 images", "local", 1, 2_000, "all"),
    Case("resnet20 on 30 images", "corners", 1, None, "all"),
    Case("squeezenet on 40 photographs", "local", 5, 500),
    Case("squeezenet on 40 photographs", "local", 1, 500),
    Case("squeezenet on the next 40 photographs", "local", 5, 2_000),
    Case("squeezenet on the next 40 photographs", "sparse-rs", 5, 2_000),
    Case("squeezenet on the next 40 photographs", "local", 5, 10_000),
    Case("squeezenet on the next 40 photographs", "sparse-rs", 5, 10_000),
    Case("squeezenet on the next 40 photographs", "local", 50, 10_000),
    Case("squeezenet on the next 40 photographs", "sparse-rs", 50, 10_000),
    Case("lite0 on 40 photographs", "local", 50, 10_000),
    Case("lite0 on 40 photographs", "sparse-rs", 50, 10_000),
    Case("resnet20 on the next 100", "local", 1),
    Case("resnet32", "local", 1),
    Case("resnet20", "best1bin", 1, 2_000),
    Case("resnet20", "rand1", 1, 2_000),
    Case("resnet20", "random", 1, 2_000),
)


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure every case on the first correctly classified images of its data."""
    folder = shared()
    if folder is None:
        print("attack: skipped, no images; set EVOFOOL_SHARED")
        return
    rows = recorded_rows("attack")
    benches: dict[str, Bench] = {}
    for case in CASES:
        if any(row["case"] == case.name for row in rows):
            continue
        if case.images not in benches:
            benches[case.images] = _benches(folder)[case.images]()
        row = _row(case, benches[case.images])
        rows.append(row)
        table([row])
        yield rows


def _row(case: Case, images: Bench) -> Row:
    """Return what a case's campaign comes to."""
    outcomes, seconds = run_campaign(images, case.strategy, case.k, queries=case.queries, criterion=case.criterion)
    successes = [outcome for outcome in outcomes if outcome["success"]]
    low, high = wilson(len(successes), len(outcomes))
    attacked = len({outcome["image"] for outcome in outcomes})
    return {
        "case": case.name,
        "attempts": len(outcomes),
        "successes": len(successes),
        "95 % interval": [round(low, 3), round(high, 3)],
        "within 100": within(outcomes, 100),
        "within 300": within(outcomes, 300),
        "within 1,000": within(outcomes, 1_000),
        "within 5,000": within(outcomes, 5_000),
        "median queries": median_queries(outcomes),
        "median of successes": _median([outcome["queries_to_success"] for outcome in successes]),
        "mean queries an image": total_queries(outcomes) / attacked,
        "images with a success": len({outcome["image"] for outcome in successes}),
        "seconds": round(seconds),
    }


def _median(values: list[int]) -> float | None:
    return float(np.median(values)) if values else None


def _benches(folder: Path) -> dict[str, Callable[[], Bench]]:
    """Return what makes each network with its images, by the name that cases have for it."""
    data, weights = folder / "data", folder / "weights"
    resnet20, resnet32 = weights / "resnet20-cifar10.safetensors", weights / "resnet32-cifar10.safetensors"
    squeezenet, photographs = weights / "squeezenet1_1-imagenet.safetensors", data / "imagenet-samples"
    return {
        "resnet20": lambda: bench("cifar10", resnet20, "cifar10", data, 100),
        "resnet20 on 30 images": lambda: bench("cifar10", resnet20, "cifar10", data, 30),
        "resnet20 on the next 100": lambda: _later(bench("cifar10", resnet20, "cifar10", data, 200), 100),
        "resnet32": lambda: bench("cifar10:resnet32", resnet32, "cifar10", data, 100),
        "mnist": lambda: bench("mnist", None, "mnist", data, 100),
        "squeezenet on 40 photographs": lambda: bench("torchvision:squeezenet1_1", squeezenet, photographs, data, 40),
        "squeezenet on the next 40 photographs": lambda: _later(
            bench("torchvision:squeezenet1_1", squeezenet, photographs, data, 80), 40
        ),
        "lite0 on 40 photographs": lambda: bench(LITE0, None, photographs, data, 40),
    }


def _later(bench: Bench, start: int) -> Bench:
    """Return the same target with its later images, on which no setting was chosen."""
    return Bench(bench.target, [replace(subject, index=i) for i, subject in enumerate(bench.subjects[start:])])
