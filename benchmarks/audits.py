"""Audits of ``digits`` with different seeds: how often the intervals of their figures cover the mean over the seeds."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import evofool
from evofool.audits.figure_table import FIGURES
from evofool.audits.record import AuditRecord

from .common import Row, table

SEEDS, BUDGET = 20, 6_000


def measure(seeds: int | None = None) -> list[Row]:
    """Audit with so many seeds, and print for each figure its mean, the seeds' deviation, and the coverage."""
    with TemporaryDirectory() as folder:
        records = [_audited(seed, Path(folder) / str(seed)) for seed in range(seeds or SEEDS)]
    rows = [_row(name, records) for name, kind in FIGURES.items() if kind.share and _measured(name, records)]
    table(rows)
    return rows


def _audited(seed: int, folder: Path) -> AuditRecord:
    result = evofool.audit("digits", out=folder, budget=BUDGET, profile="quick", seed=seed, progress=False)
    return result.record


def _measured(name: str, records: list[AuditRecord]) -> bool:
    return all(record.figures[name].value is not None for record in records)


def _row(name: str, records: list[AuditRecord]) -> Row:
    figures = [record.figures[name] for record in records]
    values = np.array([figure.value for figure in figures], float)
    low, high = (np.array([getattr(figure, end) for figure in figures], float) for end in ("low", "high"))
    mean = float(values.mean())
    covered = int(((low <= mean + 1e-9) & (mean - 1e-9 <= high)).sum())
    return {
        "figure": name,
        "mean": round(mean, 4),
        "deviation": round(float(values.std()), 4),
        "width": round(float((high - low).mean()), 4),
        "covered": covered,
        "of": len(records),
    }
