"""Nguyen et al. 2015 on MNIST: the generation, of 200 children each, at which the median passes 99.99 %."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evofool import encodings, load_target
from evofool.budget import Budget
from evofool.evolution import Evolution

from .common import Row, shared, table

CHILDREN, GENERATIONS, SURE = 200, 200, 0.9999


def measure(seeds: int | None) -> list[Row]:
    """Both encodings and presets, the embedded LeNet and the paper's own, five seeds each."""
    folder = shared()
    networks: list[tuple[str, Path | None]] = [("embedded LeNet", None)]
    if folder:
        networks.append(("the paper's LeNet", folder / "weights" / "lenet-mnist-caffe.safetensors"))
    rows = [
        _row(name, weights, encoding, preset, seeds or 5)
        for name, weights in networks
        for encoding in ("direct", "cppn")
        for preset in ("nguyen2015", "default")
    ]
    table(rows)
    return rows


def _row(network: str, weights: Path | None, encoding: str, preset: str, seeds: int) -> Row:
    target = load_target("mnist", weights=weights)
    coded = encodings.build(encoding, encodings.preset(encoding, preset), target.image_shape, target.device)
    passed, lowest, medians = [], [], {50: [], 200: []}  # type: ignore[var-annotated]
    for seed in range(seeds):
        evolution = Evolution(target, coded, niches=np.arange(10), batch=CHILDREN, seed=seed)
        first = None
        for progress in evolution.run(Budget(generations=GENERATIONS)):
            if first is None and progress.median >= SURE:
                first = progress.generation
            if progress.generation in medians:
                medians[progress.generation].append(progress.median)
        passed.append(first if first is not None else f"> {GENERATIONS}")
        lowest.append(progress.min)
    return {
        "network": network,
        "encoding": encoding,
        "preset": preset,
        "generation of median 99.99 %, each seed": passed,
        "median at generation 50": float(np.median(medians[50])),
        "median at 200": float(np.median(medians[200])),
        "lowest class at 200, each seed": [round(value, 4) for value in lowest],
    }
