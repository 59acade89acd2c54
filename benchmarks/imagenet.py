"""All 1,000 ImageNet classes on SqueezeNet 1.1: images/s, and the median after 20,000 evaluations."""

from __future__ import annotations

import numpy as np

from evofool import encodings, load_target
from evofool.budget import Budget
from evofool.evolution import Evolution

from .common import Row, shared, table

EVALUATIONS = 20_000


def measure(seeds: int | None) -> list[Row]:
    """The CPPN default, one seed; skipped where the weights are not there."""
    folder = shared()
    if folder is None:
        print("imagenet: skipped, no weights; set EVOFOOL_SHARED")
        return []
    weights = folder / "weights" / "squeezenet1_1-imagenet.safetensors"
    target = load_target("torchvision:squeezenet1_1", weights=weights)
    rows: list[Row] = []
    for seed in range(seeds or 1):
        coded = encodings.build("cppn", encodings.preset("cppn", "default"), target.image_shape, target.device)
        evolution = Evolution(target, coded, niches=np.arange(1000), batch=50, seed=seed)
        *_, progress = evolution.run(Budget(evaluations=EVALUATIONS))
        rows.append(
            {
                "encoding": "cppn",
                "seed": seed,
                "evaluations": progress.evaluations,
                "images/s": round(progress.evaluations / progress.seconds, 1),
                "median": progress.median,
                "mean": progress.mean,
                "classes >= 99 %": progress.at_99,
            }
        )
    table(rows)
    return rows
