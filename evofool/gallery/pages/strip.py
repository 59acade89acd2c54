"""How the confidence of a run grew: every class over time, from the changes of elites."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...store.history import EliteChanges, log_odds

MAX_COLUMNS = 160
"""Largest number of moments of a strip."""


@dataclass(frozen=True)
class Strip:
    """Confidence over time. Moments are spaced geometrically where there are many generations, as progress is.

    Attributes:
        generations, evaluations: (T,) of each moment.
        seconds: (T,) wall time in seconds, over all sessions of the run.
        medians: (T,) median confidence over the classes.
        names: Names of M classes, the surest first; empty where the run has no history.
        confidence: (M, T).
    """

    generations: NDArray[np.int64]
    evaluations: NDArray[np.int64]
    seconds: NDArray[np.float64]
    medians: NDArray[np.float64]
    names: list[str]
    confidence: NDArray[np.float32]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; confidences as base64 of log-odds in steps of 1/2000, 16 bits each."""
        steps = np.clip(np.rint(log_odds(self.confidence) * 2000) + 32768, 0, 65535).astype("<u2")
        return {
            "generations": self.generations.tolist(),
            "evaluations": self.evaluations.tolist(),
            "seconds": [round(value, 4) for value in self.seconds.tolist()],
            "medians": [round(value, 9) for value in self.medians.tolist()],
            "names": self.names,
            "odds": base64.b64encode(steps.tobytes()).decode(),
        }


def confidence_strip(changes: EliteChanges, names: dict[int, str], metrics: list[dict[str, Any]]) -> Strip | None:
    """Return the strip of a run, or None where it has fewer than two generations.

    Args:
        changes: The run's changes, by class; a run without history has none, and its strip has medians only.
        names: Names of the classes, by their number among the run's.
        metrics: The lines of ``metrics.jsonl``.
    """
    if len(metrics) < 2:
        return None
    last = int(metrics[-1]["generation"])
    moments = np.arange(1, last + 1)
    if last > MAX_COLUMNS:
        moments = np.unique(np.geomspace(1, last, MAX_COLUMNS).round().astype(np.int64))
    by_generation = {int(line["generation"]): line for line in metrics}
    lines = [by_generation[moment] for moment in moments.tolist() if moment in by_generation]
    generations = np.array([line["generation"] for line in lines], np.int64)
    confidence, order = _confidence(changes, sorted(names), generations)
    return Strip(
        generations=generations,
        evaluations=np.array([line["evaluations"] for line in lines], np.int64),
        seconds=np.array([line["seconds"] for line in lines], np.float64),
        medians=np.array([line["median"] for line in lines], np.float64),
        names=[names[number] for number in order],
        confidence=confidence,
    )


def _confidence(
    changes: EliteChanges, numbers: list[int], generations: NDArray[np.int64]
) -> tuple[NDArray[np.float32], list[int]]:
    """Return confidences (M, T) as of each generation, and the classes' numbers, the surest first."""
    if not len(changes):
        return np.zeros((0, len(generations)), np.float32), []
    table = np.zeros((len(numbers), len(generations)), np.float32)
    for row, number in enumerate(numbers):
        rows = changes.of(number)
        before = np.searchsorted(changes.generation[rows], generations, side="right") - 1
        if len(rows):
            table[row] = np.where(before >= 0, np.maximum.accumulate(changes.score[rows])[before], 0.0)
    order = np.argsort(-table[:, -1], kind="stable")
    return table[order], [numbers[i] for i in order]
