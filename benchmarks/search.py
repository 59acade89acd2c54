"""Evaluations until ten classes are fooled, both encodings with their defaults, ten seeds each.

CPPNs are measured twice: as they begin by default, and from random genomes.

On ``cifar10`` all ten classes must reach 99.9 %, on ``mnist`` the median must reach 99.99 %. A run that is not there
after 40,000 evaluations counts as more. Nothing depends on the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from evofool import encodings, load_target
from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions, settings_of
from evofool.encodings.banks import RANDOM
from evofool.search.beginning import beginning
from evofool.search.defaults import default_init, resolve
from evofool.search.evolution import Evolution
from evofool.targets.protocols import Target

from .common import Row, table

END = 40_000
"""Evaluations after which a run is given up."""

THRESHOLDS = {"cifar10": ("all ten 99.9 %", "min", 0.999), "mnist": ("median 99.99 %", "median", 0.9999)}


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure the embedded networks."""
    rows: list[Row] = []
    for network, (threshold, figure, least) in THRESHOLDS.items():
        target = load_target(network)
        for encoding, init in (("cppn", None), ("cppn", RANDOM), ("direct", None)):
            needed = [
                _evaluations(_evolution(target, encoding, init, seed), attrgetter(figure), least)
                for seed in range(seeds or 10)
            ]
            rows.append(
                {
                    "network": network, "encoding": encoding, "begins with": init or "default", "criterion": threshold,
                    "evaluations, median of seeds": float(np.median(needed)),
                    f"seeds that need more than {END:,}": sum(evaluations > END for evaluations in needed),
                    "each seed": sorted(needed),
                }
            )  # fmt: skip
            table(rows)
            yield rows


def _evolution(target: Target, encoding: str, init: str | None, seed: int) -> Evolution:
    options = resolve(EvolveOptions(encoding=encoding, init=init, seed=seed, evaluations=END))
    options = msgspec.structs.replace(options, init=default_init(options, target.image_shape[0]))
    built = encodings.build(encoding, settings_of(options), target.image_shape, target.device)
    return Evolution(target, built, options, initial=beginning(options, built)[0])


def _evaluations(evolution: Evolution, figure: Any, least: float) -> int:
    """Return the evaluations until a figure of the progress reaches a value; one more than ``END`` if it doesn't."""
    for progress in evolution.run(Budget(evaluations=END)):
        if figure(progress) >= least:
            return progress.evaluations
    return END + 1
