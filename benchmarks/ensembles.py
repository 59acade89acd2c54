"""Networks alone and together: how many evaluations until every class is 99 % sure, and how far a budget goes.

``cifar10:resnet20`` and ``cifar10:resnet32`` are evolved for until the lowest of the ten classes has 99 %, SqueezeNet
and EfficientNet-lite0 on every tenth class of ImageNet for some minutes, and each alone until it has as much. All is
float32.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from statistics import median
from typing import Any

import evofool
from evofool import Ensemble, encodings
from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions
from evofool.search.evolution import Evolution
from evofool.search.progress import Progress
from evofool.targets.protocols import Target

from .common import Row, imagenet_weights, shared, table

SURE = 0.99
MOST_EVALUATIONS = 60_000
MINUTES = float(os.environ.get("EVOFOOL_MINUTES", "8"))


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure the pair of CIFAR-10."""
    rows: list[Row] = []
    weights = (shared() or _missing()) / "weights"
    pair = [
        evofool.load_target(
            f"cifar10:{name}", weights=weights / f"{name}-cifar10.safetensors", precision="float32", micro_batch=64
        )
        for name in ("resnet20", "resnet32")
    ]
    for target in (*pair, Ensemble(pair)):
        ends = [_until_sure(target, seed) for seed in range(seeds or 3)]
        rows.append(
            {
                "target": target.name,
                "classes": 10,
                "seeds": len(ends),
                "evaluations": [evaluations for evaluations, _ in ends],
                "evaluations, median": median(evaluations for evaluations, _ in ends),
                "classes at 99 %": [sure for _, sure in ends],
            }
        )
        table(rows)
        yield rows


def _missing() -> None:
    raise SystemExit("the weights of resnet32 are missing: set EVOFOOL_SHARED")


def _evolution(target: Target, seed: int, **options: Any) -> Evolution:
    """Return an evolution of CPPNs against a target."""
    built = encodings.build("cppn", encodings.preset("cppn", "default"), target.image_shape, target.device)
    return Evolution(target, built, EvolveOptions(seed=seed, **options))


def _until_sure(target: Target, seed: int) -> tuple[int, int]:
    """Return how many evaluations a run took until the lowest class was sure, and how many classes are at its end."""
    for progress in _evolution(target, seed).run(Budget(evaluations=MOST_EVALUATIONS)):
        if progress.min >= SURE:
            break
    return progress.evaluations, progress.at_99


def measure_imagenet(seeds: int | None) -> Iterator[list[Row]]:
    """Measure what a run of both networks of ImageNet reached, and when each alone had as much."""
    from .efficientnet_lite import lite0

    squeezenet = evofool.load_target(
        "torchvision:squeezenet1_1", weights=imagenet_weights("squeezenet1_1"), precision="float32"
    )
    pair = [squeezenet, lite0(precision="float32")]
    classes = tuple(range(0, 1000, 10))
    *_, both = _evolution(Ensemble(pair), 0, classes=classes).run(Budget(minutes=MINUTES))
    rows: list[Row] = [_row(Ensemble(pair), both)]
    table(rows)
    yield rows
    for target in pair:
        reached: dict[str, int] = {}
        for progress in _evolution(target, 0, classes=classes).run(Budget(evaluations=both.evaluations)):
            for figure in ("median", "mean"):
                if getattr(progress, figure) >= getattr(both, figure):
                    reached.setdefault(figure, progress.evaluations)
            if len(reached) == 2:
                break
        times = {f"times as many to the {figure}": both.evaluations / reached[figure] for figure in reached}
        rows.append(_row(target, progress) | times)
        table(rows)
        yield rows


def _row(target: Target, progress: Progress) -> Row:
    return {
        "target": target.name,
        "classes": 100,
        "evaluations": progress.evaluations,
        "median confidence": progress.median,
        "mean confidence": progress.mean,
        "classes at 99 %": progress.at_99,
    }
