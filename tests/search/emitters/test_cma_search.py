"""The search of one CPPN's weights, against DEAP's CMA-ES."""

from __future__ import annotations

import numpy as np
from deap import cma
from emitting import SURE, archive, weights_of
from support import build, frozen, global_random_untouched

from evofool.encodings.cppn.batch import CPPNBatch
from evofool.kernels.constants import EMPTY
from evofool.rng import Rng
from evofool.search.emitters.cma_search import SIGMA, CmaSearch, Weights

LIMIT = 12.0


def elite() -> CPPNBatch:
    return archive([0.5]).genomes


def begun(best: float = 0.1, children: int = 10) -> CmaSearch:
    """A search that begins from :func:`elite`."""
    return CmaSearch(elite(), 0, 0, 100, best, children)


def test_a_search_is_deaps_cma_es_but_for_its_random_numbers() -> None:
    ours = begun()
    theirs = cma.Strategy(weights_of(elite())[0], SIGMA, lambda_=10)
    optimum = weights_of(elite())[0] + 0.5
    for _ in range(12):
        children = weights_of(ours.ask(1e9, Rng(3)))
        scores = -np.square(children - optimum).sum(1)
        theirs.update([Weights(*pair) for pair in zip(children, scores.tolist(), strict=True)])
        ours.tell(scores)
        for name in ("centroid", "sigma", "pc", "ps", "C", "BD"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)


def test_a_search_finds_the_weights_that_score_highest() -> None:
    search, rng = begun(0.0, 20), Rng(0)
    optimum = weights_of(elite())[0] + np.linspace(-1, 1, len(search.edges))
    start = np.linalg.norm(search.centroid - optimum)
    for _ in range(80):
        search.tell(np.exp(-np.square(weights_of(search.ask(LIMIT, rng)) - optimum).sum(1)))
    assert np.linalg.norm(search.centroid - optimum) < 0.02 * start


def test_children_have_the_elites_graph_and_weights_within_the_limit() -> None:
    parent = elite()
    search = CmaSearch(parent, 0, 0, 100, 0.1, 400)
    search.sigma = 5.0
    with global_random_untouched():
        children = search.ask(2.0, Rng(0))
    used = parent.source[0] != EMPTY
    for name in ("activation", "position", "source", "sink"):
        expected = np.repeat(getattr(parent, name), 400, 0)
        np.testing.assert_array_equal(getattr(children, name), expected)
    assert np.abs(children.weight[:, used]).max() == 2.0
    np.testing.assert_array_equal(children.weight[:, ~used], np.repeat(parent.weight[:, ~used], 400, 0))
    assert len(np.unique(children.weight[:, used], axis=0)) > 390


def test_first_steps_are_sigma_wide() -> None:
    children = weights_of(begun(children=5000).ask(1e9, Rng(0)))
    np.testing.assert_allclose(children.std(0), SIGMA, rtol=0.1)
    np.testing.assert_allclose(children.mean(0), weights_of(elite())[0], atol=0.01)


def test_a_search_whose_numbers_fell_apart_ends() -> None:
    search = begun()
    search.ask(LIMIT, Rng(0))
    search.C = np.full_like(search.C, np.nan)
    search.tell(np.linspace(0, 0.5, 10))
    assert search.ended(SURE)
    again = CmaSearch.restored(frozen(search.state()), build("cppn", "default").load, archive([0.5]))
    assert again.ended(SURE)
    assert np.isfinite(weights_of(again.ask(LIMIT, Rng(0)))).all()
