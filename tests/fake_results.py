"""Results of jobs that never ran."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from configs import campaign_config, run_config

from evofool.attacks.statistics import Statistics
from evofool.jobs.result import CampaignResult, Result


def run_result(**changes: Any) -> Result:
    """Return the result of a run of four classes, of which two elites are surely cats."""
    result = Result(
        classes=["cat", "cat", "dog", "[red]deer"],
        indices=np.array([0, 0, 1, 2]),
        confidence=np.array([0.5, 0.995, 0.75, 0.25], np.float32),
        decode=lambda: np.zeros((4, 3, 8, 8), np.uint8),
        places=None,
        niches=4,
        generations=1200,
        evaluations=24_000,
        confirmations=843,
        seconds=60.0,
        run=Path("runs/a"),
        gallery=Path("runs/a/index.html"),
        sheet=Path("runs/a/gallery.png"),
        interrupted=False,
        config=run_config({"encoding": "direct"}),
    )
    return replace(result, **changes)


def campaign_result(statistics: Statistics, baseline: Statistics | None = None, **changes: Any) -> CampaignResult:
    """Return the result of a campaign of five pairs with these counts."""
    result = CampaignResult(
        path=Path("attacks/a"),
        report=Path("attacks/a/report.html"),
        statistics=statistics,
        baseline=baseline,
        total=5,
        interrupted=False,
        scored=150,
        config=campaign_config(),
    )
    return replace(result, **changes)
