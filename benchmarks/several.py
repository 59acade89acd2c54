"""Several images per class on ``cifar10``: how sure, how many, and what that costs the surest of each class.

A run has 20,000 evaluations. There are three seeds and both encodings, and nothing depends on the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from evofool import encodings, load_target
from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions
from evofool.search.evolution import Evolution

from .common import Row, table

EVALUATIONS = 20_000
VARIANTS: dict[str, dict[str, Any]] = {
    "one image a class": {},
    "colour × complexity, 5 × 5": {"descriptors": ("colour", "complexity")},
    "5 apart in pixels": {"novelty": "pixels"},
    "5 apart in features": {"novelty": "features"},
}


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure every variant, and CMA-ES beside variation."""
    target, rows = load_target("cifar10"), []
    cases = [(encoding, variant, ("vary",)) for encoding in ("cppn", "direct") for variant in VARIANTS]
    cases.append(("cppn", "one image a class", ("vary", "refine")))
    for encoding, variant, emitters in cases:
        built = encodings.build(encoding, encodings.preset(encoding, "default"), target.image_shape, target.device)
        ends = []
        for seed in range(seeds or 3):
            evolution = Evolution(target, built, EvolveOptions(seed=seed, emitters=emitters, **VARIANTS[variant]))
            *_, last = evolution.run(Budget(evaluations=EVALUATIONS))
            ends.append(last)
        niches = len(evolution.archive)
        rows.append(
            {
                "encoding": encoding,
                "images": variant,
                "emitters": ", ".join(emitters),
                "surest of each class: median": float(np.median([end.median for end in ends])),
                "lowest": float(np.median([end.min for end in ends])),
                "niches": niches,
                "filled": float(np.median([end.elites for end in ends])),
                "mean confidence of all": float(np.median([end.qd_score / end.elites for end in ends])),
            }
        )
        table(rows)
        yield rows
