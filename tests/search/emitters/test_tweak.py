"""Slight changes to elites that are not sure yet."""

from __future__ import annotations

import numpy as np
from emitting import archive, evolution, resumed_beside, turns
from support import assert_same_arrays, frozen

from evofool.rng import Rng
from evofool.search.selectors import unsure


def test_tweaks_are_of_elites_that_are_not_sure() -> None:
    run = evolution(emitters=("vary", "tweak"))
    elites = archive([0.995, 0.2, 1.0, 0.989])
    children, parents = run.toolbox.tweak(elites, 4000)
    niches = parents - 100
    shares = np.bincount(niches, minlength=4) / 4000
    assert shares[[0, 2]].max() < 0.03
    kept = (children.weight == elites.genomes.take(niches).weight)[:, :12].mean()
    assert 0.5 < kept < 0.8  # four of twelve weights changed


def test_tweaks_are_drawn_by_unsure_whatever_the_runs_selector() -> None:
    run, elites, rng = evolution(emitters=("vary", "tweak")), archive([0.995, 0.2, 1.0, 0.989]), Rng(0)
    rng.restore(frozen(run.rng.state()))
    children, _ = run.toolbox.tweak(elites, 50)
    expected = run.encoding.mutate_slightly(elites.genomes.take(unsure(elites, 50, rng)), rng)
    assert_same_arrays(vars(children), vars(expected))


def test_tweaks_that_begin_later_go_on_after_a_restart_as_without_one() -> None:
    run = resumed_beside(1, 10, emitters=("vary", "tweak@48", "refine@64"))
    assert min(turns(run).values()) > 0
