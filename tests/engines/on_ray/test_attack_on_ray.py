"""A campaign on a cluster has the outcomes of one in this process, none lost and none twice, whoever dies."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns import assert_same_campaign, small_attack
from clusters import ON_RAY, Killer, Linear, without_engine
from runs import LONG

import evofool
from evofool.jobs.campaign import CampaignStep

pytestmark = [pytest.mark.usefixtures("cluster"), pytest.mark.timeout(4 * 3600 if LONG else 600)]

MANY = {"criterion": "all", "pixels": "auto", "max_pixels": 2, "queries": 120, "device": "cpu"}
"""A campaign whose attempts have others after them."""


def same(ours: Path, theirs: Path) -> None:
    """Check that two campaigns are the same, wherever their images were scored."""
    for run in (ours, theirs):
        without_engine(run)
    assert_same_campaign(ours, theirs)


@pytest.mark.parametrize("seed", range(50 if LONG else 1))
def test_outcomes_are_the_same_when_a_worker_is_killed_every_few_seconds(seed: int, tmp_path: Path) -> None:
    options: dict[str, Any] = {"seed": seed, "count": 28 if LONG else 8, **MANY}
    evofool.attack("digits", out=tmp_path / "here", **options)
    killer = Killer(2.0, most=100 if LONG else 3)
    result = evofool.attack("digits", out=tmp_path / "there", **options, **ON_RAY, observer=killer)
    assert killer.lost > 0
    assert result.scored > 0
    same(tmp_path / "there", tmp_path / "here")


class Scattered:
    """Random pixels of random colours, by Python's global generator."""

    def __init__(self, problem: Any) -> None:
        self.space = problem.space

    def ask(self) -> np.ndarray:
        colours = np.array([random.choices(range(256), k=3) for _ in range(16)])
        places = np.array([random.randrange(self.space.places) for _ in range(16)])
        return self.space.join(places[:, None], colours[:, None])

    def tell(self, edits: np.ndarray, feedback: Any) -> None:
        pass


def hook(toolbox: Any) -> None:
    toolbox.register("search", Scattered)


def test_searches_of_the_users_own_travel_and_a_stopped_campaign_goes_on_on_the_cluster(tmp_path: Path) -> None:
    options: dict[str, Any] = {"target": Linear(), "toolbox": hook}

    def stop(step: CampaignStep) -> None:
        if step.done >= 2:
            raise KeyboardInterrupt

    small_attack(tmp_path / "here", **options)
    with pytest.raises(KeyboardInterrupt):
        small_attack(tmp_path / "there", **options, observer=stop)
    evofool.resume(tmp_path / "there", **options, **ON_RAY)
    same(tmp_path / "there", tmp_path / "here")
