"""Where the time of an evolution goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from .evolution import Evolution

PHASES = {
    "generate": "variation",
    "decode": "decoding",
    "evaluate": "scoring",
    "confirm": "confirming",
    "update": "admission",
}
"""operators of an evolution's toolbox, and what their time is called"""
SAVING = "saving"
"""what the folder takes of the loop's time; most of it is done on another thread"""


class Profiler:
    """Seconds by phase, from its making on. A phase inside of another counts for itself only.

    On a GPU it waits for the device at both ends of a phase, so that each has its own time; without a stopwatch they
    overlap.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys([*PHASES.values(), SAVING], 0.0)
        self._begun = self._mark = time.perf_counter()
        self._ended: float | None = None
        self._open: list[str] = []
        self._device: torch.device | None = None

    def attach(self, evolution: Evolution) -> None:
        """Time an evolution's operators, through its toolbox."""
        self._device = evolution.target.device
        for operator, phase in PHASES.items():
            evolution.toolbox.decorate(operator, self._timing(phase))
        self._begun = self._mark = time.perf_counter()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a block."""
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def stop(self) -> None:
        """The loop has ended; what comes after it does not count."""
        self._ended = time.perf_counter()

    def shares(self) -> dict[str, float]:
        """The share of each phase in the time from :meth:`attach` to :meth:`stop` or now, and of the ``rest``."""
        whole = max((self._ended or time.perf_counter()) - self._begun, 1e-9)
        found = {name: seconds / whole for name, seconds in self.seconds.items()}
        return {**found, "rest": max(0.0, 1 - sum(found.values()))}

    def _timing(self, phase: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorate(operator: Callable[..., Any]) -> Callable[..., Any]:
            def timed(*arguments: Any, **options: Any) -> Any:
                with self.phase(phase):
                    return operator(*arguments, **options)

            return timed

        return decorate

    def _turn(self) -> None:
        """What went by since the last turn is the innermost open phase's."""
        if self._device is not None and self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._mark
        self._mark = now
