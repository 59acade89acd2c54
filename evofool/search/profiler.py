"""Where the time of an evolution goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from .evolution import Evolution


PHASES = {
    "generate": "variation",
    "decode": "decoding",
    "evaluate": "scoring",
    "confirm": "confirming",
    "update": "admission",
}
"""Operators of an evolution's toolbox, and what their time is called."""

SAVING = "saving"
"""The phase in which the run's folder takes of the loop's time. Most of its work is done on another thread."""


class Profiler:
    """Measures seconds by phase. A phase inside another counts for itself only.

    On a GPU it waits for the device at both ends of a phase, so that every phase has its own time. Without a profiler
    they overlap.

    Args:
        clock: Tells the time in seconds.

    Attributes:
        seconds: Seconds so far, by phase.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds = dict.fromkeys([*PHASES.values(), SAVING], 0.0)
        self._clock = clock
        self._begun = self._mark = clock()
        self._ended: float | None = None
        self._open: list[str] = []
        self._device: torch.device | None = None

    def attach(self, evolution: Evolution) -> None:
        """Measure an evolution's operators, through its toolbox, from now on."""
        evolution.score_in_turn()
        self._device = evolution.engine.device
        for operator, phase in PHASES.items():
            timed = self._timing(phase)(getattr(evolution.toolbox, operator))
            setattr(evolution.toolbox, operator, timed)  # not registered: it is no user's operator
        self._begun = self._mark = self._clock()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure a block."""
        self._switch()
        self._open.append(name)
        try:
            yield
        finally:
            self._switch()
            self._open.pop()

    def stop(self) -> None:
        """End the measurement: later time doesn't count."""
        self._ended = self._clock()

    def shares(self) -> dict[str, float]:
        """Return each phase's share of the time from :meth:`attach` to :meth:`stop` or now.

        What belongs to no phase is the ``rest``.
        """
        whole = max((self._ended or self._clock()) - self._begun, 1e-9)
        shares = {name: seconds / whole for name, seconds in self.seconds.items()}
        return {**shares, "rest": max(0.0, 1 - sum(shares.values()))}

    def _timing(self, phase: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorate(operator: Callable[..., Any]) -> Callable[..., Any]:
            def timed(*arguments: Any, **options: Any) -> Any:
                with self.phase(phase):
                    return operator(*arguments, **options)

            return timed

        return decorate

    def _switch(self) -> None:
        """Count the time since the last switch for the innermost open phase."""
        if self._device is not None and self._device.type == "cuda":
            import torch

            torch.cuda.synchronize(self._device)
        now = self._clock()
        if self._open:
            self.seconds[self._open[-1]] += now - self._mark
        self._mark = now
