"""The published one-pixel attacks, as presets, on two CIFAR-10 networks: success rates and queries beside the papers'.

Rows that ``benchmarks/results/presets.json`` has already are kept, so that hours can be spread over sittings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from evofool.campaign.summary import wilson

from .campaigns import bench, fight, total_queries
from .common import Row, shared, table

IMAGES = 100
RESULTS = Path(__file__).parent / "results" / "presets.json"


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Untargeted, k = 5, 3, 1, the first 100 correctly classified images."""
    folder = shared()
    if folder is None:
        print("presets: skipped, no images; set EVOFOOL_SHARED")
        return
    rows: list[Row] = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    networks = {"cifar10": None, "cifar10:resnet32": folder / "weights" / "resnet32-cifar10.safetensors"}
    for k in (5, 3, 1):
        for name, weights in networks.items():
            for preset in ("hyperparticle", "su2019"):
                if any((row["network"], row["preset"], row["k"]) == (name, preset, k) for row in rows):
                    continue
                on = bench(name, weights, "cifar10", folder / "data", IMAGES)
                verdicts, seconds = fight(on, preset, k)
                won = [v for v in verdicts if v["success"]]
                low, high = wilson(len(won), len(verdicts))
                row: Row = {
                    "network": name,
                    "preset": preset,
                    "k": k,
                    "images": len(verdicts),
                    "success": len(won) / len(verdicts),
                    "95 % interval": [round(low, 3), round(high, 3)],
                    "mean queries": total_queries(verdicts) / len(verdicts),
                    "median queries to success": float(np.median([v["queries_to_success"] for v in won])),
                    "mean confidence": float(np.mean([v["top5"][0][1] for v in won])),
                    "seconds": round(seconds),
                }
                rows.append(row)
                table([row])
                yield rows
