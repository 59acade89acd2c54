"""How the cost of a generation grows: with the batch, the image, the genomes and the classes.

The network is a pooling and a linear layer, so that the time is evofool's own. One thing is varied at a time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import evofool
from evofool import encodings
from evofool.encodings.cppn.batch import INPUTS, CPPNBatch
from evofool.encodings.cppn.encoding import CPPN
from evofool.gallery.prints.svg import TONES, figure, line, logarithmic, path, standalone, text
from evofool.kernels import graph
from evofool.kernels.constants import ATTEMPTS
from evofool.rng import Rng
from evofool.search.evolution import Evolution

from .common import Row, plain_options, table

BATCH, EDGE, CLASSES = 100, 64, 10
"""Children per generation, edge of the image in pixels, and classes, where they are not varied."""

GENERATIONS, WARM_UP = 7, 2
"""Generations that are measured, and those before that are not."""

SWEEPS: dict[str, list[int]] = {
    "batch": [100, 200, 400, 800, 1600, 3200, 6400],
    "edge": [32, 64, 128, 256, 512],
    "connections": [16, 32, 64, 128, 250],
    "classes": [10, 100, 1000, 10_000],
}
AXES = {
    "batch": "children a generation",
    "edge": "edge of the image, pixels",
    "connections": "connections of a genome",
    "classes": "classes",
}
PLOT = Path(__file__).parent.parent / "docs" / "growth.svg"


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure medians of seven generations and the power of each sweep's largest three; draw ``docs/growth.svg``."""
    rows: list[Row] = []
    for name, values in SWEEPS.items():
        for encoding in ("cppn", "direct") if name != "connections" else ("cppn",):
            seconds = [_seconds(encoding, **{name: value}) for value in values]
            # For an edge, linear means linear in the image's pixels.
            amounts = np.array(values, float) ** (2 if name == "edge" else 1)
            slope, _ = np.polyfit(np.log(amounts[-3:]), np.log(seconds[-3:]), 1)
            rows.append(
                {
                    "varied": name,
                    "encoding": encoding,
                    "values": values,
                    "ms a generation": [round(1000 * median, 2) for median in seconds],
                    "power of the last three": round(float(slope), 2),
                }
            )
        table([row for row in rows if row["varied"] == name])
        yield rows
    PLOT.write_text(standalone(plot(rows)), encoding="utf-8")


def _seconds(
    encoding: str, batch: int = BATCH, edge: int = EDGE, classes: int = CLASSES, connections: int = 0
) -> float:
    """Return the median seconds of a generation."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, classes))
    target = evofool.Target(
        network, classes=[f"class {k}" for k in range(classes)], image_shape=(3, edge, edge), mean=0.5, std=0.25,
        name="pooled", device="cpu",
    )  # fmt: skip
    settings: dict[str, Any] = encodings.preset(encoding, "default")
    if connections:
        still = dict.fromkeys(("add_connection", "delete_connection", "add_node", "delete_node"), 0.0)
        settings = {**settings, **still}
    built = encodings.build(encoding, settings, target.image_shape, target.device)
    first = _grown(built, batch, connections) if isinstance(built, CPPN) and connections else None
    evolution = Evolution(target, built, plain_options(batch), initial=first)
    evolution.step()
    took = []
    for _ in range(GENERATIONS + WARM_UP):
        started = time.perf_counter()
        evolution.step()
        took.append(time.perf_counter() - started)
    return statistics.median(took[WARM_UP:])


def _grown(encoding: CPPN, count: int, connections: int) -> CPPNBatch:
    """Return genomes with so many connections each, made by splitting connections and adding others."""
    rng, stream = Rng(0), np.zeros(1, np.uint64)
    genomes = encoding.random(count, rng)
    while (small := np.flatnonzero(genomes.sizes() < connections)).size:
        before = genomes.sizes().sum()
        for g in small[genomes.sizes()[small] < connections - 3]:
            graph.add_node(genomes.graphs(), g, 0, stream)
        for _ in range(2):
            for g in np.flatnonzero(genomes.sizes() < connections):
                weight = rng.host.normal(0, 4)
                graph.add_connection(genomes.graphs(), g, weight, ATTEMPTS, len(INPUTS), stream)
        if genomes.sizes().sum() == before:
            break
    return genomes


def plot(rows: list[Row]) -> str:
    """Draw four panels with logarithmic axes: the time of a generation against what is varied; dashed is linear."""
    wide, high, left, top = 300.0, 220.0, 56.0, 24.0
    body: list[str] = []
    for index, name in enumerate(SWEEPS):
        x0, y0 = left + (index % 2) * (wide + 84), top + (index // 2) * (high + 74)
        swept = [row for row in rows if row["varied"] == name]
        values = SWEEPS[name]
        every = [ms for row in swept for ms in _numbers(row["ms a generation"])]
        low, top_value = 10 ** np.floor(np.log10(min(every))), 10 ** np.ceil(np.log10(max(every)))
        x, y = logarithmic(values[0], values[-1], x0, x0 + wide), logarithmic(low, top_value, y0 + high, y0)
        tick = low
        while tick <= top_value * 1.001:
            body += [line(x0, y(tick), x0 + wide, y(tick), "grid")]
            body += [text(x0 - 8, y(tick) + 4, f"{tick:g}", anchor="end", kind="faint")]
            tick *= 10
        body += [
            text(x(value), y0 + high + 18, f"{value:,}", anchor="middle", kind="faint")
            for value in values[:: 1 if len(values) < 6 else 2]
        ]
        body.append(text(x0 + wide / 2, y0 + high + 38, AXES[name], anchor="middle"))
        body.append(text(x0 - 42, y0 - 10, "ms a generation", kind="faint"))
        ends = sorted(swept, key=lambda row: -_numbers(row["ms a generation"])[-1])
        highest = y(_numbers(ends[0]["ms a generation"])[-1])
        for position, row in enumerate(ends):
            tone, times = TONES[row["encoding"] != "cppn"], _numbers(row["ms a generation"])
            body.append(path([(x(v), y(ms)) for v, ms in zip(values, times, strict=True)], f"line {tone}"))
            drop = times[-1] / (values[-1] / values[-2]) ** (2 if name == "edge" else 1)
            body.append(path([(x(values[-2]), y(max(low, drop))), (x(values[-1]), y(times[-1]))], "line z dash"))
            label_y = max(y(times[-1]), highest + 16 * position) + 4
            body.append(text(x0 + wide + 6, label_y, str(row["encoding"]), kind=f"label {tone}"))
    return figure(left + 2 * wide + 84 + 60, top + 2 * high + 74 + 52, body, "Time of a generation against four sizes")


def _numbers(values: object) -> list[float]:
    assert isinstance(values, list)
    return values
