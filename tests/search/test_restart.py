"""New starts: lines from the elites of other classes, which compete with themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from emitting import archive, evolution, resumed_beside
from support import assert_same_arrays, build, frozen, global_random_untouched

from evofool.encodings.cppn.batch import CPPNBatch
from evofool.encodings.cppn.encoding import CPPN, PRESETS
from evofool.kernels.constants import EMPTY
from evofool.rng import Rng
from evofool.search.archive import Archive
from evofool.search.emitters.batches import CHILDREN
from evofool.search.emitters.restart import KEPT, LONGEST, PATIENCE, Line, Restart


def restarting(seed: int = 0, mutate: Callable[[CPPNBatch], CPPNBatch] = lambda parents: parents) -> Restart:
    return Restart(mutate, build("cppn", "default").load, Rng(seed))


def generation(emitter: Restart, of: Archive, score: float, n: int = CHILDREN) -> list[int]:
    """One in which every child scores this for every class; returns the classes of its lines."""
    emitter.ask(of, n)
    emitter.tell(of, torch.full((n, len(of)), score))
    return [line.index for line in emitter.lines]


def test_a_line_begins_from_the_other_elites_that_score_its_class_highest() -> None:
    of = archive([1.0] * 5 + [0.1] + [1.0] * 24)
    of.scores[:, 5] = torch.linspace(0, 0.3, 30)
    of.scores[5, 5] = 0.9
    emitter = restarting()
    with global_random_untouched():
        children, parents = emitter.ask(of, CHILDREN)
    (line,) = emitter.lines
    best = np.arange(29, 29 - KEPT, -1)
    assert line.index == 5
    assert line.evaluation_id.tolist() == (100 + best).tolist()
    np.testing.assert_allclose(line.scores, of.scores[best, 5].numpy())
    assert_same_arrays(vars(line.genomes), vars(of.genomes.take(best)))
    assert set(parents.tolist()) <= set(line.evaluation_id.tolist())
    assert len(set(parents.tolist())) > KEPT / 2
    assert_same_arrays(vars(children), vars(of.genomes.take(parents - 100)))


def test_an_elite_with_several_niches_begins_a_line_once() -> None:
    of = archive([0.5, 0.6, 0.6, 0.7])
    of.evaluation_id[:] = [100, 101, 101, 103]
    emitter = restarting(3)
    emitter.ask(of, CHILDREN)
    evaluation_id = emitter.lines[0].evaluation_id.tolist()
    assert sorted(evaluation_id) == sorted(set(evaluation_id))
    assert of.evaluation_id[emitter.lines[0].index] not in evaluation_id


def test_children_are_the_mutated_best_of_the_line() -> None:
    run, of = evolution(emitters=("vary", "restart")), archive([0.1] * 12)
    children, _ = run.toolbox.restart(of, 30)
    emitter = run.strategy.emitters["restart"]
    assert isinstance(emitter, Restart)
    scores = torch.zeros(30, 12)
    scores[7] = 0.05
    emitter.tell(of, scores)
    (line,) = emitter.lines
    assert line.scores[0] == pytest.approx(0.05)
    assert_same_arrays(vars(line.genomes.take(np.array([0]))), vars(children.take(np.array([7]))))
    rng = Rng(0)
    rng.restore(frozen(run.rng.state()))
    rows = rng.host.integers(len(line.genomes), size=30)
    again, _ = run.toolbox.restart(of, 30)
    assert_same_arrays(vars(again), vars(run.encoding.mutate_slightly(line.genomes.take(rows), rng)))


def test_the_best_go_on_though_the_elite_is_better() -> None:
    of, emitter = archive([0.4] * 12), restarting()
    of.scores[:] = 0.001
    emitter.ask(of, CHILDREN)
    (line,) = emitter.lines
    own = torch.linspace(0.0, 0.1, CHILDREN)
    emitter.tell(of, own[:, None].expand(-1, 12))
    np.testing.assert_allclose(line.scores, own.flip(0)[:KEPT].numpy(), rtol=1e-6)
    assert not line.ended
    emitter.ask(of, CHILDREN)
    assert emitter.lines == [line]


def test_of_equal_ones_the_first_stays() -> None:
    genomes = build("cppn", "default").random(7, Rng(0))
    line = Line(0, genomes.take(np.arange(3)), np.array([0.3, 0.2, 0.1]), np.array([1, 2, 3]))
    line.learn(genomes.take(np.arange(3, 7)), np.array([1, 1, 2, 3]), np.array([0.3, 0.15, 0.0, 0.15]))
    assert line.scores.tolist() == [0.3, 0.2, 0.15, 0.1, 0.0]
    assert line.evaluation_id.tolist() == [1, 2, 1, 3, 2]
    assert (line.age, line.stale) == (4, 4)
    assert_same_arrays(vars(line.genomes), vars(genomes.take(np.array([0, 1, 4, 2, 5]))))


def test_a_line_keeps_a_few() -> None:
    of, emitter = archive([0.1] * 30), restarting()
    for number in range(3):
        emitter.ask(of, 3 * CHILDREN)
        emitter.tell(of, torch.linspace(0.01, 0.02 + number / 100, 3 * CHILDREN)[:, None].expand(-1, 30))
    assert [len(line.genomes) for line in emitter.lines] == [KEPT] * 3
    assert all((np.diff(line.scores) < 0).all() for line in emitter.lines)


def test_a_line_that_stands_still_is_given_up_and_one_that_gets_on_is_not() -> None:
    of, emitter = archive([0.5] * 50), restarting()
    generation(emitter, of, 0.05)
    (first,) = emitter.lines
    for _ in range(PATIENCE // CHILDREN - 1):
        generation(emitter, of, 0.05)
    generation(emitter, of, 0.06)  # better, in time
    for _ in range(PATIENCE // CHILDREN):
        assert emitter.lines == [first]
        generation(emitter, of, 0.06)
    emitter.ask(of, CHILDREN)
    assert emitter.lines != [first]


def test_a_line_that_gets_on_for_long_is_given_up_too() -> None:
    of, emitter = archive([0.5] * 50), restarting()
    for number in range(LONGEST // CHILDREN):
        generation(emitter, of, 0.05 + number / 1e5)
        if not number:
            (first,) = emitter.lines
        assert emitter.lines == [first]
    emitter.ask(of, CHILDREN)
    assert emitter.lines != [first]


def test_patience_is_of_children_in_whatever_batches() -> None:
    of, emitter = archive([0.5] * 50), restarting()
    generation(emitter, of, 0.0, 1)
    (first,) = emitter.lines
    for _ in range(PATIENCE - 1):
        assert emitter.lines == [first]
        generation(emitter, of, 0.0, 1)
    assert first.ended


def test_a_line_ends_when_its_class_is_sure_by_others() -> None:
    of, emitter = archive([0.1, 0.5, 0.6]), restarting()
    assert generation(emitter, of, 0.05) == [0]
    of.confidence[0] = 0.995
    assert generation(emitter, of, 0.05) == [1]


def test_a_line_goes_on_where_only_the_search_is_sure_of_it() -> None:
    """What is scored in bfloat16 has to be confirmed."""
    of, emitter = archive([0.5] * 50), restarting()
    generation(emitter, of, 0.98)
    (first,) = emitter.lines
    generation(emitter, of, 0.995)
    emitter.ask(of, CHILDREN)
    assert emitter.lines == [first]
    of.confidence[first.index] = 0.995
    emitter.ask(of, CHILDREN)
    assert emitter.lines != [first]


def test_once_all_classes_are_sure_lines_are_for_those_short_of_the_next_nine() -> None:
    of, emitter = archive([0.9995, 0.995, 0.996, 0.9992]), restarting()
    assert generation(emitter, of, 0.05) == [1]
    (first,) = emitter.lines
    of.confidence[1] = 0.9981
    assert generation(emitter, of, 0.06) == [1]
    assert emitter.lines == [first]
    of.confidence[1] = 0.9991
    assert generation(emitter, of, 0.07) == [2]


def test_where_all_are_as_sure_as_can_be_lines_go_on() -> None:
    of, emitter = archive([0.9999995, 1.0]), restarting()
    assert generation(emitter, of, 0.05) == [0]
    (first,) = emitter.lines
    for number in range(3):
        generation(emitter, of, 0.06 + number / 100)
        assert emitter.lines == [first]


@pytest.mark.parametrize(("count", "weakest"), [(2, 1), (50, 1), (150, 3)])
def test_lines_are_for_the_weakest_classes(count: int, weakest: int) -> None:
    order = np.random.default_rng(0).permutation(count)
    of = archive([*(0.1 + 0.8 * order / count).tolist(), *[0.995] * 30])
    seen = {generation(restarting(seed), of, 0.0)[0] for seed in range(60)}
    assert seen == set(np.flatnonzero(order < weakest).tolist())


def test_a_line_beside_others_is_for_the_weakest_of_the_rest() -> None:
    of, emitter = archive([0.5, 0.2, 0.4, 0.995, 0.3]), restarting()
    assert generation(emitter, of, 0.0, 3 * CHILDREN) == [1, 4, 2]


@pytest.mark.parametrize("sure", [[0.995, 0.999], [1.0, 1.0]])
def test_where_all_are_sure_it_takes_the_weakest_of_these(sure: list[float]) -> None:
    assert generation(restarting(), archive(sure), 0.0) == [0]


def test_lines_side_by_side_are_for_different_classes_and_hear_of_their_own_children() -> None:
    of, emitter = archive([0.1] * 8), restarting()
    children, parents = emitter.ask(of, 3 * CHILDREN + 1)
    assert len(children) == len(parents) == 3 * CHILDREN + 1
    first, second, third = emitter.lines
    assert len({line.index for line in emitter.lines}) == 3
    scores = torch.zeros(3 * CHILDREN + 1, 8)
    scores[CHILDREN, first.index], scores[CHILDREN + 1, second.index] = 0.4, 0.6
    scores[CHILDREN + 1, first.index] = scores[CHILDREN, second.index] = scores[0, third.index] = 0.9  # another's
    emitter.tell(of, scores)
    assert [line.scores[0] for line in emitter.lines] == pytest.approx([0.4, 0.6, 0.0])
    for line, row in ((first, CHILDREN), (second, CHILDREN + 1)):
        assert line.evaluation_id[0] == parents[row]
        assert_same_arrays(vars(line.genomes.take(np.array([0]))), vars(children.take(np.array([row]))))


def test_more_lines_than_classes_that_are_not_sure() -> None:
    of, emitter = archive([0.1, 0.995, 0.2]), restarting()
    emitter.ask(of, 4 * CHILDREN)
    assert [line.index for line in emitter.lines] == [0, 2, 0, 0]


def test_a_class_alone_begins_from_its_own_elite() -> None:
    run = evolution(emitters=("vary", "restart"), niches=np.array([2]))
    run.step()
    run.toolbox.restart(run.archive, 16)
    emitter = run.strategy.emitters["restart"]
    assert isinstance(emitter, Restart)
    assert emitter.lines[0].evaluation_id.tolist() == run.archive.evaluation_id.tolist()


@pytest.mark.parametrize("generations", [1, 2, 9])
@pytest.mark.parametrize("emitters", [("vary", "restart"), ("restart",), ("vary", "restart@48", "tweak")])
def test_a_restored_evolution_goes_on_as_the_undisturbed_one(generations: int, emitters: tuple[str, ...]) -> None:
    run = resumed_beside(generations, 16, batch=40, emitters=emitters)
    assert "strategy.restart.1.scores" in run.state()


def test_lines_go_by_the_searchs_scores_and_elites_by_confirmed_ones() -> None:
    run = resumed_beside(3, 6, batch=40, emitters=("vary", "restart"), precision="bfloat16")
    assert run.strategy.turns.min() > 0
    images = run.encoding.decode(run.archive.genomes.take(np.arange(4)))
    torch.testing.assert_close(run.archive.scores, run.target.confirm(images), atol=1e-6, rtol=0)


@pytest.mark.parametrize("batch", [1, 2, 39])
def test_small_batches(batch: int) -> None:
    run = resumed_beside(4, 8, batch=batch, emitters=("vary", "restart"))
    assert run.strategy.turns.min() > 0


def test_lines_are_restored_as_they_were() -> None:
    run, restored = (evolution(seed, batch=40, emitters=("restart",)) for seed in (0, 1))
    for _ in range(5):
        run.step()
    restored.restore(frozen(run.state()))
    ours, theirs = (one.strategy.emitters["restart"] for one in (run, restored))
    assert isinstance(ours, Restart)
    assert isinstance(theirs, Restart)
    assert len(ours.lines) == len(theirs.lines) == 2
    for mine, its in zip(ours.lines, theirs.lines, strict=True):
        assert (mine.index, mine.age, mine.stale) == (its.index, its.age, its.stale)
        assert mine.age > 0
        assert_same_arrays(mine.state(), its.state())


def test_of_several_niches_a_class_the_surest_counts() -> None:
    made = Archive(np.array([4, 7, 2]), 9, cells=2)
    made.genomes = build("cppn", "default").random(6, Rng(7))
    made.evaluation_id[:] = 100 + np.arange(6)
    made.confidence[:] = [0.1, 0.9, 0.2, 0.3, 0.995, 0.0]
    made.scores[:, 7] = torch.arange(6) / 10
    emitter = restarting()
    emitter.ask(made, CHILDREN)
    (line,) = emitter.lines
    assert line.index == 7
    assert line.evaluation_id.tolist() == [105, 104, 101, 100]


def test_a_function_in_its_place_is_none_of_its_business() -> None:
    run = evolution(emitters=("restart",), batch=40)
    for _ in range(3):
        run.step()
    before = run.strategy.emitters["restart"].state()
    run.toolbox.register("restart", lambda archive, n: (archive.genomes.take(np.zeros(n, np.int64)), np.zeros(n)))
    run.step()
    assert_same_arrays(before, run.strategy.emitters["restart"].state())


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
    of, emitter = archive([0.1] * 5), restarting()
    generation(emitter, of, 0.0)
    emitter.lines[0] = Line(0, of.genomes.take(np.arange(4)), np.zeros(4), np.arange(4))
    state = frozen(emitter.state())
    restarting().restore(state, of)
    if lie is None:
        del state[name]
    else:
        state[name] = lie
    with pytest.raises((ValueError, KeyError)):
        restarting().restore(state, of)


@pytest.mark.parametrize("slots", [{"max_nodes": 97}, {"max_connections": 257}])
def test_genomes_of_other_slots_are_refused(slots: dict[str, int]) -> None:
    of, emitter = archive([0.1] * 5), restarting()
    generation(emitter, of, 0.0)
    of.genomes = CPPN((3, 8, 8), "cpu", replace(PRESETS["default"], **slots)).random(5, Rng(0))
    with pytest.raises(ValueError, match="slots"):
        restarting().restore(frozen(emitter.state()), of)
