"""What the measurements of attacks share: images, a campaign in memory, its figures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evofool import zoo
from evofool.choice import choose_images
from evofool.datasets import Fitting, open_data
from evofool.duels.campaign import Campaign
from evofool.duels.plan import Plan
from evofool.duels.verdict import Subject, Verdict, subjects_of
from evofool.target import Target


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
    chosen = choose_images(open_data(data, data_dir, fitting), loaded.target, count=count, first=True)
    return Bench(loaded.target, subjects_of(chosen))


def fight(
    on: Bench,
    strategy: str,
    k: int,
    *,
    queries: int | None = None,
    goals: tuple[int | None, ...] | str = (None,),
    start: int = 0,
) -> tuple[list[Verdict], float]:
    """A campaign's verdicts on the images from ``start`` on, and the seconds it took."""
    campaign = Campaign(on.target, on.subjects, Plan(goals, (k,), strategy, queries, 0, False))
    done: list[Verdict] = [
        {
            "image": image,
            "goal_index": goal,
            "pixels": k,
            "strategy": strategy,
            "already": True,
            "success": False,
            "queries": 0,
            "edits": [],
        }
        for image in range(start)
        for goal in goals
    ]
    started = time.perf_counter()
    verdicts = [verdict for part in campaign.run(done) for verdict in part]
    return verdicts, time.perf_counter() - started


def within(verdicts: Sequence[Verdict], queries: int) -> int:
    """Duels that succeeded within so many queries."""
    return sum(v["success"] and v["queries_to_success"] <= queries for v in verdicts)


def median_queries(verdicts: Sequence[Verdict]) -> float | None:
    """Median queries to success; a failure counts as endless, and None is an endless median."""
    value = float(np.median([v["queries_to_success"] if v["success"] else np.inf for v in verdicts]))
    return value if np.isfinite(value) else None


def total_queries(verdicts: Sequence[Verdict]) -> float:
    """All queries, those that several goals shared counted once."""
    return sum(v["queries"] / v["shared"] for v in verdicts)
