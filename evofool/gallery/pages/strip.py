"""How confidence grew: classes × time, from the changes of elites."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...store.history import Changes, log_odds

COLUMNS = 160
"""most moments of a strip"""


@dataclass(frozen=True)
class Strip:
    """Confidence over time; where there are many generations, moments are spaced geometrically, as progress is."""

    generations: NDArray[np.int64]
    """(T,) of each moment"""
    evaluations: NDArray[np.int64]
    """(T,)"""
    seconds: NDArray[np.float64]
    """(T,) of wall time, in all sittings"""
    medians: NDArray[np.float64]
    """(T,) median confidence over the classes"""
    names: list[str]
    """of M classes, the surest first; empty where no history was kept"""
    confidence: NDArray[np.float32]
    """(M, T)"""

    def to_json(self) -> dict[str, Any]:
        """Plain values; confidences as log-odds in steps of 1/2000, 16 bits each, base64."""
        steps = np.clip(np.rint(log_odds(self.confidence) * 2000) + 32768, 0, 65535).astype("<u2")
        return {
            "generations": self.generations.tolist(),
            "evaluations": self.evaluations.tolist(),
            "seconds": [round(value, 4) for value in self.seconds.tolist()],
            "medians": [round(value, 6) for value in self.medians.tolist()],
            "names": self.names,
            "odds": base64.b64encode(steps.tobytes()).decode(),
        }


def strip_of(changes: Changes, names: dict[int, str], metrics: list[dict[str, Any]]) -> Strip | None:
    """The strip of a run; without a history only its median curve, None where there is less than two generations.

    Args:
        changes: the run's.
        names: class names by niche.
        metrics: the lines of ``metrics.jsonl``.
    """
    if len(metrics) < 2:
        return None
    last = int(metrics[-1]["generation"])
    moments = np.arange(1, last + 1)
    if last > COLUMNS:
        moments = np.unique(np.geomspace(1, last, COLUMNS).round().astype(np.int64))
    by_generation = {int(line["generation"]): line for line in metrics}
    lines = [by_generation[moment] for moment in moments.tolist() if moment in by_generation]
    generations = np.array([line["generation"] for line in lines], np.int64)
    confidence, order = _confidence(changes, sorted(names), generations)
    return Strip(
        generations=generations,
        evaluations=np.array([line["evaluations"] for line in lines], np.int64),
        seconds=np.array([line["seconds"] for line in lines], np.float64),
        medians=np.array([line["median"] for line in lines], np.float64),
        names=[names[niche] for niche in order],
        confidence=confidence,
    )


def _confidence(changes: Changes, niches: list[int], generations: NDArray[np.int64]) -> tuple[Any, list[int]]:
    """(M, T) confidences as of each generation, and the niches they belong to, the surest first."""
    if not len(changes):
        return np.zeros((0, len(generations)), np.float32), []
    table = np.zeros((len(niches), len(generations)), np.float32)
    for row, niche in enumerate(niches):
        own = changes.of(niche)
        before = np.searchsorted(changes.generation[own], generations, side="right") - 1
        if len(own):
            table[row] = np.where(before >= 0, np.maximum.accumulate(changes.score[own])[before], 0.0)
    order = np.argsort(-table[:, -1], kind="stable")
    return table[order], [niches[i] for i in order]
