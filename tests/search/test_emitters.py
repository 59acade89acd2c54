"""Emitters: what proposes children, in which shares; CMA-ES on the weights of a CPPN."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import torch
from deap import cma
from emitting import SURE, archive, evolution, resumed_beside
from support import assert_same_arrays, build, frozen, global_random_untouched

from evofool.encodings.cppn.batch import CPPNBatch
from evofool.errors import ConfigError
from evofool.kernels.constants import EMPTY
from evofool.rng import Rng
from evofool.search.archive import Archive
from evofool.search.emitters import refine
from evofool.search.emitters.batches import CHILDREN, joined, shares
from evofool.search.emitters.refine import PATIENCE, Refine, Search
from evofool.search.emitters.registry import known_emitters
from evofool.search.evolution import Evolution
from evofool.search.selectors import unsure

LIMIT = 12.0


def refining(seed: int = 0, mutate: Callable[[CPPNBatch], CPPNBatch] = lambda parents: parents) -> Refine:
    return Refine(mutate, build("cppn", "default").load, LIMIT, Rng(seed))


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches begin at elites, any of those that are not sure."""
    monkeypatch.setattr(refine, "SCOUTED", 0.0)
    monkeypatch.setattr(refine, "THEIRS", 0.0)


def elite() -> CPPNBatch:
    return archive([0.5]).genomes


def weights_of(batch: CPPNBatch) -> np.ndarray:
    return batch.weight[:, batch.source[0] != EMPTY].astype(np.float64)


# Whose turn it is


@pytest.mark.parametrize(
    ("batch", "parts", "expected"), [(10, 1, [10]), (10, 2, [5, 5]), (11, 2, [6, 5]), (8, 3, [3, 3, 2])]
)
def test_a_batch_is_shared_out_whole(batch: int, parts: int, expected: list[int]) -> None:
    assert shares(batch, parts) == expected


def test_batches_join_in_order() -> None:
    genomes = build("cppn", "default").random(9, Rng(0))
    parts = [genomes.take(np.arange(a, b)) for a, b in ((0, 2), (2, 3), (3, 9))]
    assert_same_arrays(vars(joined(parts)), vars(genomes))


def turns(run: Evolution, generations: int = 200) -> dict[str, int]:
    """How often each emitter proposes, as looked up in the toolbox; the archive stays as it is."""
    asked = dict.fromkeys(run.strategy.emitters, 0)
    for name in asked:

        def ask(archive: Archive, n: int, name: str = name) -> Any:
            asked[name] += 1
            return archive.genomes.take(np.zeros(n, np.int64)), np.zeros(n, np.int64)

        run.toolbox.register(name, ask)
    for _ in range(generations):
        run.toolbox.generate()
    return asked


@pytest.mark.parametrize(
    ("gains", "share"), [((0.0, 0.0), 0.5), ((1.0, 1.0), 0.5), ((1.0, 0.0), 0.9), ((0.0, 5.0), 0.1), ((3.0, 1.0), 0.7)]
)
def test_an_emitters_turn_comes_by_its_gains(gains: tuple[float, float], share: float) -> None:
    run = evolution()
    run.step()
    run.strategy.gains[:], run.strategy.turns[:] = gains, 1
    asked = turns(run, 1000)
    assert asked["vary"] == pytest.approx(1000 * share, abs=65)
    assert sum(asked.values()) == 1000


def test_a_gain_is_what_children_add_to_the_confidence_of_all() -> None:
    run = evolution()
    run.step()
    gained: dict[str, list[float]] = {"vary": [], "refine": []}
    for number in range(120):
        total = float(run.archive.confidence.sum(dtype=np.float64))
        run.step()
        turn = run.strategy._turn
        assert turn is not None
        name, other = ("vary", "refine") if turn == 0 else ("refine", "vary")
        if not number:  # as if it had had a turn
            gained[other].append((float(run.archive.confidence.sum(dtype=np.float64)) - total) / 16)
        gained[name].append((float(run.archive.confidence.sum(dtype=np.float64)) - total) / 16)
        for at, gains in enumerate(gained.values()):
            expected = fmean(gains[:50])
            for gain in gains[50:]:
                expected += 0.02 * (gain - expected)
            if number and gains:
                assert run.strategy.gains[at] == pytest.approx(expected, rel=1e-9)
    assert max(map(len, gained.values())) > 55


def test_an_emitter_that_begins_is_taken_to_gain_what_the_best_one_does() -> None:
    run = evolution(emitters=("vary", "tweak", "refine@64"))
    for _ in range(4):
        run.step()
    run.strategy.gains[:2], run.strategy.turns[:2] = (0.5, 2.0), 30
    asked = turns(run, 1000)
    assert run.strategy.gains.tolist() == [0.5, 2.0, 2.0]
    assert asked["refine"] == pytest.approx(1000 * (0.2 / 3 + 0.8 * 2 / 4.5), abs=65)


def test_variation_alone_is_what_it_was_without_emitters() -> None:
    """The same draws from the same generator as MAP-Elites has always made."""
    run, rng = evolution(emitters=("vary",)), None
    run.step()
    rng = Rng(0)
    rng.restore(frozen(run.rng.state()))
    encoding = run.encoding
    niches = rng.host.integers(4, size=16)
    rng.host.random(16)  # who is crossed: none
    expected = encoding.mutate(run.archive.genomes.take(niches), rng)
    assert_same_arrays(vars(run.toolbox.generate().genomes), vars(expected))


@pytest.mark.parametrize("later", [64, 60])
def test_an_emitter_that_begins_later_changes_nothing_before(later: int) -> None:
    late, alone = evolution(emitters=("vary", f"refine@{later}")), evolution(emitters=("vary",))
    for _ in range(4):
        late.step()
        alone.step()
    assert_same_arrays(late.archive.state(), alone.archive.state())
    assert_same_arrays(late.rng.state(), alone.rng.state())
    assert late.strategy.evaluations == 64
    assert min(turns(late).values()) > 0


def test_a_checkpoint_that_counted_no_turns_is_taken_up() -> None:
    """Of a version before 0.3.0: those that had begun keep their gains, the others begin as any."""
    run, resumed = (evolution(emitters=("vary", "tweak", "refine@64")) for _ in range(2))
    for _ in range(3):
        run.step()
    state = frozen(run.state())
    del state["strategy.turns"]
    resumed.restore(state)
    assert resumed.strategy.gains.tolist() == run.strategy.gains.tolist()
    assert resumed.strategy.turns.tolist() == [1, 1, 0]
    resumed.step()
    resumed.step()
    assert resumed.strategy.turns[2] > 0


@pytest.mark.parametrize(
    ("name", "lie"),
    [
        ("gains", np.array([0.1, np.inf])),
        ("gains", np.array([0.1, np.nan])),
        ("gains", np.array([-0.1, 0.1])),
        ("gains", np.zeros(3)),
        ("turns", np.array([1, -1])),
        ("turns", np.ones(2)),
    ],
)
def test_damaged_gains_are_refused(name: str, lie: np.ndarray) -> None:
    run = evolution()
    run.step()
    with pytest.raises(ValueError, match=name):
        evolution().restore(frozen(run.state()) | {f"strategy.{name}": lie})


def test_an_emitter_that_has_not_begun_has_no_turn() -> None:
    run = evolution(emitters=("vary", "refine@65"))
    for _ in range(4):
        run.step()
    assert turns(run) == {"vary": 200, "refine": 0}


def test_a_run_restored_before_an_emitter_begins_goes_on_as_it_would_have() -> None:
    run = resumed_beside(2, 8, emitters=("vary", "refine@48"))
    assert "strategy.refine.0.numbers" in run.state()


@pytest.mark.parametrize("emitters", [("vray",), ("refine@100",), ("vary", "vary"), ()])
def test_an_evolution_takes_no_emitters_that_are_none(emitters: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="emitter"):
        evolution(emitters=emitters)


# Slight changes


def test_tweaks_are_of_elites_that_are_not_sure() -> None:
    run = evolution(emitters=("vary", "tweak"))
    of = archive([0.995, 0.2, 1.0, 0.989])
    children, parents = run.toolbox.tweak(of, 4000)
    shares = np.bincount(parents - 100, minlength=4) / 4000
    assert shares[[0, 2]].max() < 0.03
    rng = Rng(0)
    rng.restore(frozen(run.rng.state()))
    niches = parents - 100
    again, _ = run.toolbox.tweak(of, 50)
    expected = run.encoding.mutate_slightly(of.genomes.take(unsure(of, 50, rng)), rng)
    assert_same_arrays(vars(again), vars(expected))
    kept = (children.weight == of.genomes.take(niches).weight)[:, :12].mean()
    assert 0.5 < kept < 0.8  # four of twelve weights changed


def test_tweaks_that_begin_later_go_on_after_a_restart_as_without_one() -> None:
    run = resumed_beside(1, 10, emitters=("vary", "tweak@48", "refine@64"))
    assert min(turns(run).values()) > 0


# A search


def test_a_search_is_deaps_cma_es_but_for_its_random_numbers() -> None:
    ours = Search(elite(), 0, 0, 100, 0.1, 10)
    theirs = cma.Strategy(weights_of(elite())[0], refine.SIGMA, lambda_=10)
    criterion = weights_of(elite())[0] + 0.5
    for _ in range(12):
        children = weights_of(ours.children(1e9, Rng(3)))
        scores = -np.square(children - criterion).sum(1)
        theirs.update([refine.Weights(*pair) for pair in zip(children, scores.tolist(), strict=True)])
        ours.learn(scores)
        for name in ("centroid", "sigma", "pc", "ps", "C", "BD"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)


def test_a_search_finds_the_weights_that_score_highest() -> None:
    search, rng = Search(elite(), 0, 0, 100, 0.0, 20), Rng(0)
    criterion = weights_of(elite())[0] + np.linspace(-1, 1, len(search.edges))
    start = np.linalg.norm(search.centroid - criterion)
    for _ in range(80):
        search.learn(np.exp(-np.square(weights_of(search.children(LIMIT, rng)) - criterion).sum(1)))
    assert np.linalg.norm(search.centroid - criterion) < 0.02 * start


def test_children_have_the_elites_graph_and_weights_within_the_limit() -> None:
    parent = elite()
    search = Search(parent, 0, 0, 100, 0.1, 400)
    search.sigma = 5.0
    with global_random_untouched():
        children = search.children(2.0, Rng(0))
    used = parent.source[0] != EMPTY
    for name in ("activation", "position", "source", "sink"):
        expected = np.repeat(getattr(parent, name), 400, 0)
        np.testing.assert_array_equal(getattr(children, name), expected)
    assert np.abs(children.weight[:, used]).max() == 2.0
    np.testing.assert_array_equal(children.weight[:, ~used], np.repeat(parent.weight[:, ~used], 400, 0))
    assert len(np.unique(children.weight[:, used], axis=0)) > 390


def test_first_steps_are_sigma_wide() -> None:
    children = weights_of(Search(elite(), 0, 0, 100, 0.1, 5000).children(1e9, Rng(0)))
    np.testing.assert_allclose(children.std(0), refine.SIGMA, rtol=0.1)
    np.testing.assert_allclose(children.mean(0), weights_of(elite())[0], atol=0.01)


# The emitter


def emitted(emitter: Refine, of: Archive, score: float, n: int = CHILDREN) -> list[int]:
    """One generation in which every child scores this for every class; returns which niches are searched."""
    emitter.ask(of, n)
    emitter.tell(of, torch.full((n, len(of)), score))
    return [search.niche for search in emitter.searches]


@pytest.mark.usefixtures("plain")
def test_it_searches_classes_that_are_not_sure() -> None:
    seen = {emitted(refining(seed), archive([0.995, 0.2, 1.0, 0.989]), 0.0)[0] for seed in range(30)}
    assert seen == {1, 3}


@pytest.mark.usefixtures("plain")
def test_once_all_are_sure_it_searches_those_short_of_the_next_nine() -> None:
    seen = {emitted(refining(seed), archive([0.995, 0.9995, 1.0, 0.99]), 0.0)[0] for seed in range(30)}
    assert seen == {0, 3}


@pytest.mark.usefixtures("plain")
def test_where_all_are_sure_it_takes_any() -> None:
    seen = {emitted(refining(seed), archive([0.9999995, 1.0]), 0.0)[0] for seed in range(30)}
    assert seen == {0, 1}


@pytest.mark.usefixtures("plain")
def test_empty_niches_are_not_searched() -> None:
    several = archive([0.1, -1.0, 0.1])
    several.evaluation_id[1] = -1
    assert {emitted(refining(seed), several, 0.0)[0] for seed in range(30)} == {0, 2}


def test_searches_side_by_side_are_on_different_niches_and_parents_are_theirs() -> None:
    of, emitter = archive([0.1] * 8), refining()
    children, parents = emitter.ask(of, 3 * CHILDREN + 1)
    niches = [search.niche for search in emitter.searches]
    assert len(set(niches)) == 3
    assert [search.lambda_ for search in emitter.searches] == [CHILDREN + 1, CHILDREN, CHILDREN]
    assert len(children) == len(parents) == 3 * CHILDREN + 1
    assert parents.tolist() == np.repeat(of.evaluation_id[niches], [CHILDREN + 1, CHILDREN, CHILDREN]).tolist()


@pytest.mark.usefixtures("plain")
def test_each_search_hears_of_its_own_children_and_class() -> None:
    of, emitter = archive([0.1] * 8), refining()
    emitter.ask(of, 2 * CHILDREN)
    scores = torch.zeros(2 * CHILDREN, 8)
    first, second = emitter.searches
    scores[3, first.index], scores[CHILDREN + 2, second.index] = 0.4, 0.6
    scores[2, second.index] = scores[CHILDREN, first.index] = 0.9  # the other's children
    emitter.tell(of, scores)
    assert (first.best, second.best) == pytest.approx((0.4, 0.6))


@pytest.mark.usefixtures("plain")
def test_a_search_that_stands_still_is_given_up_and_one_that_gets_on_is_not() -> None:
    of, emitter = archive([0.1] * 50), refining()
    niche = emitted(emitter, of, 0.05)[0]
    first = emitter.searches[0]
    for _ in range(PATIENCE - 2):
        assert emitted(emitter, of, 0.05) == [niche]
    assert emitted(emitter, of, 0.2) == [niche]  # better, in time
    for _ in range(PATIENCE):
        assert emitter.searches[0] is first
        emitted(emitter, of, 0.2)
    emitter.ask(of, CHILDREN)
    assert emitter.searches[0] is not first


@pytest.mark.parametrize(("count", "weakest", "surest"), [(2, 1, 1), (5, 1, 1), (33, 1, 3), (150, 3, 15)])
def test_a_third_of_the_searches_is_for_the_weakest_and_one_for_the_surest(
    count: int, weakest: int, surest: int
) -> None:
    order = np.random.default_rng(0).permutation(count)
    confidence = np.concatenate([0.1 + 0.8 * order / count, np.full(30, 0.995)]).tolist()
    of = archive(confidence)
    seen = np.array([emitted(refining(seed), of, 0.0)[0] for seed in range(400)])
    assert seen.max() < count
    for end, few in ((order < weakest, weakest), (order >= count - surest, surest)):
        share = np.isin(seen, np.flatnonzero(end)).mean()
        assert share == pytest.approx((1 + few / count) / 3, abs=0.08)
        assert set(np.flatnonzero(end)) <= set(seen.tolist())


def test_searches_side_by_side_hear_of_their_own_children_scouted_or_not() -> None:
    coded, of = build("cppn", "default"), archive([0.1] * 8)
    emitter, number = refining(seed=3, mutate=lambda parents: coded.mutate(parents, Rng(5))), 4 * CHILDREN
    children, _ = emitter.ask(of, number)
    before = list(emitter.searches)
    scouted = [place in emitter._scouts for place in range(4)]
    assert 0 < sum(scouted) < 4
    scores = torch.zeros(number, 8)
    for place, search in enumerate(before):
        scores[place * CHILDREN + place, search.index] = 0.2 + 0.1 * place
    emitter.tell(of, scores)
    for place, (was, now) in enumerate(zip(before, emitter.searches, strict=True)):
        assert (was is now) == (not scouted[place])
        assert now.best == pytest.approx(0.2 + 0.1 * place)
        if scouted[place]:
            assert_same_arrays(vars(now.elite), vars(children.take(np.array([place * CHILDREN + place]))))


def test_a_scouted_search_climbs_from_the_best_of_mutated_elites(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refine, "SCOUTED", 1.0)
    coded, of = build("cppn", "default"), archive([0.1] * 8)
    emitter = refining(mutate=lambda parents: coded.mutate(parents, Rng(5)))
    children, parents = emitter.ask(of, CHILDREN)
    (search,) = emitter.searches
    assert set(parents.tolist()) == {int(of.evaluation_id[search.niche])}
    assert_same_arrays(vars(children), vars(coded.mutate(of.genomes.take(np.full(CHILDREN, search.niche)), Rng(5))))
    scores = torch.zeros(CHILDREN, 8)
    scores[7, search.index], scores[3, (search.index + 1) % 8] = 0.05, 0.9
    emitter.tell(of, scores)
    (found,) = emitter.searches
    assert (found.niche, found.evaluation_id, found.best) == (search.niche, search.evaluation_id, pytest.approx(0.05))
    assert_same_arrays(vars(found.elite), vars(children.take(np.array([7]))))
    np.testing.assert_allclose(found.centroid, weights_of(found.elite)[0])
    again, _ = emitter.ask(of, CHILDREN)  # now its weights alone
    for name in ("activation", "position", "source", "sink"):
        assert (getattr(again, name) == getattr(found.elite, name)).all()


@pytest.mark.parametrize("left", [0, 1])
def test_a_scout_without_connections_is_not_climbed_from(left: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refine, "SCOUTED", 1.0)

    def cut(parents: CPPNBatch) -> CPPNBatch:
        parents.source[left:], parents.sink[left:] = EMPTY, EMPTY
        return parents

    of, emitter = archive([0.1] * 8), refining(mutate=cut)
    emitter.ask(of, CHILDREN)
    (before,) = emitter.searches
    emitter.tell(of, torch.linspace(0.2, 0.9, CHILDREN)[:, None].expand(-1, 8))
    (after,) = emitter.searches
    assert (after is before) == (left == 0)
    assert after.best == pytest.approx(0.2 if left else 0.1)
    assert len(after.edges) == len(before.edges) > 0


def test_where_nobody_has_connections_elites_are_mutated() -> None:
    of, emitter = archive([0.1] * 8), refining(mutate=lambda parents: parents)
    of.genomes.source[:], of.genomes.sink[:] = EMPTY, EMPTY
    children, parents = emitter.ask(of, CHILDREN)
    assert (len(children), set(parents.tolist()) <= set(of.evaluation_id.tolist())) == (CHILDREN, True)
    emitter.tell(of, torch.zeros(CHILDREN, 8))
    assert emitter.searches == []
    assert emitter.state() == {}


def test_a_search_ends_when_its_class_is_sure() -> None:
    of, emitter = archive([0.1] * 50), refining()
    emitted(emitter, of, 0.995)
    first = emitter.searches[0]
    assert first.ended(SURE)
    emitter.ask(of, CHILDREN)
    assert emitter.searches[0] is not first


def test_a_search_goes_on_to_the_next_nine_where_all_are_sure() -> None:
    of, emitter = archive([0.992] * 50), refining()
    emitted(emitter, of, 0.995)
    first = emitter.searches[0]
    emitted(emitter, of, 0.9995)
    assert emitter.searches[0] is first
    emitter.ask(of, CHILDREN)
    assert emitter.searches[0] is not first


def test_a_search_whose_numbers_fell_apart_ends() -> None:
    search = Search(elite(), 0, 0, 100, 0.1, 10)
    search.children(LIMIT, Rng(0))
    search.C = np.full_like(search.C, np.nan)
    search.learn(np.linspace(0, 0.5, 10))
    assert search.ended(SURE)
    again = Search.of(frozen(search.state()), build("cppn", "default").load, archive([0.5]))
    assert again.ended(SURE)
    assert np.isfinite(weights_of(again.children(LIMIT, Rng(0)))).all()


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
    of, emitter = archive([0.1, 0.2]), refining()
    emitted(emitter, of, 0.1)
    state = frozen(emitter.state())
    if lie is None:
        del state[name]
    else:
        state[name] = lie
    with pytest.raises((ValueError, KeyError)):
        refining().restore(state, of)


# Names


@pytest.mark.parametrize(
    ("names", "encoding", "batch", "parts"),
    [
        ("vray", "cppn", 50, ['unknown emitter "vray"', 'did you mean "vary"']),
        ("", "cppn", 50, ['unknown emitter ""', "vary, tweak, restart, refine"]),
        ([], "cppn", 50, ["--emitters takes one or more of vary, tweak, restart, refine"]),
        (None, "cppn", 50, ["--emitters takes", "got None"]),
        ("vary,vary", "cppn", 50, ["twice"]),
        ("vary,refine", "direct", 50, ["weights of CPPNs", "direct"]),
        ("tweak", "direct", 50, ["small changes to CPPNs", "direct"]),
        ("vary,restart", "direct", 50, ["small changes to CPPNs", "direct"]),
        ("vary,restrat", "cppn", 50, ['unknown emitter "restrat"', 'did you mean "restart"']),
        ("vary,refine", "cppn", 7, ["--batch 8 or more, got 7"]),
        ("refine", "cppn", 7, ["--batch 8 or more, got 7"]),
        ("vary,refine@5", "cppn", 7, ["--batch 8 or more, got 7"]),
        ("vary,refine@", "cppn", 50, ['"refine@"', "number of evaluations", "refine@100000"]),
        ("vary,refine@100k", "cppn", 50, ['"refine@100k"', "number of evaluations"]),
        ("vary,refine@-1", "cppn", 50, ['"refine@-1"', "number of evaluations"]),
        ("vary,refine@" + "9" * 5000, "cppn", 50, ["number of evaluations"]),
        ("vary,refine@1@2", "cppn", 50, ["number of evaluations"]),
        ("refine@1,refine@2", "cppn", 50, ["twice"]),
        ("refine,refine@2", "cppn", 50, ["twice"]),
        ("refine@100", "cppn", 50, ["refine@100", "at once"]),
        ("vray@x", "cppn", 50, ['unknown emitter "vray"']),
        ("vray@100", "cppn", 50, ['unknown emitter "vray"', 'did you mean "vary"']),
    ],
)
def test_refused(names: object, encoding: str, batch: int, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as refusal:
        known_emitters(names, encoding, batch)
    assert all(part in str(refusal.value) for part in parts), refusal.value


def test_known() -> None:
    assert known_emitters("vary", "direct", 1) == ("vary",)
    assert known_emitters(" refine, vary", "cppn", 8) == ("refine", "vary")
    assert known_emitters("vary,refine @ 0100", "cppn", 8) == ("vary", "refine@100")
    assert known_emitters("vary,tweak@150000", "cppn", 1) == ("vary", "tweak@150000")
    assert known_emitters(["refine@0", "vary@3"], "cppn", 8) == ("refine", "vary@3")
