"""ONNX files beside torch, and a server that is kept busy."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

import evofool
from evofool.config.model import ModelOptions
from evofool.jobs.run import RunStep
from evofool.targets import registry
from evofool.targets.execution.tuning import tune
from evofool.targets.torch_target import TorchTarget

from .common import Row, imagenet_weights, table
from .passes import Passes, rate
from .slow_server import AT_ONCE

TURNS, TURN_SECONDS = 3, 4.0
"""Turns of everything that is compared, and seconds of each."""

SERVER_SECONDS = 10.0
"""Seconds of an evolution on the server."""

Speed = Callable[[float], float]
"""Runs for some seconds; returns images per second."""


def measure(seeds: int | None = None) -> list[Row]:
    """Measure ONNX files against torch, then how busy a server is kept."""
    rows = [onnx_row("cifar10", None), onnx_row("torchvision:squeezenet1_1", imagenet_weights("squeezenet1_1"))]
    table(rows)
    served = [
        server_row(encoding, images, ahead=ahead)
        for encoding in ("direct", "cppn")
        for images in (1, 4, 16)
        for ahead in (False, True)
    ]
    table(served)
    return rows + served


def onnx_row(name: str, weights: Path | None) -> Row:
    """Compare a network's ONNX file with torch's best setting, and an evolution of it with the bare session."""
    target = evofool.load_target(name, weights=weights)
    exact = evofool.load_target(name, weights=weights, precision="float32")
    assert isinstance(target, TorchTarget)
    assert isinstance(exact, TorchTarget)
    tune(target)
    tune(exact)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        export(exact, file)
        options: dict[str, Any] = {"mean": list(exact.mean), "std": list(exact.std)}
        loaded = registry.load(str(file), model=ModelOptions.of(options))
        tune(loaded.target)
        session = bare_session(file, loaded.target.image_shape, loaded.target.micro_batch)
        turns: dict[str, Speed] = {
            "torch": lambda seconds: rate([Passes(target, target.execution).run(seconds)]),
            "torch float32": lambda seconds: rate([Passes(exact, exact.execution).run(seconds)]),
            "ONNX": session,
            "evolve": lambda seconds: evolving(loaded.target, seconds),
        }
        figures: dict[str, list[float]] = {kind: [] for kind in turns}
        for _ in range(TURNS):
            for kind, turn in turns.items():
                figures[kind].append(turn(TURN_SECONDS))
    ratios = {
        "ONNX / torch": _ratio(figures["ONNX"], figures["torch"]),
        "ONNX / torch float32": _ratio(figures["ONNX"], figures["torch float32"]),
        "evolve / bare session": _ratio(figures["evolve"], figures["ONNX"]),
    }
    speeds = {f"{kind}, images/s": round(statistics.median(values)) for kind, values in figures.items()}
    return {"network": name, "rows a pass": loaded.target.micro_batch, **speeds, **ratios}


def export(target: TorchTarget, file: Path) -> None:
    """Write a network to an ONNX file with a free batch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            target.network, (torch.rand(2, *target.image_shape),), str(file), dynamo=False,
            input_names=["image"], dynamic_axes={"image": {0: "n"}},
        )  # fmt: skip


def bare_session(file: Path, image_shape: tuple[int, int, int], rows: int) -> Speed:
    """Return runs of a file in onnxruntime alone, at the fastest number of rows."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def run(rows: int, seconds: float) -> float:
        images = np.random.default_rng(0).random((rows, *image_shape), np.float32)
        started, done = time.perf_counter(), 0
        while not done or time.perf_counter() - started < seconds:
            session.run(None, {"image": images})
            done += rows
        return done / (time.perf_counter() - started)

    best = max((8, 16, 32, 64, 128, 256), key=lambda count: run(count, 1.0))
    print(f"{file.name}: the bare session is fastest with {best} rows; evofool gives {rows}", flush=True)
    return lambda seconds: run(best, seconds)


def evolving(target: evofool.Target, seconds: float) -> float:
    """Return the images per second of an evolution."""
    result = evofool.evolve(target, "direct", minutes=seconds / 60, seed=0)
    return (result.evaluations + result.confirmations) / result.seconds


@contextmanager
def serving() -> Iterator[str]:
    """Give the URL of a slow server in a process of its own."""
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.slow_server"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


def server_row(encoding: str, images: int, *, ahead: bool) -> Row:
    """Measure how busy an evolution keeps a server that takes ``AT_ONCE`` requests of some images at once."""
    with serving() as url, tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"concurrency": AT_ONCE, "request_images": images, "ahead": ahead}
        model = f"{url}/v2/models/x"
        evofool.evolve(model, encoding, generations=2, **options)
        turn = Turn(url)
        evofool.evolve(
            model, encoding, minutes=SERVER_SECONDS / 60, out=Path(folder) / "run", observer=turn.see, seed=1, **options
        )
    return {"encoding": encoding, "ahead": ahead, "images a request": images, **turn.figures()}


class Turn:
    """Counts what a server does between an evolution's first generation and its last."""

    def __init__(self, url: str) -> None:
        self._url, self._seen = url, list[tuple[float, float, int]]()

    def see(self, step: RunStep) -> None:
        """Note the time, the server's seconds and the images so far."""
        with urllib.request.urlopen(f"{self._url}/busy") as answer:
            seconds = json.loads(answer.read())["seconds"]
        self._seen.append((time.monotonic(), seconds, step.progress.evaluations))

    def figures(self) -> Row:
        """Return images per second, and the share of the possible seconds that the server was busy."""
        (began, before, first), (ended, after, last) = self._seen[1], self._seen[-1]
        return {
            "images/s": round((last - first) / (ended - began)),
            "busy": round((after - before) / (AT_ONCE * (ended - began)), 3),
        }


def _ratio(over: list[float], under: list[float]) -> float:
    """Return the median of the turns' ratios."""
    return round(statistics.median(a / b for a, b in zip(over, under, strict=True)), 3)
