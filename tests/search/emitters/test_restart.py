"""New starts: lineages from the elites of other classes, which compete among themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from emitting import archive, evolution, resumed_beside
from support import assert_same_arrays, build, frozen, global_random_untouched

from evofool.encodings.cppn.batch import CPPNBatch
from evofool.kernels.constants import EMPTY
from evofool.rng import Rng
from evofool.search.archive import Archive
from evofool.search.emitters.batches import CHILDREN_PER_SEARCH
from evofool.search.emitters.restart import LINEAGE_SIZE, MAX_AGE, PATIENCE, Lineage, Restart

CHILDREN = CHILDREN_PER_SEARCH


def restarting(seed: int = 0, mutate: Callable[[CPPNBatch], CPPNBatch] = lambda parents: parents) -> Restart:
    return Restart(mutate, build("cppn", "default").load, Rng(seed))


def generation(emitter: Restart, elites: Archive, score: float, n: int = CHILDREN) -> list[int]:
    """One in which every child scores this for every class; returns the classes of its lineages."""
    emitter.ask(elites, n)
    emitter.tell(elites, torch.full((n, len(elites)), score))
    return [lineage.class_index for lineage in emitter.lineages]


def test_a_lineage_begins_from_the_other_elites_that_score_its_class_highest() -> None:
    elites = archive([1.0] * 5 + [0.1] + [1.0] * 24)
    elites.kept.values[:, 5] = torch.linspace(0, 0.3, 30)
    elites.kept.values[5, 5] = 0.9
    emitter = restarting()
    with global_random_untouched():
        children, parents = emitter.ask(elites, CHILDREN)
    (lineage,) = emitter.lineages
    best = np.arange(29, 29 - LINEAGE_SIZE, -1)
    assert lineage.class_index == 5
    assert lineage.evaluation_id.tolist() == (100 + best).tolist()
    np.testing.assert_allclose(lineage.scores, elites.kept.values[best, 5].numpy())
    assert_same_arrays(vars(lineage.genomes), vars(elites.genomes.take(best)))
    assert set(parents.tolist()) <= set(lineage.evaluation_id.tolist())
    assert len(set(parents.tolist())) > LINEAGE_SIZE / 2
    assert_same_arrays(vars(children), vars(elites.genomes.take(parents - 100)))


def test_an_elite_with_several_niches_begins_a_lineage_once() -> None:
    elites = archive([0.5, 0.6, 0.6, 0.7])
    elites.evaluation_id[:] = [100, 101, 101, 103]
    emitter = restarting(3)
    emitter.ask(elites, CHILDREN)
    evaluation_id = emitter.lineages[0].evaluation_id.tolist()
    assert sorted(evaluation_id) == sorted(set(evaluation_id))
    assert elites.evaluation_id[emitter.lineages[0].class_index] not in evaluation_id


def test_children_are_the_mutated_best_of_the_lineage() -> None:
    run, elites = evolution(emitters=("vary", "restart")), archive([0.1] * 12)
    children, _ = run.toolbox.restart(elites, 30)
    emitter = run.search.schedule.emitters["restart"]
    assert isinstance(emitter, Restart)
    scores = torch.zeros(30, 12)
    scores[7] = 0.05
    emitter.tell(elites, scores)
    (lineage,) = emitter.lineages
    assert lineage.scores[0] == pytest.approx(0.05)
    assert_same_arrays(vars(lineage.genomes.take(np.array([0]))), vars(children.take(np.array([7]))))
    rng = Rng(0)
    rng.restore(frozen(run.rng.state()))
    rows = rng.host.integers(len(lineage.genomes), size=30)
    again, _ = run.toolbox.restart(elites, 30)
    assert_same_arrays(vars(again), vars(run.encoding.mutate_slightly(lineage.genomes.take(rows), rng)))


def test_the_best_go_on_though_the_elite_is_better() -> None:
    elites, emitter = archive([0.4] * 12), restarting()
    elites.kept.values[:] = 0.001
    emitter.ask(elites, CHILDREN)
    (lineage,) = emitter.lineages
    reached = torch.linspace(0.0, 0.1, CHILDREN)
    emitter.tell(elites, reached[:, None].expand(-1, 12))
    np.testing.assert_allclose(lineage.scores, reached.flip(0)[:LINEAGE_SIZE].numpy(), rtol=1e-6)
    assert not lineage.ended
    emitter.ask(elites, CHILDREN)
    assert emitter.lineages == [lineage]


def test_of_equal_ones_the_first_stays() -> None:
    genomes = build("cppn", "default").random(7, Rng(0))
    lineage = Lineage(0, genomes.take(np.arange(3)), np.array([0.3, 0.2, 0.1]), np.array([1, 2, 3]))
    lineage.tell(genomes.take(np.arange(3, 7)), np.array([1, 1, 2, 3]), np.array([0.3, 0.15, 0.0, 0.15]))
    assert lineage.scores.tolist() == [0.3, 0.2, 0.15, 0.1, 0.0]
    assert lineage.evaluation_id.tolist() == [1, 2, 1, 3, 2]
    assert (lineage.age, lineage.stale) == (4, 4)
    assert_same_arrays(vars(lineage.genomes), vars(genomes.take(np.array([0, 1, 4, 2, 5]))))


def test_a_lineage_keeps_a_few() -> None:
    elites, emitter = archive([0.1] * 30), restarting()
    for number in range(3):
        emitter.ask(elites, 3 * CHILDREN)
        emitter.tell(elites, torch.linspace(0.01, 0.02 + number / 100, 3 * CHILDREN)[:, None].expand(-1, 30))
    assert [len(lineage.genomes) for lineage in emitter.lineages] == [LINEAGE_SIZE] * 3
    assert all((np.diff(lineage.scores) < 0).all() for lineage in emitter.lineages)


def test_a_lineage_that_stands_still_is_given_up_and_one_that_gets_on_is_not() -> None:
    elites, emitter = archive([0.5] * 50), restarting()
    generation(emitter, elites, 0.05)
    (first,) = emitter.lineages
    for _ in range(PATIENCE // CHILDREN - 1):
        generation(emitter, elites, 0.05)
    generation(emitter, elites, 0.06)  # better, in time
    for _ in range(PATIENCE // CHILDREN):
        assert emitter.lineages == [first]
        generation(emitter, elites, 0.06)
    emitter.ask(elites, CHILDREN)
    assert emitter.lineages != [first]


def test_a_lineage_that_gets_on_for_long_is_given_up_too() -> None:
    elites, emitter = archive([0.5] * 50), restarting()
    for number in range(MAX_AGE // CHILDREN):
        generation(emitter, elites, 0.05 + number / 1e5)
        if not number:
            (first,) = emitter.lineages
        assert emitter.lineages == [first]
    emitter.ask(elites, CHILDREN)
    assert emitter.lineages != [first]


def test_patience_is_of_children_in_whatever_batches() -> None:
    elites, emitter = archive([0.5] * 50), restarting()
    generation(emitter, elites, 0.0, 1)
    (first,) = emitter.lineages
    for _ in range(PATIENCE - 1):
        assert emitter.lineages == [first]
        generation(emitter, elites, 0.0, 1)
    assert first.ended


def test_a_lineage_ends_when_its_class_is_sure_by_others() -> None:
    elites, emitter = archive([0.1, 0.5, 0.6]), restarting()
    assert generation(emitter, elites, 0.05) == [0]
    elites.confidence[0] = 0.995
    assert generation(emitter, elites, 0.05) == [1]


def test_a_lineage_goes_on_where_only_the_search_is_sure_of_it() -> None:
    """What is scored in bfloat16 has to be confirmed."""
    elites, emitter = archive([0.5] * 50), restarting()
    generation(emitter, elites, 0.98)
    (first,) = emitter.lineages
    generation(emitter, elites, 0.995)
    emitter.ask(elites, CHILDREN)
    assert emitter.lineages == [first]
    elites.confidence[first.class_index] = 0.995
    emitter.ask(elites, CHILDREN)
    assert emitter.lineages != [first]


def test_once_all_classes_are_sure_lineages_are_for_those_short_of_the_next_nine() -> None:
    elites, emitter = archive([0.9995, 0.995, 0.996, 0.9992]), restarting()
    assert generation(emitter, elites, 0.05) == [1]
    (first,) = emitter.lineages
    elites.confidence[1] = 0.9981
    assert generation(emitter, elites, 0.06) == [1]
    assert emitter.lineages == [first]
    elites.confidence[1] = 0.9991
    assert generation(emitter, elites, 0.07) == [2]


def test_where_all_are_as_sure_as_can_be_lineages_go_on() -> None:
    elites, emitter = archive([0.9999995, 1.0]), restarting()
    assert generation(emitter, elites, 0.05) == [0]
    (first,) = emitter.lineages
    for number in range(3):
        generation(emitter, elites, 0.06 + number / 100)
        assert emitter.lineages == [first]


@pytest.mark.parametrize(("count", "weakest"), [(2, 1), (50, 1), (150, 3)])
def test_lineages_are_for_the_weakest_classes(count: int, weakest: int) -> None:
    order = np.random.default_rng(0).permutation(count)
    elites = archive([*(0.1 + 0.8 * order / count).tolist(), *[0.995] * 30])
    seen = {generation(restarting(seed), elites, 0.0)[0] for seed in range(60)}
    assert seen == set(np.flatnonzero(order < weakest).tolist())


def test_a_lineage_beside_others_is_for_the_weakest_of_the_rest() -> None:
    elites, emitter = archive([0.5, 0.2, 0.4, 0.995, 0.3]), restarting()
    assert generation(emitter, elites, 0.0, 3 * CHILDREN) == [1, 4, 2]


@pytest.mark.parametrize("sure", [[0.995, 0.999], [1.0, 1.0]])
def test_where_all_are_sure_it_takes_the_weakest_of_these(sure: list[float]) -> None:
    assert generation(restarting(), archive(sure), 0.0) == [0]


def test_lineages_side_by_side_are_for_different_classes_and_hear_of_their_own_children() -> None:
    elites, emitter = archive([0.1] * 8), restarting()
    children, parents = emitter.ask(elites, 3 * CHILDREN + 1)
    assert len(children) == len(parents) == 3 * CHILDREN + 1
    first, second, third = emitter.lineages
    assert len({lineage.class_index for lineage in emitter.lineages}) == 3
    scores = torch.zeros(3 * CHILDREN + 1, 8)
    scores[CHILDREN, first.class_index], scores[CHILDREN + 1, second.class_index] = 0.4, 0.6
    for row, other in ((CHILDREN + 1, first), (CHILDREN, second), (0, third)):
        scores[row, other.class_index] = 0.9  # not their children
    emitter.tell(elites, scores)
    assert [lineage.scores[0] for lineage in emitter.lineages] == pytest.approx([0.4, 0.6, 0.0])
    for lineage, row in ((first, CHILDREN), (second, CHILDREN + 1)):
        assert lineage.evaluation_id[0] == parents[row]
        assert_same_arrays(vars(lineage.genomes.take(np.array([0]))), vars(children.take(np.array([row]))))


def test_more_lineages_than_classes_that_are_not_sure() -> None:
    elites, emitter = archive([0.1, 0.995, 0.2]), restarting()
    emitter.ask(elites, 4 * CHILDREN)
    assert [lineage.class_index for lineage in emitter.lineages] == [0, 2, 0, 0]


def test_a_class_alone_begins_from_its_own_elite() -> None:
    run = evolution(emitters=("vary", "restart"), classes=(2,))
    run.step()
    run.toolbox.restart(run.archive, 16)
    emitter = run.search.schedule.emitters["restart"]
    assert isinstance(emitter, Restart)
    assert emitter.lineages[0].evaluation_id.tolist() == run.archive.evaluation_id.tolist()


@pytest.mark.parametrize("generations", [1, 2, 9])
@pytest.mark.parametrize("emitters", [("vary", "restart"), ("restart",), ("vary", "restart@48", "tweak")])
def test_a_restored_evolution_goes_on_as_the_undisturbed_one(generations: int, emitters: tuple[str, ...]) -> None:
    run = resumed_beside(generations, 16, batch=40, emitters=emitters)
    assert "search.emitters.restart.1.scores" in run.state()


def test_lineages_go_by_the_searchs_scores_and_elites_by_confirmed_ones() -> None:
    run = resumed_beside(3, 6, batch=40, emitters=("vary", "restart"), precision="bfloat16")
    assert run.search.schedule.turns.min() > 0
    images = run.encoding.decode(run.archive.genomes.take(np.arange(4)))
    torch.testing.assert_close(run.archive.kept.values, run.target.confirm(images), atol=1e-6, rtol=0)


@pytest.mark.parametrize("batch", [1, 2, 39])
def test_small_batches(batch: int) -> None:
    run = resumed_beside(4, 8, batch=batch, emitters=("vary", "restart"))
    assert run.search.schedule.turns.min() > 0


def test_lineages_are_restored_as_they_were() -> None:
    run, restored = (evolution(seed, batch=40, emitters=("restart",)) for seed in (0, 1))
    for _ in range(5):
        run.step()
    restored.restore(frozen(run.state()))
    ours, theirs = (other.search.schedule.emitters["restart"] for other in (run, restored))
    assert isinstance(ours, Restart)
    assert [lineage.age > 0 for lineage in ours.lineages] == [True, True]
    assert_same_arrays(ours.state(), theirs.state())


def test_of_several_niches_a_class_the_surest_counts() -> None:
    made = Archive(np.array([4, 7, 2]), 9, niches_per_class=2)
    made.genomes = build("cppn", "default").random(6, Rng(7))
    made.evaluation_id[:] = 100 + np.arange(6)
    made.confidence[:] = [0.1, 0.9, 0.2, 0.3, 0.995, 0.0]
    made.kept.values[:, 7] = torch.arange(6) / 10
    emitter = restarting()
    emitter.ask(made, CHILDREN)
    (lineage,) = emitter.lineages
    assert lineage.class_index == 7
    assert lineage.evaluation_id.tolist() == [105, 104, 101, 100]


@pytest.mark.parametrize(
    ("name", "lie"),
    [
        ("0.numbers", np.array([-1, 0, 0])),
        ("0.numbers", np.array([5, 0, 0])),
        ("0.numbers", np.array([0, -1, 0])),
        ("0.numbers", np.array([0, 0, -1])),
        ("0.numbers", np.array([0, 0])),
        ("0.numbers", np.array([0, 0, np.inf])),
        ("0.numbers", None),
        ("0.scores", np.zeros(3)),
        ("0.scores", np.zeros(4, np.float32)),
        ("0.scores", np.full(4, np.nan)),
        ("0.evaluation_id", np.full(4, -1)),
        ("0.evaluation_id", np.zeros((4, 1), np.int64)),
        ("0.genomes.source", np.full((4, 256), 99, np.int16)),
        ("0.genomes.source", np.full((4, 256), EMPTY, np.int64)),
        ("0.genomes.activation", np.full((4, 96), EMPTY, np.int8)),
    ],
)
def test_a_damaged_state_is_refused(name: str, lie: np.ndarray | None) -> None:
    elites, emitter = archive([0.1] * 5), restarting()
    generation(emitter, elites, 0.0)
    emitter.lineages[0] = Lineage(0, elites.genomes.take(np.arange(4)), np.zeros(4), np.arange(4))
    state = frozen(emitter.state())
    restarting().restore(state, elites)
    if lie is None:
        del state[name]
    else:
        state[name] = lie
    with pytest.raises((ValueError, KeyError)):
        restarting().restore(state, elites)


@pytest.mark.parametrize("slots", [{"max_nodes": 97}, {"max_connections": 257}])
def test_genomes_of_other_slots_are_refused(slots: dict[str, int]) -> None:
    elites, emitter = archive([0.1] * 5), restarting()
    generation(emitter, elites, 0.0)
    elites.genomes = build("cppn", "default", **slots).random(5, Rng(0))
    with pytest.raises(ValueError, match="slots"):
        restarting().restore(frozen(emitter.state()), elites)
