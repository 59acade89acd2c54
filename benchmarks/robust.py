"""Confidence under transformations that the search never saw, of elites that were evolved with and without them.

``cifar10`` from random CPPNs, and SqueezeNet on every fiftieth class of ImageNet, which begins with the bank
``imagenet-cppn``. Strengths are drawn by another seed than the runs'.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean

import numpy as np

import evofool
from evofool.config.records import RobustRecord
from evofool.config.scoring import TRANSFORMATIONS
from evofool.targets.itemised import items_of
from evofool.targets.robust.robust_target import RobustTarget

from .common import Row, imagenet_weights, table

EVALUATIONS = {"cifar10": 10_000, "torchvision:squeezenet1_1": 3_000}
UNSEEN = RobustRecord(how="mean", to=TRANSFORMATIONS, draws=4, seed=1_000)


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure each network without, with ``worst`` and with ``mean``."""
    rows: list[Row] = []
    for name, evaluations in EVALUATIONS.items():
        large = name.startswith("torchvision")
        given = {"weights": imagenet_weights("squeezenet1_1")} if large else {}
        target = evofool.load_target(name, precision="float32", **given)
        init = "imagenet-cppn" if large else None
        classes = list(range(0, 1000, 50)) if large else list(range(10))
        for how in (None, "worst", "mean"):
            found: list[dict[str, float]] = []
            for seed in range(seeds or 1):
                result = evofool.evolve(
                    target, classes=classes, seed=seed, evaluations=evaluations, robust=how, init=init, progress=False
                )
                each = items_of(
                    RobustTarget(target, UNSEEN),
                    np.asarray(result.images),
                    [[index] for index in result.indices.tolist()],
                )
                found += [items[0]["robust"] for items in each]
            row: Row = {"target": name, "robust": how or "–", "evaluations": evaluations, "images": len(found)}
            rows.append(row | {key: mean(items[key] for items in found) for key in found[0]})
            table(rows)
            yield rows
