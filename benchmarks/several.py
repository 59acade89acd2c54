"""Several images a class on ``cifar10``: how sure, how many, and what that costs the surest of each class.

20,000 evaluations a run, three seeds, both encodings. Nothing of this depends on the clock.
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

END = 20_000
KINDS: dict[str, dict[str, Any]] = {
    "one image a class": {},
    "colour × complexity, 5 × 5": {"descriptors": ("colour", "complexity")},
    "5 apart in pixels": {"novelty": "pixels"},
    "5 apart in features": {"novelty": "features"},
}


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Every kind, and CMA-ES beside variation."""
    target, rows = load_target("cifar10"), []
    cases = [(encoding, kind, ("vary",)) for encoding in ("cppn", "direct") for kind in KINDS]
    cases.append(("cppn", "one image a class", ("vary", "refine")))
    for encoding, kind, emitters in cases:
        coded = encodings.build(encoding, encodings.preset(encoding, "default"), target.image_shape, target.device)
        ends = []
        for seed in range(seeds or 3):
            evolution = Evolution(target, coded, EvolveOptions(seed=seed, emitters=emitters, **KINDS[kind]))
            *_, last = evolution.run(Budget(evaluations=END))
            ends.append(last)
        niches = len(evolution.archive)
        rows.append(
            {
                "encoding": encoding,
                "images": kind,
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
