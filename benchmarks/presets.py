"""The published one-pixel attacks, as presets, on two CIFAR-10 networks: success rates and queries beside the papers'.

A round is the next 20 images for every preset, network and k; ``benchmarks/results/presets.json`` keeps what is done,
and the next call goes on, until all have 100 images. A round takes a core one to two hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from evofool.attacks.statistics import wilson

from .campaigns import Bench, bench, run_campaign, total_queries
from .common import Row, kept_rows, shared, table

IMAGES, ROUND = 100, 20


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Untargeted, k = 1, 3, 5, the first correctly classified images of CIFAR-10's test set."""
    folder = shared()
    if folder is None:
        print("presets: skipped, no images; set EVOFOOL_SHARED")
        return
    rows = kept_rows("presets")
    networks = {"cifar10": None, "cifar10:resnet32": folder / "weights" / "resnet32-cifar10.safetensors"}
    on = {name: bench(name, weights, "cifar10", folder / "data", IMAGES) for name, weights in networks.items()}
    for end in range(ROUND, IMAGES + 1, ROUND):
        for k in (5, 3, 1):
            for name in networks:
                for preset in ("hyperparticle", "su2019"):
                    row = _row(rows, name, preset, k)
                    if row["images"] < end:
                        _go_on(row, on[name], preset, k, end)
                        table([{key: value for key, value in row.items() if key not in ("to_success", "confidences")}])
                        yield rows


def _row(rows: list[Row], network: str, preset: str, k: int) -> dict[str, Any]:
    for row in rows:
        if (row["network"], row["preset"], row["k"]) == (network, preset, k):
            return row
    rows.append(
        {"network": network, "preset": preset, "k": k, "images": 0, "queries": 0, "to_success": [], "confidences": []}
    )
    return rows[-1]


def _go_on(row: dict[str, Any], on: Bench, preset: str, k: int, end: int) -> None:
    outcomes, seconds = run_campaign(Bench(on.target, on.subjects[:end]), preset, k, start=row["images"])
    won = [v for v in outcomes if v["success"]]
    row["images"] = end
    row["queries"] += round(total_queries(outcomes))
    row["to_success"] += [v["queries_to_success"] for v in won]
    row["confidences"] += [v["top5"][0][1] for v in won]
    low, high = wilson(len(row["to_success"]), end)
    row["success"] = len(row["to_success"]) / end
    row["95 % interval"] = [round(low, 3), round(high, 3)]
    row["mean queries an image"] = row["queries"] / end
    row["median queries to success"] = float(np.median(row["to_success"])) if won else None
    row["mean confidence"] = float(np.mean(row["confidences"])) if won else None
    row["seconds"] = row.get("seconds", 0) + round(seconds)
