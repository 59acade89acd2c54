"""What an evolution costs beside its network's forward passes: utilisation, the renderer alone, and a peer."""

from __future__ import annotations

import copy
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import evofool
from evofool import encodings
from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions
from evofool.encodings.cppn.batch import ACTIVATION_NAMES, INPUTS, CPPNBatch
from evofool.encodings.cppn.coordinates import pixel_coordinates
from evofool.encodings.cppn.encoding import CPPN
from evofool.encodings.cppn.functions import ACTIVATIONS, COLOURS, to_bytes
from evofool.rng import Rng
from evofool.search.defaults import BATCH
from evofool.search.evolution import Evolution
from evofool.search.profiler import Profiler
from evofool.search.progress import Progress
from evofool.targets.execution import tuning
from evofool.targets.execution.devices import choose_device, choose_precision
from evofool.targets.execution.execution import FORMATS, Execution
from evofool.targets.execution.folding import fold, foldable
from evofool.targets.execution.process import SWITCH
from evofool.targets.torch_target import TorchTarget

from .common import Row, imagenet_weights, table
from .load import tiny_target

REPEATS = 5
SMALL_SECONDS, LARGE_SECONDS = 12.0, 60.0
"""of an evolution whose images are small, or large, without the passes in between; its first page takes some seconds"""
EVOLVED, RAW = 1.0, 0.5
"""seconds of evolution, and of forward passes after it, in turn: what a machine makes raw changes within seconds"""
TRIED, FINALISTS = 0.6, 3
"""seconds of forward passes in each way; those of the fastest of these are tried again, for longer"""
DEFAULT_SECONDS = 8.0
"""of a run as tuned, or with torch's defaults"""
RENDERED = 400
CHILDREN = {"cuda": 400}
"""a generation, where it is not the default"""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Medians of five: evolutions of each network in float32, in turn with forward passes; then the renderer, then a
    peer; then, where the hardware has it, the networks in bfloat16."""
    rows: list[Row] = []
    native = choose_precision("auto", choose_device("auto")) == "bfloat16"
    parts: list[Callable[[], list[Row]]] = [*_every("float32"), _renderer, _defaults, _peer]
    parts += _every("bfloat16") if native else []
    for part in parts:
        found = part()
        if found:
            table(found)
            rows = [*rows, *found]
            yield rows


# Utilisation


def _networks() -> list[tuple[str, Path | None]]:
    large = ["squeezenet1_1", *(["resnet50"] if torch.cuda.is_available() else [])]
    return [("mnist", None), ("cifar10", None), *((f"torchvision:{name}", imagenet_weights(name)) for name in large)]


def _every(precision: str) -> list[Callable[[], list[Row]]]:
    return [partial(_utilisation, *network, precision) for network in _networks()]


def _utilisation(name: str, weights: Path | None, precision: str) -> list[Row]:
    target = evofool.load_target(name, weights=weights, precision=precision)
    tuning.tune(target)
    genomes, seconds = ("cppn", "direct"), LARGE_SECONDS if target.image_shape[1] > 64 else SMALL_SECONDS
    fastest = _fastest(target)
    for encoding in genomes:  # compiles its loops, if nobody has
        evofool.evolve(target, encoding, generations=2)
    runs: dict[str, list[tuple[float, float, dict[str, float]]]] = {encoding: [] for encoding in genomes}
    passes = Passes(target, fastest)
    for _ in range(REPEATS):
        for encoding in genomes:
            runs[encoding].append(_evolve(target, encoding, seconds, passes))
    folding = {"folded, times as fast": _folding(target, fastest)}
    return [_told(f"evolve {name}, {encoding}", target, fastest, found) | folding for encoding, found in runs.items()]


def _told(what: str, target: TorchTarget, fastest: Execution, runs: list[tuple[float, float, dict[str, float]]]) -> Row:
    """The medians of some runs: images/s, those of the passes in between, and shares."""
    speeds, raw, shares = zip(*runs, strict=True)
    ratios = sorted(speed / between for speed, between in zip(speeds, raw, strict=True))
    return {
        "what": what,
        "precision": target.precision,
        "raw forward images/s": round(statistics.median(raw), 1),
        "its rows a pass": fastest.micro_batch,
        "folded, raw and evolve": f"{'yes' if fastest.fold else 'no'}, {'yes' if target.execution.fold else 'no'}",
        "evolve images/s": round(statistics.median(speeds), 1),
        "utilisation": round(statistics.median(ratios), 3),
        "utilisation, lowest": round(ratios[0], 3),
        "utilisation, highest": round(ratios[-1], 3),
        **{f"% {phase}": _percent(shares, phase) for phase in shares[0]},
    }


def _fastest(target: TorchTarget) -> Execution:
    """The way of forward passes that is fastest here."""
    tried = sorted(_candidates(target), key=lambda setting: -_rate([Passes(target, setting).run(TRIED)]))
    return max(tried[:FINALISTS], key=lambda setting: _rate([Passes(target, setting).run(3 * TRIED)]))


def _rate(turns: Sequence[tuple[float, int]]) -> float:
    """Images/s of all of them, each so many seconds and images."""
    seconds, images = (sum(each) for each in zip(*turns, strict=True))
    return images / seconds


def _folding(target: TorchTarget, fastest: Execution) -> float | str:
    """How much faster its passes are with batch normalisations folded, in turn; a dash where there are none."""
    if not foldable(target.network):
        return "–"
    folded, plain = (Passes(target, replace(fastest, fold=folds)) for folds in (True, False))
    ratios = [_rate([folded.run(TRIED)]) / _rate([plain.run(TRIED)]) for _ in range(REPEATS)]
    return round(statistics.median(ratios), 2)


def _percent(shares: Sequence[dict[str, float]], phase: str) -> float:
    return round(100 * statistics.median(share[phase] for share in shares), 1)


def _candidates(target: TorchTarget) -> list[Execution]:
    rows = [8, 16, 32, 50] if target.image_shape[1] > 64 else [16, 32, 50, 64, 128, 256, 512, 1024]
    if target.device.type == "cuda":
        rows = [64, 128, 256, CHILDREN["cuda"], 1024]
    folds = [False, True] if foldable(target.network) else [False]
    every = [Execution(target.precision, name, n, fold) for name in FORMATS for n in rows for fold in folds]
    return list(dict.fromkeys([*every, target.execution]))


class Passes:
    """Forward passes of the bare network, of the same floating-point images again and again."""

    def __init__(self, target: TorchTarget, setting: Execution) -> None:
        memory, self.device = FORMATS[setting.memory_format], target.device
        dtype = torch.bfloat16 if setting.precision == "bfloat16" else torch.float32
        network = fold(target.network, torch.rand(2, *target.image_shape).to(self.device)) if setting.fold else None
        network = copy.deepcopy(target.network) if network is None else network
        self.network = network.to(self.device, dtype, memory_format=memory)  # type: ignore[call-overload]
        self.images = torch.rand(setting.micro_batch, *target.image_shape).to(self.device, dtype, memory_format=memory)
        self.run(0.0)

    @torch.inference_mode()
    def run(self, seconds: float) -> tuple[float, int]:
        """At least one pass: seconds and images."""
        started, passes = time.perf_counter(), 0
        while not passes or time.perf_counter() - started < seconds:
            self.network(self.images)
            passes += 1
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started, passes * len(self.images)


class Turns:
    """Watches an evolution, and lets forward passes have their turn every second.

    What the evolution's writing thread works meanwhile is added to the evolution's time.
    """

    def __init__(self, passes: Passes, watch: Profiler) -> None:
        self.passes, self.watch = passes, watch
        watch.seconds["raw"] = 0.0
        self.evolved: list[tuple[float, int]] = []
        """seconds and images of each of its turns"""
        self.raw: list[tuple[float, int]] = []
        """the same of the passes'"""
        self._began, self._before = time.perf_counter(), 0

    def __call__(self, progress: Progress, _: object) -> None:
        took = time.perf_counter() - self._began
        if took < EVOLVED:
            return
        written = _writing()
        with self.watch.phase("raw"):
            self.raw.append(self.passes.run(RAW))
        self.evolved.append((took + _writing() - written, progress.evaluations - self._before))
        self._began, self._before = time.perf_counter(), progress.evaluations

    def speeds(self) -> tuple[float, float]:
        """Images/s of the evolution and of the passes, without the first quarter, which fills the archive."""
        first = len(self.raw) // 4
        return _rate(self.evolved[first:]), _rate(self.raw[first:])


def _writing() -> float:
    """Seconds of a processor that the thread which writes has worked so far; 0 where the system doesn't tell."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return 0.0
    writers = [thread.ident for thread in threading.enumerate() if thread.name == "evofool-writer"]
    return sum(time.clock_gettime(time.pthread_getcpuclockid(ident)) for ident in writers if ident)


def _evolve(
    target: TorchTarget, encoding: str, seconds: float, passes: Passes
) -> tuple[float, float, dict[str, float]]:
    """Images/s of a run with its folder and its live page, those of passes in turn with it, and the shares of its
    time."""
    with tempfile.TemporaryDirectory() as folder:
        turns = Turns(passes, watch := Profiler())
        evofool.evolve(
            target, encoding, minutes=seconds / 60, out=Path(folder) / "run", watch=watch, observer=turns,
            batch=CHILDREN.get(target.device.type),
        )  # fmt: skip
    shares = watch.shares()
    own = 1 - shares.pop("raw")
    return *turns.speeds(), {phase: share / own for phase, share in shares.items()}


# The renderer


def _renderer() -> list[Row]:
    """400 genomes of a long evolution at 224², in one batch and one after the other."""
    coded, genomes = _grown()
    coordinates = pixel_coordinates((224, 224), (224, 224), "unit", torch.device("cpu"))
    batched, single = [], []
    for _ in range(REPEATS):
        started = time.perf_counter()
        ours = coded.decode(genomes)
        batched.append(RENDERED / (time.perf_counter() - started))
        started = time.perf_counter()
        theirs = [one_genome(genomes, row, coordinates, "hsl").view(3, 224, 224) for row in range(40)]
        single.append(40 / (time.perf_counter() - started))
    apart = (ours[:40].int() - torch.stack(theirs).int()).abs()
    speed, reference = statistics.median(batched), statistics.median(single)
    return [
        {
            "what": f"renderer, {RENDERED} genomes at 224²",
            "nodes": round(float((genomes.activation >= 0).sum(1).mean()), 1),
            "connections": round(float(genomes.sizes().mean()), 1),
            "genomes/s": round(speed, 1),
            "million pixels/s": round(speed * 224**2 / 1e6, 1),
            "one by one, genomes/s": round(reference, 1),
            "times": round(speed / reference, 2),
            "values apart by more than 1": float((apart > 1).float().mean()),
        }
    ]


def _plain(batch: int) -> EvolveOptions:
    """Return the options of the original MAP-Elites: uniform parents, variation alone."""
    return EvolveOptions(batch=batch, selector="uniform", emitters=("vary",))


def _grown() -> tuple[CPPN, CPPNBatch]:
    """Children of the elites of 100,000 evaluations, of at least 20 nodes on average."""
    target = tiny_target(50)
    small = encodings.build("cppn", encodings.preset("cppn", "default"), target.image_shape, target.device)
    coded = encodings.build("cppn", encodings.preset("cppn", "default"), (3, 224, 224), "cpu")
    assert isinstance(coded, CPPN)
    evolution = Evolution(target, small, _plain(200))
    for _ in evolution.run(Budget(evaluations=100_000)):
        pass
    rng = Rng(0, torch.device("cpu"))
    genomes = coded.mutate(evolution.archive.genomes.take(rng.host.integers(50, size=RENDERED)), rng)
    while float((genomes.activation >= 0).sum(1).mean()) < 20:
        genomes = coded.mutate(genomes, rng)
    return coded, genomes


def one_genome(genomes: CPPNBatch, row: int, coordinates: Tensor, colour: str) -> Tensor:
    """The plain way: node after node of one genome, each a sum of tensors; (C, P) uint8."""
    values = dict(enumerate(coordinates))
    into: dict[int, list[tuple[int, float]]] = {}
    edges = zip(genomes.source[row].tolist(), genomes.sink[row].tolist(), genomes.weight[row].tolist(), strict=True)
    for source, sink, weight in edges:
        if source >= 0:
            into.setdefault(sink, []).append((source, weight))

    def value(node: int) -> Tensor:
        if node not in values:
            total = torch.zeros(coordinates.shape[1])
            for source, weight in into.get(node, []):
                total = total + weight * value(source)
            ACTIVATIONS[ACTIVATION_NAMES[genomes.activation[row, node]]](total, total)
            values[node] = total
        return values[node]

    outputs = torch.stack([value(len(INPUTS) + k) for k in range(3)])
    image = torch.empty((1, 3, coordinates.shape[1]), dtype=torch.uint8)
    to_bytes(COLOURS[colour](outputs[None]), image)
    return image[0]


# The default run with and without its settings


def _defaults() -> list[Row]:
    """A run as tuned beside the same with torch's own defaults: one pass a generation, contiguous, float32, and memory
    that goes back to the system; each in a process of its own, in turn."""
    return [row for name, weights in _networks() if name != "mnist" for row in _default(name, weights)]


def _default(name: str, weights: Path | None) -> list[Row]:
    speeds: dict[str, list[float]] = {"on": [], "off": []}
    for _ in range(REPEATS):
        for tuning_is, found in speeds.items():
            code = f"from benchmarks.speed import default_run; default_run({name!r}, {weights and str(weights)!r})"
            environment = {**os.environ, SWITCH: tuning_is}
            told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
            found.append(float(told.stdout))
    fast, slow = (statistics.median(found) for found in speeds.values())
    return [
        {
            "what": f"evolve {name}, cppn, {BATCH['default']} children",
            "tuned images/s": round(fast, 1),
            "torch's defaults images/s": round(slow, 1),
            "times": round(fast / slow, 2),
        }
    ]


def default_run(name: str, weights: str | None) -> None:
    """Print images/s of a run without a folder, tuned unless that is off."""
    target = evofool.load_target(name, weights=weights)
    if os.environ[SWITCH] == "off":
        target.apply(Execution("float32", "contiguous", 1_000_000))
    else:
        tuning.tune(target)
    coded = encodings.build("cppn", encodings.preset("cppn", "default"), target.image_shape, target.device)
    evolution = Evolution(target, coded, _plain(BATCH["default"]))
    evolution.step()  # compiles, and fills the archive
    started, before = time.perf_counter(), evolution.search.evaluations
    while time.perf_counter() - started < DEFAULT_SECONDS:
        evolution.step()
    print((evolution.search.evaluations - before) / (time.perf_counter() - started))


# A peer

PEER_EVALUATIONS, SURE = 150_000, 0.9999
PEER_TURN = 100
"""generations of one loop, then of the other"""


def _peer() -> list[Row]:
    """pyribs' tutorial loop (GridArchive by arg max, one Gaussian emitter of σ = 0.5, 30 children) on our LeNet, in
    turn with ours."""
    if subprocess.run([sys.executable, "-c", "import ribs"], capture_output=True).returncode:
        print("speed: no pyribs; install evofool[bench]")
        return []
    target = evofool.load_target("mnist", precision="float32")
    loops = {"pyribs' tutorial, direct MNIST": _pyribs(target), "evofool, direct MNIST": _ours(target)}
    took, told = dict.fromkeys(loops, 0.0), dict[str, Row]()
    while len(told) < len(loops):
        for name, loop in loops.items():
            started = time.perf_counter()
            try:
                next(loop)
            except StopIteration as ended:
                told[name] = ended.value
            took[name] += time.perf_counter() - started
    return [
        {"what": name, "evaluations/s": round(PEER_EVALUATIONS / took[name], 1), **row} for name, row in told.items()
    ]


def _pyribs(target: TorchTarget) -> Generator[None, None, Row]:
    from ribs.archives import GridArchive
    from ribs.emitters import GaussianEmitter
    from ribs.schedulers import Scheduler

    archive = GridArchive(solution_dim=784, dims=[10], ranges=[(0, 10)], seed=0)
    emitter = GaussianEmitter(
        archive, sigma=0.5, x0=np.full(784, 0.5), lower_bounds=np.zeros(784), upper_bounds=np.ones(784),
        batch_size=30, seed=0,
    )  # fmt: skip
    scheduler, network = Scheduler(archive, [emitter]), target.network
    mean, std = 0.1307, 0.3081
    sure_at: int | str = f"> {PEER_EVALUATIONS:,}"
    for number in range(1, PEER_EVALUATIONS // 30 + 1):
        solutions = scheduler.ask()
        with torch.no_grad():
            images = torch.tensor((solutions.reshape(-1, 1, 28, 28) - mean) / std, dtype=torch.float32)
            scores, predicted = torch.max(network(images.to(target.device)).cpu().softmax(1), 1)
        scheduler.tell(scores.numpy(), predicted.numpy()[:, None])
        if isinstance(sure_at, str) and number % 10 == 0 and _median(archive) >= SURE:
            sure_at = 30 * number
        if number % PEER_TURN == 0:
            yield
    return {
        f"median after {PEER_EVALUATIONS:,}": _median(archive),
        "digits found": len(archive.data("objective")),
        "evaluations to a median of 99.99 %": sure_at,
    }


def _median(archive: object) -> float:
    """Over ten digits, those not found counting as 0."""
    found = np.asarray(archive.data("objective"))  # type: ignore[attr-defined]
    return float(np.median(np.concatenate([found, np.zeros(10 - len(found))])))


def _ours(target: TorchTarget) -> Generator[None, None, Row]:
    """The same number of children, the same network; every child counts for every digit."""
    coded = encodings.build("direct", encodings.preset("direct", "default"), target.image_shape, target.device)
    evolution = Evolution(target, coded, _plain(30))
    sure_at: int | str = f"> {PEER_EVALUATIONS:,}"
    for progress in evolution.run(Budget(evaluations=PEER_EVALUATIONS)):
        if isinstance(sure_at, str) and progress.median >= SURE:
            sure_at = progress.evaluations
        if progress.generation % PEER_TURN == 0:
            yield
    return {
        f"median after {PEER_EVALUATIONS:,}": progress.median,
        "digits found": 10,
        "evaluations to a median of 99.99 %": sure_at,
    }
