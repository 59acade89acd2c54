"""What a campaign is and what it found, as plain JSON values."""

from __future__ import annotations

from typing import Any

from ..config.records import CampaignConfig
from .data_warnings import data_facts
from .statistics import Statistics


def campaign_figures(
    config: CampaignConfig, statistics: Statistics, baseline: Statistics | None, total: int
) -> dict[str, Any]:
    """Return what a campaign is and what it found as plain JSON values.

    Args:
        config: The campaign's.
        statistics: Counts over its own attempts.
        baseline: Counts over those of random search, or None.
        total: How many pairs of image and criterion it has.
    """
    plan = config.plan
    return {
        "target": config.target.name,
        "data": config.data.name,
        "images": config.data.chosen,
        **data_facts(config),
        "criterion": plan.criterion,
        "pixels": list(plan.pixels),
        "strategy": plan.strategy,
        "seed": plan.seed,
        **({"swapped": config.swapped} if config.swapped else {}),
        "attempts": total,
        "pending": total - statistics.done,
        **statistics.figures(),
        "baseline": baseline.figures() if baseline else None,
    }
