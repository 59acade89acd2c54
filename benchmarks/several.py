"""Several images per class on ``cifar10``: how sure, how many, and what that costs the surest of each class.

A run has 20,000 evaluations. There are three seeds and both encodings, and nothing depends on the clock. It is a sweep:
``python -m benchmarks several`` goes on where it was stopped, in ``outputs/several``.
"""

from __future__ import annotations

from typing import Any

import evofool

from .common import Row, table

PLAN: dict[str, Any] = {
    "target": "cifar10",
    "evaluations": 20_000,
    "emitters": "vary",
    "grid": {"encoding": ["cppn", "direct"]},
    "runs": [
        {"name": "one image a class"},
        {"name": "colour × complexity", "descriptors": "colour,complexity"},
        {"name": "5 apart in pixels", "novelty": "pixels"},
        {"name": "5 apart in features", "novelty": "features"},
        {"name": "one image, with refine", "encoding": "cppn", "emitters": "vary,refine"},
    ],
}
"""The runs. The last variant, CMA-ES beside variation, is for CPPNs alone."""


def measure(seeds: int | None) -> list[Row]:
    """Measure every variant."""
    result = evofool.sweep({**PLAN, "seeds": range(seeds or 3)}, out="outputs/several", gallery=False)
    rows: list[Row] = [
        {
            "images": each["configuration"],
            "surest of each class: median": each["median"],
            "lowest": each["min"],
            "95 % interval of the lowest": each["min_interval95"],
            "filled": each["elites"],
            "mean confidence of all": each["qd_score"] / each["elites"],
        }
        for each in result.summary()["configurations"]
    ]
    table(rows)
    return rows
