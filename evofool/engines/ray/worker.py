"""A worker: an actor that holds the targets and does what it is sent. What is heavy is imported when it begins."""

from __future__ import annotations

import os
import pickle
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import EvofoolError

if TYPE_CHECKING:
    from ..base import Place, WorkerFacts
    from .luggage import Luggage


@dataclass(frozen=True)
class Answer:
    """What came of a piece of work.

    Attributes:
        value: What it returned.
        seconds: How long it took.
    """

    value: Any
    seconds: float


@dataclass(frozen=True)
class Refusal:
    """An error that a piece of work ended with, as it was raised on purpose."""

    error: EvofoolError


class Worker:
    """Holds the targets of a job once, and does pieces of work.

    Args:
        luggage: What it needs to have the targets, pickled: to unpack it imports much.
        tuned: Whether its process is set up as the command line's is.
    """

    def __init__(self, luggage: bytes, tuned: bool) -> None:
        from ...targets.execution.process import tune_process

        if tuned:
            tune_process()
        self._place: Place | None = None
        self._begun = self._caught(self._begin, luggage)

    def describe(self) -> Answer | Refusal:
        """Return what it is, or why it can't begin."""
        return self._begun

    def do(self, function: Callable[..., Any], *arguments: Any) -> Answer | Refusal:
        """Call a function with the place and some arguments."""
        return self._caught(function, self._place, *arguments)

    def _begin(self, packed: bytes) -> WorkerFacts:
        import torch

        from ...targets.protocols import runs_in_torch
        from ..base import Place, WorkerFacts
        from ..local import LocalEngine

        luggage: Luggage = pickle.loads(packed)
        torch.set_num_threads(luggage.threads)
        targets = luggage.unpacked()
        if not any(map(runs_in_torch, targets)):
            torch.set_num_threads(1)
        self._place = Place(LocalEngine(targets[0]), targets)
        device = self._place.engine.device
        return WorkerFacts(platform.node(), os.getpid(), _hardware(device), 0.0)

    @staticmethod
    def _caught(function: Callable[..., Any], *arguments: Any) -> Answer | Refusal:
        started = time.perf_counter()
        try:
            return Answer(function(*arguments), time.perf_counter() - started)
        except EvofoolError as error:
            return Refusal(type(error)(str(error)))


def _hardware(device: Any) -> str:
    """Return the name of a GPU, or of the processor."""
    import torch

    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
