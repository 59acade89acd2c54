"""New starts: lines from the elites of other classes, which compete with themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from emitting import archive, evolution, resumed_beside
from support import assert_same_arrays, build, frozen, global_random_untouched

from evofool.archive import Archive
from evofool.encodings.cppn_batch import EMPTY, CPPNBatch
from evofool.rng import Rng
from evofool.strategies.restart import KEPT, PATIENCE, Line, Restart
from evofool.strategies.sharing import CHILDREN


def restarting(seed: int = 0, mutate: Callable[[CPPNBatch], CPPNBatch] = lambda parents: parents) -> Restart:
    return Restart(mutate, Rng(seed))


def generation(emitter: Restart, of: Archive, score: float, n: int = CHILDREN) -> list[int]:
    """One in which every child scores this for every class; returns the classes of its lines."""
    emitter.emit(of, n)
    emitter.heed(of, torch.full((n, len(of)), score))
    return [line.index for line in emitter.lines]


def test_a_line_begins_from_the_other_elites_that_score_its_class_highest() -> None:
    of = archive([1.0] * 5 + [0.1] + [1.0] * 24)
    of.scores[:, 5] = torch.linspace(0, 0.3, 30)
    of.scores[5, 5] = 0.9
    emitter = restarting()
    with global_random_untouched():
        children, parents = emitter.emit(of, CHILDREN)
    (line,) = emitter.lines
    best = np.arange(29, 29 - KEPT, -1)
    assert line.index == 5
    assert line.born.tolist() == (100 + best).tolist()
    np.testing.assert_allclose(line.scores, of.scores[best, 5].numpy())
    assert_same_arrays(vars(line.genomes), vars(of.genomes.take(best)))
    assert set(parents.tolist()) <= set(line.born.tolist())
    assert len(set(parents.tolist())) > KEPT / 2
    assert_same_arrays(vars(children), vars(of.genomes.take(parents - 100)))


def test_an_elite_with_several_niches_begins_a_line_once() -> None:
    of = archive([0.5, 0.6, 0.6, 0.7])
    of.born[:] = [100, 101, 101, 103]
    emitter = restarting(3)
    emitter.emit(of, CHILDREN)
    born = emitter.lines[0].born.tolist()
    assert sorted(born) == sorted(set(born))
    assert of.born[emitter.lines[0].index] not in born


def test_children_are_the_mutated_best_of_the_line() -> None:
    run, of = evolution(emitters=("vary", "restart")), archive([0.1] * 12)
    children, _ = run.toolbox.restart(of, 30)
    emitter = run.strategy.emitters["restart"]
    assert isinstance(emitter, Restart)
    scores = torch.zeros(30, 12)
    scores[7] = 0.05
    emitter.heed(of, scores)
    (line,) = emitter.lines
    assert line.scores[0] == pytest.approx(0.05)
    assert_same_arrays(vars(line.genomes.take(np.array([0]))), vars(children.take(np.array([7]))))
    rng = Rng(0)
    rng.restore(frozen(run.rng.state()))
    rows = rng.host.integers(KEPT, size=30)
    again, _ = run.toolbox.restart(of, 30)
    assert_same_arrays(vars(again), vars(run.encoding.mutate_slightly(line.genomes.take(rows), rng)))


def test_the_best_go_on_though_the_elite_is_better() -> None:
    of, emitter = archive([0.4] * 12), restarting()
    of.scores[:] = 0.001
    emitter.emit(of, CHILDREN)
    (line,) = emitter.lines
    own = torch.linspace(0.0, 0.1, CHILDREN)
    emitter.heed(of, own[:, None].expand(-1, 12))
    np.testing.assert_allclose(line.scores, own.flip(0)[:KEPT].numpy(), rtol=1e-6)
    assert not line.ended
    emitter.emit(of, CHILDREN)
    assert emitter.lines == [line]


def test_of_equal_ones_those_before_stay() -> None:
    genomes = build("cppn", "default").random(6, Rng(0))
    line = Line(0, genomes.take(np.arange(3)), np.array([0.3, 0.2, 0.1]), np.array([1, 2, 3]))
    line.learn(genomes.take(np.arange(3, 6)), np.array([1, 1, 2]), np.array([0.3, 0.2, 0.0]))
    assert line.scores.tolist() == [0.3, 0.3, 0.2, 0.2, 0.1, 0.0]
    assert line.born.tolist() == [1, 1, 2, 1, 3, 2]
    assert line.stale == 1
    assert_same_arrays(vars(line.genomes), vars(genomes.take(np.array([0, 3, 1, 4, 2, 5]))))


def test_a_line_keeps_a_few() -> None:
    of, emitter = archive([0.1] * 30), restarting()
    for _ in range(3):
        generation(emitter, of, 0.05, 3 * CHILDREN)
    assert [len(line.genomes) for line in emitter.lines] == [KEPT] * 3


def test_a_line_that_stands_still_is_given_up_and_one_that_gets_on_is_not() -> None:
    of, emitter = archive([0.5] * 50), restarting()
    generation(emitter, of, 0.05)
    (first,) = emitter.lines
    for _ in range(PATIENCE - 1):
        generation(emitter, of, 0.05)
    generation(emitter, of, 0.06)  # better, in time
    for _ in range(PATIENCE):
        assert emitter.lines == [first]
        generation(emitter, of, 0.06)
    emitter.emit(of, CHILDREN)
    assert emitter.lines != [first]


def test_a_line_ends_when_its_class_is_sure() -> None:
    of, emitter = archive([0.5] * 50), restarting()
    generation(emitter, of, 0.98)
    (first,) = emitter.lines
    generation(emitter, of, 0.995)
    assert first.ended
    emitter.emit(of, CHILDREN)
    assert emitter.lines != [first]


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
    children, parents = emitter.emit(of, 3 * CHILDREN + 1)
    assert len(children) == len(parents) == 3 * CHILDREN + 1
    first, second, third = emitter.lines
    assert len({line.index for line in emitter.lines}) == 3
    scores = torch.zeros(3 * CHILDREN + 1, 8)
    scores[CHILDREN, first.index], scores[CHILDREN + 1, second.index] = 0.4, 0.6
    scores[CHILDREN + 1, first.index] = scores[CHILDREN, second.index] = scores[0, third.index] = 0.9  # another's
    emitter.heed(of, scores)
    assert [line.scores[0] for line in emitter.lines] == pytest.approx([0.4, 0.6, 0.0])
    for line, row in ((first, CHILDREN), (second, CHILDREN + 1)):
        assert line.born[0] == parents[row]
        assert_same_arrays(vars(line.genomes.take(np.array([0]))), vars(children.take(np.array([row]))))


def test_more_lines_than_classes_that_are_not_sure() -> None:
    of, emitter = archive([0.1, 0.995, 0.2]), restarting()
    emitter.emit(of, 4 * CHILDREN)
    assert [line.index for line in emitter.lines] == [0, 2, 0, 0]


def test_a_class_alone_begins_from_its_own_elite() -> None:
    run = evolution(emitters=("vary", "restart"), niches=np.array([2]))
    run.step()
    run.toolbox.restart(run.archive, 16)
    emitter = run.strategy.emitters["restart"]
    assert isinstance(emitter, Restart)
    assert emitter.lines[0].born.tolist() == run.archive.born.tolist()


@pytest.mark.parametrize("generations", [1, 2, 9])
@pytest.mark.parametrize("emitters", [("vary", "restart"), ("restart",), ("vary", "restart@48", "tweak")])
def test_a_restored_evolution_goes_on_as_the_undisturbed_one(generations: int, emitters: tuple[str, ...]) -> None:
    run = resumed_beside(generations, 16, batch=40, emitters=emitters)
    assert "strategy.restart.1.scores" in run.state()


@pytest.mark.parametrize(
    ("name", "lie"),
    [
        ("0.numbers", np.array([-1, 0])),
        ("0.numbers", np.array([0, -1])),
        ("0.numbers", None),
        ("0.scores", np.zeros(3)),
        ("0.scores", np.zeros(4, np.float32)),
        ("0.scores", np.full(4, np.nan)),
        ("0.born", np.full(4, -1)),
        ("0.born", np.zeros((4, 1), np.int64)),
        ("0.genomes.source", np.full((4, 256), 99, np.int16)),
        ("0.genomes.source", np.full((4, 256), EMPTY, np.int64)),
    ],
)
def test_a_damaged_state_is_refused(name: str, lie: np.ndarray | None) -> None:
    emitter = restarting()
    generation(emitter, archive([0.1] * 5), 0.0)
    emitter.lines[0] = Line(0, emitter.lines[0].genomes.take(np.arange(4)), np.zeros(4), np.arange(4))
    state = frozen(emitter.state())
    restarting().restore(state)
    if lie is None:
        del state[name]
    else:
        state[name] = lie
    with pytest.raises((ValueError, KeyError)):
        restarting().restore(state)
