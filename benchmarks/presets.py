"""The published one-pixel attacks, as presets, on two CIFAR-10 networks: success rates and queries beside the papers'.

A round is the next 20 images for every preset, network and k. ``benchmarks/results/presets.json`` keeps what is done,
and the next call goes on until all have 100 images. A round takes a core one to two hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from evofool.attacks.statistics import wilson

from .campaigns import Bench, bench, run_campaign, total_queries
from .common import Row, recorded_rows, shared, table

IMAGES, ROUND = 100, 20
"""Images of each row, and of a round."""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Attack the first correctly classified images of CIFAR-10's test set, untargeted, with k = 1, 3 and 5."""
    folder = shared()
    if folder is None:
        print("presets: skipped, no images; set EVOFOOL_SHARED")
        return
    rows = recorded_rows("presets")
    networks = {"cifar10": None, "cifar10:resnet32": folder / "weights" / "resnet32-cifar10.safetensors"}
    benches = {name: bench(name, weights, "cifar10", folder / "data", IMAGES) for name, weights in networks.items()}
    for end in range(ROUND, IMAGES + 1, ROUND):
        for k in (5, 3, 1):
            for name in networks:
                for preset in ("hyperparticle", "su2019"):
                    row = _row(rows, name, preset, k)
                    if row["images"] < end:
                        _go_on(row, benches[name], preset, k, end)
                        table([{key: value for key, value in row.items() if key not in ("to_success", "confidences")}])
                        yield rows


def _row(rows: list[Row], network: str, preset: str, k: int) -> dict[str, Any]:
    """Return the row of a combination, added where there is none."""
    for row in rows:
        if (row["network"], row["preset"], row["k"]) == (network, preset, k):
            return row
    rows.append(
        {"network": network, "preset": preset, "k": k, "images": 0, "queries": 0, "to_success": [], "confidences": []}
    )
    return rows[-1]


def _go_on(row: dict[str, Any], images: Bench, preset: str, k: int, end: int) -> None:
    """Attack the images up to ``end`` that the row doesn't have yet."""
    outcomes, seconds = run_campaign(Bench(images.target, images.subjects[:end]), preset, k, start=row["images"])
    successes = [outcome for outcome in outcomes if outcome["success"]]
    row["images"] = end
    row["queries"] += round(total_queries(outcomes))
    row["to_success"] += [outcome["queries_to_success"] for outcome in successes]
    row["confidences"] += [outcome["top5"][0][1] for outcome in successes]
    low, high = wilson(len(row["to_success"]), end)
    row["success"] = len(row["to_success"]) / end
    row["95 % interval"] = [round(low, 3), round(high, 3)]
    row["mean queries an image"] = row["queries"] / end
    row["median queries to success"] = float(np.median(row["to_success"])) if row["to_success"] else None
    row["mean confidence"] = float(np.mean(row["confidences"])) if row["to_success"] else None
    row["seconds"] = row.get("seconds", 0) + round(seconds)
