"""Nguyen et al. 2015 on MNIST: the generation, of 200 children, at which the confidence passes 99.99 %.

A run ends when all ten classes are there, or after 200 generations.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evofool import encodings, load_target
from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions
from evofool.search.evolution import Evolution

from .common import Row, shared, table

CHILDREN, GENERATIONS, SURE = 200, 200, 0.9999


def measure(seeds: int | None) -> list[Row]:
    """Measure both encodings and presets on the embedded LeNet and on the paper's own, five seeds each."""
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
    """Return what some seeds of one combination needed."""
    target = load_target("mnist", weights=weights)
    built = encodings.build(encoding, encodings.preset(encoding, preset), target.image_shape, target.device)
    median_at, all_at, at_50, lowest = [], [], [], []
    for seed in range(seeds):
        evolution = Evolution(target, built, EvolveOptions(preset=preset, batch=CHILDREN, seed=seed))
        median_first: int | str = f"> {GENERATIONS}"
        all_first: int | str = f"> {GENERATIONS}"
        median_50 = None
        for progress in evolution.run(Budget(generations=GENERATIONS)):
            if isinstance(median_first, str) and progress.median >= SURE:
                median_first = progress.generation
            if progress.generation == 50:
                median_50 = progress.median
            if progress.min >= SURE:
                all_first = progress.generation
                break
        median_at.append(median_first)
        all_at.append(all_first)
        at_50.append(progress.median if median_50 is None else median_50)
        lowest.append(progress.min)
    return {
        "network": network,
        "encoding": encoding,
        "preset": preset,
        "median 99.99 % at generation": median_at,
        "all ten 99.99 % at generation": all_at,
        "median at 50, median of seeds": float(np.median(at_50)),
        "lowest class at the end": [round(value, 4) for value in lowest],
    }
