"""Evaluations until ten classes are fooled, both encodings with their defaults, ten seeds each.

On ``cifar10`` all ten classes must reach 99.9 %, on ``mnist`` the median must reach 99.99 %. A run that is not there
after 40,000 evaluations counts as more. Nothing depends on the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from evofool import encodings, load_target
from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions
from evofool.search.evolution import Evolution

from .common import Row, table

END = 40_000
"""Evaluations after which a run is given up."""

THRESHOLDS = {"cifar10": ("all ten 99.9 %", "min", 0.999), "mnist": ("median 99.99 %", "median", 0.9999)}


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure the embedded networks."""
    rows: list[Row] = []
    for network, (threshold, figure, least) in THRESHOLDS.items():
        target = load_target(network)
        for encoding in ("cppn", "direct"):
            built = encodings.build(encoding, encodings.preset(encoding, "default"), target.image_shape, target.device)
            needed = [
                _evaluations(Evolution(target, built, EvolveOptions(seed=seed)), attrgetter(figure), least)
                for seed in range(seeds or 10)
            ]
            rows.append(
                {
                    "network": network, "encoding": encoding, "criterion": threshold,
                    "evaluations, median of seeds": float(np.median(needed)),
                    f"seeds that need more than {END:,}": sum(evaluations > END for evaluations in needed),
                    "each seed": sorted(needed),
                }
            )  # fmt: skip
            table(rows)
            yield rows


def _evaluations(evolution: Evolution, figure: Any, least: float) -> int:
    """Return the evaluations until a figure of the progress reaches a value; one more than ``END`` if it doesn't."""
    for progress in evolution.run(Budget(evaluations=END)):
        if figure(progress) >= least:
            return progress.evaluations
    return END + 1
