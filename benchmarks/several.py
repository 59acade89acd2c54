"""Several images a class on ``cifar10``: how sure, how many, and what that costs the surest of each class.

20,000 evaluations a run, three seeds, both encodings. Nothing of this depends on the clock.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from evofool.common import Row, table

from evofool import encodings, load_target
from evofool.config.budget import Budget
from evofool.jobs.run import BATCH, SELECTOR
from evofool.search.diversity import APART, BINS, Diversity, Grid, Novelty
from evofool.search.evolution import Evolution

END = 20_000
KINDS: dict[str, Diversity | None] = {
    "one image a class": None,
    "colour × complexity, 5 × 5": Grid(("colour", "complexity"), BINS),
    "5 apart in pixels": Novelty("pixels", BINS, APART["pixels"]),
    "5 apart in features": Novelty("features", BINS, APART["features"]),
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
            evolution = Evolution(
                target, coded, niches=np.arange(10), batch=BATCH["default"], seed=seed, selector=SELECTOR["default"],
                emitters=emitters, diversity=KINDS[kind],
            )  # fmt: skip
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
