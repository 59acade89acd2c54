"""All 1,000 ImageNet classes on SqueezeNet 1.1: how the median grows with evaluations and with time, both encodings.

``python -m benchmarks imagenet`` makes a run of each in float32, ``outputs/imagenet-cppn-0`` and ``-direct-0`` (with
``--seeds 3`` three), in rounds of 50,000 evaluations up to 500,000. The next call goes on where the last one was
stopped. Hours on two cores.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

import evofool
from evofool.gallery.prints.svg import standalone
from evofool.store.run import RunFolder

from .common import Row, hardware, kept_rows, shared, table
from .imagenet_plot import plot

ROUND, END, BATCH = 50_000, 500_000, 100
ENCODINGS = ("cppn", "direct")
OUTPUTS, PLOT = Path("outputs"), Path(__file__).resolve().parents[1] / "docs" / "imagenet.svg"
NAMED = re.compile(rf"imagenet-({'|'.join(ENCODINGS)})-\d+")
GROUPS = {
    "dogs, wild dogs, cats": range(151, 286),
    "other animals": (*range(151), *range(286, 398)),
    "all else": range(398, 1000),
}
"""classes, by index; of each are told: how many, their median, how many at 99 %"""
MARKS = (0.2159, 0.30, 0.8811, 0.99)
"""medians whose evaluations are told: the paper's two (direct, CPPN), and others"""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """One seed; skipped where the weights are not there. Runs that were told of before, and are not here, stay in the
    table; ``--seeds 0`` only tells of those that are here."""
    folder = shared()
    if folder is None:
        print("imagenet: skipped, no weights; set EVOFOOL_SHARED")
        return
    weights = folder / "weights" / "squeezenet1_1-imagenet.safetensors"
    wanted = range(1 if seeds is None else seeds)
    for evaluations, seed, encoding in product(range(ROUND, END + 1, ROUND), wanted, ENCODINGS):
        run = OUTPUTS / f"imagenet-{encoding}-{seed}"
        if not run.exists():
            evofool.evolve(
                "torchvision:squeezenet1_1", encoding, weights=weights, precision="float32", batch=BATCH, seed=seed,
                evaluations=evaluations, out=run,
            )  # fmt: skip
        elif not (done := RunFolder.open(run).metrics()) or done[-1]["evaluations"] < evaluations:
            evofool.resume(run, evaluations=evaluations)
        yield all_told()
    if not wanted:
        yield all_told()


def all_told() -> list[Row]:
    """The table, printed, and its plot, drawn anew."""
    rows = {str(row["run"]): row for row in kept_rows("imagenet")}
    for run in OUTPUTS.glob("imagenet-*-*"):
        if NAMED.fullmatch(run.name) and RunFolder.open(run).metrics():
            rows[run.name] = told(run, rows.get(run.name))
    listed = [rows[name] for name in sorted(rows)]
    table([{key: row.get(key) for key in max(listed, key=len) if key not in ("curve", "sorted")} for row in listed])
    PLOT.write_text(standalone(plot(listed)), encoding="utf-8")
    return listed


def told(run: Path, before: Row | None) -> Row:
    """What a run has reached so far, by groups of classes too; its curve, [evaluations, seconds, median, classes at
    99 %] of some generations; and every tenth of its classes, sorted: [place, confidence].

    Args:
        run: its folder.
        before: what was told of it before, with where it was made.
    """
    folder = RunFolder.open(run)
    metrics, config = folder.metrics(), folder.config
    last = metrics[-1]
    at = np.unique(np.linspace(0, len(metrics) - 1, 80).round().astype(int))
    on = before["on"] if before else f"{hardware()['cpu']}, {hardware()['threads']} threads"
    row: Row = {"run": run.name, "on": on, "torch": config["versions"]["torch"], "seed": config["seed"]}
    row["emitters"], row["batch"] = ",".join(config["emitters"]), config["batch"]
    for mark in MARKS:
        row[f"evaluations to {100 * mark:g} %"] = next((m["evaluations"] for m in metrics if m["median"] >= mark), None)
    for evaluations in (20_000, 50_000, 100_000):
        row[f"median at {evaluations:,}"] = next(
            (m["median"] for m in metrics if m["evaluations"] >= evaluations), None
        )
    confidence = np.zeros(len(config["niches"]))
    for elite in folder.elites():
        confidence[elite["niche"]] = elite["score"]
    for group, classes in GROUPS.items():
        own = confidence[list(classes)]
        row[group] = [len(own), round(float(np.median(own)), 4), int((own >= 0.99).sum())]
    places = [1, *range(10, len(confidence) + 1, 10)]
    return row | {
        "evaluations": last["evaluations"],
        "hours": round(last["seconds"] / 3600, 2),
        "images/s": round(last["evaluations"] / last["seconds"], 1),
        "median": last["median"],
        "classes >= 99 %": last["at_99"],
        "classes >= 90 %": int((confidence >= 0.9).sum()),
        "lowest": last["min"],
        "curve": [
            [metrics[i]["evaluations"], round(metrics[i]["seconds"], 1), metrics[i]["median"], metrics[i]["at_99"]]
            for i in at.tolist()
        ],
        "sorted": [[place, round(float(np.sort(confidence)[place - 1]), 4)] for place in places],
    }
