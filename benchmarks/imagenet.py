"""All 1,000 ImageNet classes on SqueezeNet 1.1: how the median grows with evaluations and with time, both encodings.

``python -m benchmarks imagenet`` makes two runs with the defaults, ``outputs/imagenet-cppn`` and ``-direct``, in rounds
of 50,000 evaluations up to 500,000, and ``-cppn-refined``, which begins with the elites of the first after 300,000
and refines their weights too; the next call goes on where the last one was stopped. Hours on two cores.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import evofool
from evofool.gallery.svg import TONES, figure, line, linear, path, round_ticks, standalone, text
from evofool.run import RunFolder

from .common import Row, shared, table

ROUND, REFINED, END, BATCH = 50_000, 300_000, 500_000, 100
OUTPUTS, PLOT = Path("outputs"), Path(__file__).resolve().parents[1] / "docs" / "imagenet.svg"
RUNS = {"cppn": 0, "direct": 0, "cppn-refined": REFINED}
"""and the evaluations that were made before they begin"""
MARKS = (0.2159, 0.30, 0.8811, 0.99)
"""medians whose evaluations are told: the paper's two (direct, CPPN), and others"""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """One seed; skipped where the weights are not there."""
    folder = shared()
    if folder is None:
        print("imagenet: skipped, no weights; set EVOFOOL_SHARED")
        return
    weights = folder / "weights" / "squeezenet1_1-imagenet.safetensors"
    for end in range(ROUND, END + 1, ROUND):
        for name, since in RUNS.items():
            run, budget = OUTPUTS / f"imagenet-{name}", end - since
            if budget <= 0:
                continue
            if not run.exists():
                evofool.evolve(
                    "torchvision:squeezenet1_1", name.partition("-")[0], weights=weights, batch=BATCH,
                    evaluations=budget, out=run, init=OUTPUTS / "imagenet-cppn" if since else None,
                    emitters="vary,refine" if since else "vary",
                )  # fmt: skip
            elif not (done := RunFolder.open(run).metrics()) or done[-1]["evaluations"] < budget:
                evofool.resume(run, evaluations=budget)
            rows = [told(name) for name in RUNS if (OUTPUTS / f"imagenet-{name}").exists()]
            table([{key: value for key, value in row.items() if key != "curve"} for row in rows])
            PLOT.write_text(standalone(plot(rows)), encoding="utf-8")
            yield rows


def told(name: str) -> Row:
    """What a run has reached so far, and its curve: [evaluations, seconds, median] of some generations. Evaluations and
    seconds are those before it, too."""
    folder, since = RunFolder.open(OUTPUTS / f"imagenet-{name}"), RUNS[name]
    metrics = folder.metrics()
    if since:
        before = [m for m in RunFolder.open(OUTPUTS / "imagenet-cppn").metrics() if m["evaluations"] <= since][-1]
        for m in metrics:
            m["evaluations"] += before["evaluations"]
            m["seconds"] += before["seconds"]
    last = metrics[-1]
    at = np.unique(np.linspace(0, len(metrics) - 1, 80).round().astype(int))
    row: Row = {"run": name, "encoding": folder.config["encoding"], "seed": folder.config["seed"]}
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
            tone = TONES[list(curves).index(name)]
            points = [(x(point[column] / scale), y(point[2])) for point in curve]
            body.append(path(points, f"line {tone}"))
            words_at = max(points[-1][1] + 4, words_at + 16)
            body.append(text(points[-1][0] + 6, words_at, name, kind=f"label {tone}"))
    return figure(left + 2 * wide + 100 + 60, top + high + 52, body, "Median confidence against evaluations and time")


def _list(value: object) -> list[Any]:
    assert isinstance(value, list)
    return value
