"""What the measurements of attacks share: images, a campaign in memory, and its figures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evofool.attacks.campaign import Campaign
from evofool.attacks.image_selection import select_images
from evofool.attacks.outcome import Outcome
from evofool.attacks.plan import plan_of
from evofool.attacks.statistics import median_or_none
from evofool.attacks.subject import Subject
from evofool.config.attack import UNTARGETED, AttackOptions
from evofool.datasets import open_data
from evofool.targets import registry as zoo
from evofool.targets.prepare import fitting_of
from evofool.targets.protocols import Target


@dataclass(frozen=True)
class Bench:
    """A target with the images it is attacked on."""

    target: Target
    subjects: list[Subject]


def bench(target: str, weights: Path | None, data: str | Path, data_dir: Path, count: int) -> Bench:
    """Return a target with the first ``count`` images of a data set that it classifies correctly."""
    loaded = zoo.load(target, weights=weights)
    images = select_images(open_data(data, data_dir, fitting_of(loaded)), loaded.target, count=count, first=True)
    return Bench(loaded.target, images.subjects)


def run_campaign(
    attacked: Bench, strategy: str, k: int, *, queries: int | None = None, criterion: str = UNTARGETED, start: int = 0
) -> tuple[list[Outcome], float]:
    """Return a campaign's outcomes on the images from ``start`` on, and the seconds it took.

    Args:
        attacked: The target and its images.
        strategy: How attempts search.
        k: How many pixels may change.
        queries: Budget of an attempt; None for the strategy's own.
        criterion: What counts as success; untargeted where ``start`` is above 0.
        start: The first image that is attacked.
    """
    options = AttackOptions.of({"strategy": strategy, "pixels": k, "queries": queries, "criterion": criterion})
    campaign = Campaign(attacked.target, attacked.subjects, plan_of(options, attacked.target))
    done: list[Outcome] = [
        {
            "image": image,
            "criterion_index": None,
            "pixels": k,
            "strategy": strategy,
            "already": True,
            "success": False,
            "queries": 0,
            "edits": [],
        }
        for image in range(start)
    ]
    started = time.perf_counter()
    outcomes = [outcome for part in campaign.run(done) for outcome in part]
    return outcomes, time.perf_counter() - started


def within(outcomes: Sequence[Outcome], queries: int) -> int:
    """Return how many attempts succeeded within so many queries."""
    return sum(outcome["success"] and outcome["queries_to_success"] <= queries for outcome in outcomes)


def median_queries(outcomes: Sequence[Outcome]) -> float | None:
    """Return the median queries to success. A failure counts as endless, and an endless median is None."""
    return median_or_none(outcome["queries_to_success"] if outcome["success"] else None for outcome in outcomes)


def total_queries(outcomes: Sequence[Outcome]) -> float:
    """Return all queries; those that several criteria shared count once."""
    return sum(outcome["queries"] / outcome["shared"] for outcome in outcomes)
