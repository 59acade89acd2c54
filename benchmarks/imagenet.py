"""All 1,000 ImageNet classes on SqueezeNet 1.1: how the median grows with evaluations and with time, both encodings.

``python -m benchmarks imagenet`` makes a run of each in float32, ``outputs/imagenet-cppn-0`` and ``-direct-0`` (with
``--seeds 3`` three), in rounds of 50,000 evaluations up to 500,000; CPPNs' weights are refined from 100,000 on.
The next call goes on where the last one was stopped. Hours on two cores.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import evofool
from evofool.gallery.svg import TONES, figure, line, linear, path, round_ticks, standalone, text
from evofool.run import RunFolder

from .common import Row, hardware, kept_rows, shared, table

ROUND, END, BATCH = 50_000, 500_000, 100
EMITTERS = {"cppn": "vary,refine@100000", "direct": "vary"}
OUTPUTS, PLOT = Path("outputs"), Path(__file__).resolve().parents[1] / "docs" / "imagenet.svg"
NAMED = re.compile(rf"imagenet-({'|'.join(EMITTERS)})-\d+")
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
    for evaluations, seed, encoding in product(range(ROUND, END + 1, ROUND), wanted, EMITTERS):
        run = OUTPUTS / f"imagenet-{encoding}-{seed}"
        if not run.exists():
            evofool.evolve(
                "torchvision:squeezenet1_1", encoding, weights=weights, precision="float32", batch=BATCH, seed=seed,
                evaluations=evaluations, out=run, emitters=EMITTERS[encoding],
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
    table([{key: value for key, value in row.items() if key != "curve"} for row in listed])
    PLOT.write_text(standalone(plot(listed)), encoding="utf-8")
    return listed


def told(run: Path, before: Row | None) -> Row:
    """What a run has reached so far, and its curve: [evaluations, seconds, median] of some generations.

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
    row["emitters"] = ",".join(config["emitters"])
    for mark in MARKS:
        row[f"evaluations to {100 * mark:g} %"] = next((m["evaluations"] for m in metrics if m["median"] >= mark), None)
    for evaluations in (20_000, 50_000, 100_000):
        row[f"median at {evaluations:,}"] = next(
            (m["median"] for m in metrics if m["evaluations"] >= evaluations), None
        )
    return row | {
        "evaluations": last["evaluations"],
        "hours": round(last["seconds"] / 3600, 2),
        "images/s": round(last["evaluations"] / last["seconds"], 1),
        "median": last["median"],
        "classes >= 99 %": last["at_99"],
        "classes >= 90 %": sum(elite["score"] >= 0.9 for elite in folder.elites()),
        "lowest": last["min"],
        "curve": [[metrics[i]["evaluations"], round(metrics[i]["seconds"], 1), metrics[i]["median"]] for i in at],
    }


def plot(rows: list[Row]) -> str:
    """Two panels: the median against evaluations, and against wall time; the paper's two figures as dashes."""
    wide, high, left, top = 330.0, 240.0, 56.0, 34.0
    body: list[str] = []
    curves: dict[str, list[Any]] = {str(row["run"]): _list(row["curve"]) for row in rows}
    for panel, (axis, column, scale) in enumerate((("evaluations", 0, 1.0), ("minutes", 1, 60.0))):
        x0, every = left + panel * (wide + 100), [point[column] / scale for curve in curves.values() for point in curve]
        ticks = round_ticks(max(every))
        x, y = linear(0, ticks[-1], x0, x0 + wide), linear(0, 1, top + high, top)
        for share in (0, 0.25, 0.5, 0.75, 1):
            body += [line(x0, y(share), x0 + wide, y(share), "grid")]
            body += [text(x0 - 8, y(share) + 4, f"{100 * share:g} %", anchor="end", kind="faint")]
        for tick in ticks:
            body.append(text(x(tick), top + high + 18, f"{tick:,}", anchor="middle", kind="faint"))
        body.append(text(x0 + wide / 2, top + high + 38, axis, anchor="middle"))
        body.append(text(x0, top - 14, "median confidence over 1,000 classes", kind="faint"))
        if not panel:
            for share, words in ((0.8811, "paper, CPPN, 2,000,000"), (0.2159, "paper, direct, 4,000,000")):
                body += [path([(x0, y(share)), (x0 + wide, y(share))], "line z dash")]
                body += [text(x0 + 4, y(share) - 5, words, kind="faint")]
        words_at = 0.0
        for name, curve in sorted(curves.items(), key=lambda item: -item[1][-1][2]):
            tone = TONES[list(curves).index(name) % len(TONES)]
            label = name.removeprefix("imagenet-").replace("-", ", seed ")
            points = [(x(point[column] / scale), y(point[2])) for point in curve]
            body.append(path(points, f"line {tone}"))
            words_at = max(points[-1][1] + 4, words_at + 16)
            body.append(text(points[-1][0] + 6, words_at, label, kind=f"label {tone}"))
    return figure(left + 2 * wide + 100 + 60, top + high + 52, body, "Median confidence against evaluations and time")


def _list(value: object) -> list[Any]:
    assert isinstance(value, list)
    return value
