"""Figures of campaigns against pixels: how many real images flip, and which classes become which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..attacks.statistics import Statistics
from ..store.campaign import CampaignFolder
from .record import AuditFigure

PAIRS_TOLD = 20
"""How many pairs of classes are told."""


def statistics_of(campaign: CampaignFolder) -> Statistics:
    """Count a campaign's outcomes.

    Raises:
        RunError: They are damaged.
    """
    statistics = Statistics(campaign.config.plan.pixels[-1])
    for outcome in campaign.outcomes():
        statistics.add(outcome)
    return statistics


def pixel_figures(campaigns: Mapping[int, CampaignFolder]) -> dict[str, AuditFigure]:
    """Return the shares of rightly classified real images that flip, by number of pixels."""
    figures = {}
    for pixels, campaign in campaigns.items():
        counts = statistics_of(campaign)
        if counts.settled:
            low, high = counts.interval
            figures[f"pixels_{pixels}"] = AuditFigure(value=counts.rate, low=low, high=high, n=counts.settled)
    return figures


def pixel_details(campaigns: Mapping[int, CampaignFolder]) -> dict[str, Any]:
    """Return what is told beside the figures, by number of pixels, as plain JSON values.

    ``flips`` are pairs of classes, the one before and the one after, with how often that happened.
    """
    details: dict[str, Any] = {}
    for pixels, campaign in campaigns.items():
        counts = statistics_of(campaign).figures()
        flips = Counter((line["class"], line["final"]) for line in campaign.outcomes() if line["success"])
        ranked = sorted(flips.items(), key=lambda item: (-item[1], item[0]))[:PAIRS_TOLD]
        details[str(pixels)] = {
            "attempts": counts["settled"],
            "flipped": counts["successes"],
            "queries_each": campaign.config.plan.queries,
            "median_queries": counts["median_queries_to_success"],
            "flips": [{"before": before, "after": after, "times": times} for (before, after), times in ranked],
        }
    return details
