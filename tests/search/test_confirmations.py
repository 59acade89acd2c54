"""In bfloat16 only confirmed scores count, whatever else a search does; a search that is stopped ends the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from evolving import advance, contents, evolution
from support import assert_same_arrays, frozen, tiny_target

from evofool import Ensemble
from evofool.config.records import RobustRecord
from evofool.config.scoring import TRANSFORMATIONS
from evofool.targets.robust.robust_target import RobustTarget

CASES: dict[str, dict[str, Any]] = {
    "direct": {"encoding": "direct"},
    "cppn": {"encoding": "cppn"},
    "a whole generation at once": {"encoding": "direct", "batch": 4},
    "a whole generation at once, ahead": {"encoding": "cppn", "batch": 4, "ahead": True},
    "islands": {"encoding": "cppn", "islands": 3},
    "ahead": {"encoding": "direct", "ahead": True},
    "novelty": {"encoding": "direct", "novelty": "pixels", "bins": 2},
    "descriptors": {"encoding": "cppn", "descriptors": ("brightness", "slope"), "bins": 3},
    "restart and refine": {"encoding": "cppn", "emitters": ("vary", "restart@16", "refine@16")},
    "gradient": {"encoding": "cppn", "emitters": ("vary", "gradient")},
    "ensemble": {"encoding": "direct", "target": "ensemble"},
    "robust": {"encoding": "cppn", "target": "robust", "batch": 4},
}


def begun(case: str) -> Any:
    """An evolution of a case, whose target searches in bfloat16."""
    options = dict(CASES[case])
    fast = tiny_target(precision="bfloat16", micro_batch=5)
    made: dict[str, Any] = {
        "ensemble": lambda: Ensemble([fast, tiny_target(precision="bfloat16", micro_batch=5, mean=0.4, name="other")]),
        "robust": lambda: RobustTarget(fast, RobustRecord(how="worst", to=TRANSFORMATIONS, draws=1, seed=0)),
        "plain": lambda: fast,
    }
    return evolution(target=made[options.pop("target", "plain")](), **options)


@pytest.mark.parametrize("case", CASES)
def test_elites_have_confirmed_scores_and_a_run_that_is_stopped_after_every_generation_is_the_same(case: str) -> None:
    undisturbed, stopped = begun(case), begun(case)
    for _ in range(5):
        advance(undisturbed, 1)
        advance(stopped, 1)
        state = frozen(stopped.state())
        stopped = begun(case)
        stopped.restore(state)
        assert_same_arrays(contents(stopped), contents(undisturbed))
    archive, held = undisturbed.archive, undisturbed.archive.held()
    images = undisturbed.encoding.decode(archive.genomes.take(held))
    own = np.arange(len(held)), archive.class_of_niche[held]
    exact, fast = (ask(images).numpy()[own] for ask in (undisturbed.target.confirm, undisturbed.target.scores))
    np.testing.assert_allclose(archive.confidence[held], exact, atol=1e-6)
    assert np.abs(fast - exact).max() > 1e-5  # so that a score of the search would be seen
