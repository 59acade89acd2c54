"""All 1,000 ImageNet classes on SqueezeNet 1.1: how the median grows with evaluations and time, both encodings.

``python -m benchmarks imagenet`` makes a run of each in float32, ``outputs/imagenet-cppn-0`` and ``-direct-0`` (with
``--seeds 3`` three), in rounds of 50,000 evaluations up to 500,000. They begin with random genomes, as the paper's runs
did. The next call goes on where the last one was stopped. It takes hours on two cores.
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

from .common import Row, hardware, recorded_rows, shared, table
from .imagenet_plot import plot

ROUND, END, BATCH = 50_000, 500_000, 100
"""Evaluations of a round and of a whole run, and children per generation."""

ENCODINGS = ("cppn", "direct")
OUTPUTS, PLOT = Path("outputs"), Path(__file__).resolve().parents[1] / "docs" / "imagenet.svg"
NAMED = re.compile(rf"imagenet-({'|'.join(ENCODINGS)})-\d+")
GROUPS = {
    "dogs, wild dogs, cats": range(151, 286),
    "other animals": (*range(151), *range(286, 398)),
    "all else": range(398, 1000),
}
"""Groups of class indices. A row has the number of each, its median, and how many are at 99 %."""

MARKS = (0.2159, 0.30, 0.8811, 0.99)
"""Medians whose evaluations a row has: the paper's two (direct, CPPN), and others."""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Evolve with one seed, where the weights are there.

    Runs of earlier calls that are not here any more stay in the table. ``--seeds 0`` only measures runs that are here.
    """
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
                init="random", evaluations=evaluations, out=run,
            )  # fmt: skip
        elif not (done := RunFolder.open(run).metrics()) or done[-1]["evaluations"] < evaluations:
            evofool.resume(run, evaluations=evaluations)
        yield all_rows()
    if not wanted:
        yield all_rows()


def all_rows() -> list[Row]:
    """Return the rows of all runs, and print the table and draw the plot anew."""
    rows = {str(row["run"]): row for row in recorded_rows("imagenet")}
    for run in OUTPUTS.glob("imagenet-*-*"):
        if NAMED.fullmatch(run.name) and RunFolder.open(run).metrics():
            rows[run.name] = run_row(run, rows.get(run.name))
    listed = [rows[name] for name in sorted(rows)]
    table([{key: row.get(key) for key in max(listed, key=len) if key not in ("curve", "sorted")} for row in listed])
    PLOT.write_text(standalone(plot(listed)), encoding="utf-8")
    return listed


def run_row(run: Path, before: Row | None) -> Row:
    """Return what a run has reached so far, by groups of classes too.

    Its ``curve`` is [evaluations, seconds, median, classes at 99 %] of some generations, and ``sorted`` is
    [rank, confidence] of every tenth class.

    Args:
        run: The run's folder.
        before: Its row of an earlier call, which says where it was made.
    """
    folder = RunFolder.open(run)
    metrics, config = folder.metrics(), folder.config
    last = metrics[-1]
    moments = np.unique(np.linspace(0, len(metrics) - 1, 80).round().astype(int))
    on = before["on"] if before else f"{hardware()['cpu']}, {hardware()['threads']} threads"
    row: Row = {"run": run.name, "on": on, "torch": config.versions["torch"], "seed": config.options.seed}
    row["emitters"], row["batch"] = ",".join(config.options.emitters or ()), config.options.batch
    for mark in MARKS:
        row[f"evaluations to {100 * mark:g} %"] = next((m["evaluations"] for m in metrics if m["median"] >= mark), None)
    for evaluations in (20_000, 50_000, 100_000):
        row[f"median at {evaluations:,}"] = next(
            (m["median"] for m in metrics if m["evaluations"] >= evaluations), None
        )
    confidence = np.zeros(len(config.class_indices))
    for elite in folder.elites():
        confidence[elite["niche"]] = elite["score"]
    for group, classes in GROUPS.items():
        of_group = confidence[list(classes)]
        row[group] = [len(of_group), round(float(np.median(of_group)), 4), int((of_group >= 0.99).sum())]
    ranks = [1, *range(10, len(confidence) + 1, 10)]
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
            for i in moments.tolist()
        ],
        "sorted": [[rank, round(float(np.sort(confidence)[rank - 1]), 4)] for rank in ranks],
    }
