"""Utilisation: an evolution's images per second as a share of those of bare forward passes, in turn with it."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import evofool
from evofool.jobs.run import RunStep
from evofool.search.profiler import Profiler
from evofool.targets.execution.execution import Execution
from evofool.targets.execution.tuning import tune
from evofool.targets.torch_target import TorchTarget

from .common import Row
from .passes import GPU_BATCH, REPEATS, Clock, Passes, Turn, fastest_execution, joining_gain, rate

SMALL_SECONDS, LARGE_SECONDS = 12.0, 60.0
"""Seconds of an evolution of small and of large images, without the passes in between."""

EVOLUTION_TURN, PASSES_TURN = 1.0, 0.5
"""Seconds of evolution, and of forward passes after it: the speed of a machine changes within seconds."""

Run = tuple[float, float, dict[str, float]]
"""Images per second of an evolution and of the passes in turn with it, and the shares of its phases."""


def utilisation(name: str, weights: Path | None, precision: str) -> list[Row]:
    """Return a row per encoding for a network, from ``REPEATS`` runs of each in turn."""
    target = evofool.load_target(name, weights=weights, precision=precision)
    assert isinstance(target, TorchTarget)
    tune(target)
    encodings, seconds = ("cppn", "direct"), LARGE_SECONDS if target.image_shape[1] > 64 else SMALL_SECONDS
    execution = fastest_execution(target)
    for encoding in encodings:  # compiles its loops, if nobody has
        evofool.evolve(target, encoding, generations=2)
    runs: dict[str, list[Run]] = {encoding: [] for encoding in encodings}
    passes = Passes(target, execution)
    for _ in range(REPEATS):
        for encoding in encodings:
            runs[encoding].append(_evolve(target, encoding, seconds, passes))
    gain = {"joined, times as fast": joining_gain(target, target.execution)}
    return [_row(f"evolve {name}, {encoding}", target, execution, runs[encoding]) | gain for encoding in encodings]


class Turns:
    """An observer of an evolution that gives forward passes a turn every second.

    What the run's writing thread works meanwhile is added to the evolution's time.

    Args:
        passes: The passes.
        profiler: The evolution's profiler.
        clock: What the evolution's time is taken with.

    Attributes:
        evolution: The evolution's turns.
        raw: The passes' turns.
    """

    def __init__(self, passes: Passes, profiler: Profiler, clock: Clock = time.perf_counter) -> None:
        self.passes, self.profiler, self.clock = passes, profiler, clock
        profiler.seconds["raw"] = 0.0
        self.evolution: list[Turn] = []
        self.raw: list[Turn] = []
        self._began, self._evaluations = clock(), 0

    def __call__(self, step: RunStep) -> None:
        took, evaluations = self.clock() - self._began, step.progress.evaluations
        if took < EVOLUTION_TURN:
            return
        written = _writing_seconds()
        with self.profiler.phase("raw"):
            self.raw.append(self.passes.run(PASSES_TURN))
        self.evolution.append((took + _writing_seconds() - written, evaluations - self._evaluations))
        self._began, self._evaluations = self.clock(), evaluations

    def end(self, evaluations: int) -> None:
        """Take what came after the last turn, to the end of a run of so many evaluations."""
        self.evolution.append((self.clock() - self._began, evaluations - self._evaluations))

    def rates(self, *, filled: bool = True) -> tuple[float, float]:
        """Return images per second of evolution and passes; without the first quarter, which fills the archive."""
        first = len(self.raw) // 4 if filled else 0
        return rate(self.evolution[first:]), rate(self.raw[first:])


def _evolve(target: TorchTarget, encoding: str, seconds: float, passes: Passes) -> Run:
    """Evolve with a folder and a live page, in turn with passes."""
    turns = Turns(passes, profiler := Profiler())
    with tempfile.TemporaryDirectory() as folder:
        evofool.evolve(
            target, encoding, minutes=seconds / 60, out=Path(folder) / "run", profiler=profiler, observer=turns,
            batch=GPU_BATCH if target.device.type == "cuda" else None,
        )  # fmt: skip
    shares = profiler.shares()
    evolution = 1 - shares.pop("raw")
    return *turns.rates(), {phase: share / evolution for phase, share in shares.items()}


def _row(what: str, target: TorchTarget, execution: Execution, runs: Sequence[Run]) -> Row:
    """Return the medians of some runs."""
    speeds, raw, shares = zip(*runs, strict=True)
    ratios = sorted(speed / between for speed, between in zip(speeds, raw, strict=True))
    return {
        "what": what,
        "precision": target.precision,
        "raw forward images/s": round(statistics.median(raw), 1),
        "its rows a pass": execution.micro_batch,
        "raw folded, evolve joined": f"{'yes' if execution.fold else 'no'}, {'yes' if target.execution.fold else 'no'}",
        "evolve images/s": round(statistics.median(speeds), 1),
        "utilisation": round(statistics.median(ratios), 3),
        "utilisation, lowest": round(ratios[0], 3),
        "utilisation, highest": round(ratios[-1], 3),
        **{f"% {phase}": round(100 * statistics.median(s[phase] for s in shares), 1) for phase in shares[0]},
    }


def _writing_seconds() -> float:
    """Return the processor time of the thread that writes, in seconds; 0 where the system doesn't say."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return 0.0
    writers = [thread.ident for thread in threading.enumerate() if thread.name == "evofool-writer"]
    return sum(time.clock_gettime(time.pthread_getcpuclockid(ident)) for ident in writers if ident)
