"""Audits of one network with different seeds agree within the intervals that they state."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import evofool
from evofool.audits.figure_table import FIGURES

SEEDS, BUDGET = 20, 1_500


def test_intervals_hold_the_mean_over_seeds_as_often_as_they_say(tmp_path: Path) -> None:
    records = [
        evofool.audit("digits", out=tmp_path / str(seed), budget=BUDGET, seed=seed, progress=False).record
        for seed in range(SEEDS)
    ]
    covered, known = {}, 0
    for name, kind in FIGURES.items():
        figures = [record.figures[name] for record in records]
        if kind.share and all(figure.value is not None for figure in figures):
            values, low, high = (
                np.array([getattr(figure, end) for figure in figures]) for end in ("value", "low", "high")
            )
            mean, known = values.mean(), known + 1
            covered[name] = ((low <= mean + 1e-9) & (mean <= high + 1e-9)).mean()
    assert known >= 24
    assert min(covered.values()) >= 0.85, covered
