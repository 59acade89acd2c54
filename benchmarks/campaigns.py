"""What the measurements of attacks share: images, a campaign in memory, its figures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evofool.attacks.campaign import Campaign
from evofool.attacks.image_selection import select_images
from evofool.attacks.outcome import Outcome, Subject, subjects_of
from evofool.attacks.plan import Plan
from evofool.datasets import Fitting, open_data
from evofool.targets import registry as zoo
from evofool.targets.torch_target import Target


@dataclass(frozen=True)
class Bench:
    """A target with the images it is attacked on."""

    target: Target
    subjects: list[Subject]


def bench(target: str, weights: Path | None, data: str | Path, data_dir: Path, count: int) -> Bench:
    """The first ``count`` correctly classified images of a data set."""
    loaded = zoo.load(target, weights=weights)
    card = loaded.card
    fitting = Fitting(loaded.target.classes, card.image_shape, card.resize, card.interpolation)
    chosen = select_images(open_data(data, data_dir, fitting), loaded.target, count=count, first=True)
    return Bench(loaded.target, subjects_of(chosen))


def fight(
    on: Bench,
    strategy: str,
    k: int,
    *,
    queries: int | None = None,
    criteria: tuple[int | None, ...] | str = (None,),
    start: int = 0,
) -> tuple[list[Outcome], float]:
    """A campaign's outcomes on the images from ``start`` on, and the seconds it took."""
    campaign = Campaign(on.target, on.subjects, Plan(criteria, (k,), strategy, queries, 0, False))
    done: list[Outcome] = [
        {
            "image": image,
            "criterion_index": criterion,
            "pixels": k,
            "strategy": strategy,
            "already": True,
            "success": False,
            "queries": 0,
            "edits": [],
        }
        for image in range(start)
        for criterion in criteria
    ]
    started = time.perf_counter()
    outcomes = [outcome for part in campaign.run(done) for outcome in part]
    return outcomes, time.perf_counter() - started


def within(outcomes: Sequence[Outcome], queries: int) -> int:
    """Attempts that succeeded within so many queries."""
    return sum(v["success"] and v["queries_to_success"] <= queries for v in outcomes)


def median_queries(outcomes: Sequence[Outcome]) -> float | None:
    """Median queries to success; a failure counts as endless, and None is an endless median."""
    value = float(np.median([v["queries_to_success"] if v["success"] else np.inf for v in outcomes]))
    return value if np.isfinite(value) else None


def total_queries(outcomes: Sequence[Outcome]) -> float:
    """All queries, those that several criteria shared counted once."""
    return sum(v["queries"] / v["shared"] for v in outcomes)
