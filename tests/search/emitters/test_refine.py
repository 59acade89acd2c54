"""The emitter that refines elites: which classes it searches, scouts, and what it takes from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from emitting import SURE, archive, resumed_beside, weights_of
from support import assert_same_arrays, build, frozen

from evofool.encodings.cppn.batch import CPPNBatch
from evofool.kernels.constants import EMPTY
from evofool.rng import Rng
from evofool.search.archive import Archive
from evofool.search.emitters.batches import CHILDREN_PER_SEARCH
from evofool.search.emitters.cma_search import PATIENCE
from evofool.search.emitters.refine import Refine

CHILDREN = CHILDREN_PER_SEARCH
LIMIT = 12.0


def refining(
    seed: int = 0, mutate: Callable[[CPPNBatch], CPPNBatch] = lambda parents: parents, **shares: float
) -> Refine:
    return Refine(mutate, build("cppn", "default").load, LIMIT, Rng(seed), **shares)


def plain(seed: int = 0) -> Refine:
    """One whose searches begin at elites, any of those that are not sure."""
    return refining(seed, scouted_share=0.0, extremes_share=0.0)


def searched_niches(emitter: Refine, elites: Archive, score: float, n: int = CHILDREN) -> list[int]:
    """One generation in which every child scores this for every class; returns which niches are searched."""
    emitter.ask(elites, n)
    emitter.tell(elites, torch.full((n, len(elites)), score))
    return [search.niche for search in emitter.searches]


def test_it_searches_classes_that_are_not_sure() -> None:
    seen = {searched_niches(plain(seed), archive([0.995, 0.2, 1.0, 0.989]), 0.0)[0] for seed in range(30)}
    assert seen == {1, 3}


def test_once_all_are_sure_it_searches_those_short_of_the_next_nine() -> None:
    seen = {searched_niches(plain(seed), archive([0.995, 0.9995, 1.0, 0.99]), 0.0)[0] for seed in range(30)}
    assert seen == {0, 3}


def test_where_all_are_sure_it_takes_any() -> None:
    seen = {searched_niches(plain(seed), archive([0.9999995, 1.0]), 0.0)[0] for seed in range(30)}
    assert seen == {0, 1}


def test_empty_niches_are_not_searched() -> None:
    several = archive([0.1, -1.0, 0.1])
    several.evaluation_id[1] = -1
    assert {searched_niches(plain(seed), several, 0.0)[0] for seed in range(30)} == {0, 2}


def test_searches_side_by_side_are_on_different_niches_and_parents_are_theirs() -> None:
    elites, emitter = archive([0.1] * 8), refining()
    children, parents = emitter.ask(elites, 3 * CHILDREN + 1)
    niches = [search.niche for search in emitter.searches]
    assert len(set(niches)) == 3
    assert [search.lambda_ for search in emitter.searches] == [CHILDREN + 1, CHILDREN, CHILDREN]
    assert len(children) == len(parents) == 3 * CHILDREN + 1
    assert parents.tolist() == np.repeat(elites.evaluation_id[niches], [CHILDREN + 1, CHILDREN, CHILDREN]).tolist()


def test_each_search_hears_of_its_own_children_and_class() -> None:
    elites, emitter = archive([0.1] * 8), plain()
    emitter.ask(elites, 2 * CHILDREN)
    scores = torch.zeros(2 * CHILDREN, 8)
    first, second = emitter.searches
    scores[3, first.class_index], scores[CHILDREN + 2, second.class_index] = 0.4, 0.6
    scores[2, second.class_index] = scores[CHILDREN, first.class_index] = 0.9  # the other's children
    emitter.tell(elites, scores)
    assert (first.best, second.best) == pytest.approx((0.4, 0.6))


def test_a_search_that_stands_still_is_given_up_and_one_that_gets_on_is_not() -> None:
    elites, emitter = archive([0.1] * 50), plain()
    niche = searched_niches(emitter, elites, 0.05)[0]
    first = emitter.searches[0]
    for _ in range(PATIENCE - 2):
        assert searched_niches(emitter, elites, 0.05) == [niche]
    assert searched_niches(emitter, elites, 0.2) == [niche]  # better, in time
    for _ in range(PATIENCE):
        assert emitter.searches[0] is first
        searched_niches(emitter, elites, 0.2)
    emitter.ask(elites, CHILDREN)
    assert emitter.searches[0] is not first


@pytest.mark.parametrize(("count", "weakest", "surest"), [(2, 1, 1), (5, 1, 1), (33, 1, 3), (150, 3, 15)])
def test_a_third_of_the_searches_is_for_the_weakest_and_one_for_the_surest(
    count: int, weakest: int, surest: int
) -> None:
    order = np.random.default_rng(0).permutation(count)
    confidence = np.concatenate([0.1 + 0.8 * order / count, np.full(30, 0.995)]).tolist()
    elites = archive(confidence)
    seen = np.array([searched_niches(refining(seed), elites, 0.0)[0] for seed in range(400)])
    assert seen.max() < count
    for end, few in ((order < weakest, weakest), (order >= count - surest, surest)):
        share = np.isin(seen, np.flatnonzero(end)).mean()
        assert share == pytest.approx((1 + few / count) / 3, abs=0.08)
        assert set(np.flatnonzero(end)) <= set(seen.tolist())


def test_searches_side_by_side_hear_of_their_own_children_scouted_or_not() -> None:
    encoding, elites = build("cppn", "default"), archive([0.1] * 8)
    scouts: list[CPPNBatch] = []

    def mutate(parents: CPPNBatch) -> CPPNBatch:
        scouts.append(encoding.mutate(parents, Rng(5)))
        return scouts[-1]

    emitter, number = refining(seed=3, mutate=mutate), 4 * CHILDREN
    children, _ = emitter.ask(elites, number)
    before, parts = list(emitter.searches), [children.take(CHILDREN * part + np.arange(CHILDREN)) for part in range(4)]
    scouted = [any(np.array_equal(part.weight, scout.weight) for scout in scouts) for part in parts]
    assert 0 < sum(scouted) == len(scouts) < 4
    scores = torch.zeros(number, 8)
    for part, search in enumerate(before):
        scores[part * CHILDREN + part, search.class_index] = 0.2 + 0.1 * part
    emitter.tell(elites, scores)
    for part, (was, now) in enumerate(zip(before, emitter.searches, strict=True)):
        assert (was is now) == (not scouted[part])
        assert now.best == pytest.approx(0.2 + 0.1 * part)
        if scouted[part]:
            assert_same_arrays(vars(now.elite), vars(parts[part].take(np.array([part]))))


def test_a_scouted_search_climbs_from_the_best_of_mutated_elites() -> None:
    encoding, elites = build("cppn", "default"), archive([0.1] * 8)
    emitter = refining(mutate=lambda parents: encoding.mutate(parents, Rng(5)), scouted_share=1.0)
    children, parents = emitter.ask(elites, CHILDREN)
    (search,) = emitter.searches
    assert set(parents.tolist()) == {int(elites.evaluation_id[search.niche])}
    assert_same_arrays(
        vars(children), vars(encoding.mutate(elites.genomes.take(np.full(CHILDREN, search.niche)), Rng(5)))
    )
    scores = torch.zeros(CHILDREN, 8)
    scores[7, search.class_index], scores[3, (search.class_index + 1) % 8] = 0.05, 0.9
    emitter.tell(elites, scores)
    (climbing,) = emitter.searches
    assert (climbing.niche, climbing.evaluation_id) == (search.niche, search.evaluation_id)
    assert climbing.best == pytest.approx(0.05)
    assert_same_arrays(vars(climbing.elite), vars(children.take(np.array([7]))))
    np.testing.assert_allclose(climbing.centroid, weights_of(climbing.elite)[0])
    again, _ = emitter.ask(elites, CHILDREN)  # now its weights alone
    for name in ("activation", "position", "source", "sink"):
        assert (getattr(again, name) == getattr(climbing.elite, name)).all()


@pytest.mark.parametrize("left", [0, 1])
def test_a_scout_without_connections_is_not_climbed_from(left: int) -> None:
    def cut(parents: CPPNBatch) -> CPPNBatch:
        parents.source[left:], parents.sink[left:] = EMPTY, EMPTY
        return parents

    elites, emitter = archive([0.1] * 8), refining(mutate=cut, scouted_share=1.0)
    emitter.ask(elites, CHILDREN)
    (before,) = emitter.searches
    emitter.tell(elites, torch.linspace(0.2, 0.9, CHILDREN)[:, None].expand(-1, 8))
    (after,) = emitter.searches
    assert (after is before) == (left == 0)
    assert after.best == pytest.approx(0.2 if left else 0.1)
    assert len(after.edges) == len(before.edges) > 0


def test_where_nobody_has_connections_elites_are_mutated() -> None:
    elites, emitter = archive([0.1] * 8), refining(mutate=lambda parents: parents)
    elites.genomes.source[:], elites.genomes.sink[:] = EMPTY, EMPTY
    children, parents = emitter.ask(elites, CHILDREN)
    assert (len(children), set(parents.tolist()) <= set(elites.evaluation_id.tolist())) == (CHILDREN, True)
    emitter.tell(elites, torch.zeros(CHILDREN, 8))
    assert emitter.searches == []
    assert emitter.state() == {}


def test_a_search_ends_when_its_class_is_sure() -> None:
    elites, emitter = archive([0.1] * 50), refining()
    searched_niches(emitter, elites, 0.995)
    first = emitter.searches[0]
    assert first.ended(SURE)
    emitter.ask(elites, CHILDREN)
    assert emitter.searches[0] is not first


def test_a_search_goes_on_to_the_next_nine_where_all_are_sure() -> None:
    elites, emitter = archive([0.992] * 50), refining()
    searched_niches(emitter, elites, 0.995)
    first = emitter.searches[0]
    searched_niches(emitter, elites, 0.9995)
    assert emitter.searches[0] is first
    emitter.ask(elites, CHILDREN)
    assert emitter.searches[0] is not first


@pytest.mark.parametrize("generations", [1, 2, 9])
def test_a_restored_evolution_goes_on_as_the_undisturbed_one(generations: int) -> None:
    """With searches begun, under way and given up."""
    resumed_beside(generations, 6, batch=40)


@pytest.mark.parametrize(
    ("name", "lie"),
    [
        ("0.numbers", np.array([0, 0, 0, 20, 0, -1])),
        ("0.numbers", np.array([0, 0, 0, 10**6, 0, 1])),
        ("0.numbers", np.array([2, 0, 0, 20, 0, 0])),
        ("0.numbers", np.array([1, 0, 0, 20, 0, 0])),
        ("0.numbers", np.array([0, 0, 0, 20, 0, np.inf])),
        ("0.C", np.eye(3)),
        ("0.C", None),
        ("0.C", np.zeros((12, 12))),
        ("0.C", -np.eye(12)),
        ("0.best", np.array([0.1, -1.0])),
        ("0.best", np.array([0.1, np.nan])),
        ("0.centroid", np.full(12, np.nan)),
        ("0.genome.source", np.full((1, 256), 99, np.int16)),
        ("0.genome.source", np.full((1, 256), EMPTY, np.int16)),
    ],
)
def test_a_damaged_state_is_refused(name: str, lie: np.ndarray | None) -> None:
    elites, emitter = archive([0.1, 0.2]), refining()
    searched_niches(emitter, elites, 0.1)
    state = frozen(emitter.state())
    refining().restore(state, elites)
    if lie is None:
        del state[name]
    else:
        state[name] = lie
    with pytest.raises((ValueError, KeyError)):
        refining().restore(state, elites)
