"""The archive against an oracle that loops over niches and children."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import assert_same_arrays, frozen, genomes_of, labelled_batch, shared_again

from evofool.engines.population import NO_EVALUATION
from evofool.search.archive import Archive
from evofool.search.niche_genomes import NicheGenomes

CLASSES = 4
# Few values, so that ties are common; all are exact in float32.
score_rows = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=CLASSES, max_size=CLASSES)
batches = st.lists(st.lists(score_rows, min_size=1, max_size=6), min_size=1, max_size=5)
niche_sets = st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=5)


@dataclass
class Elite:
    confidence: float = -1.0
    scores: list[float] = field(default_factory=list)
    label: int = -1
    evaluation_id: int = NO_EVALUATION
    parent: int = NO_EVALUATION
    generation: int = 0


def as_arrays(batch: list[list[float]], generation: int) -> tuple[torch.Tensor, np.ndarray, np.ndarray, list[int]]:
    """Scores, evaluation IDs, parents and pixel labels that differ for every child of every batch."""
    evaluation_ids = np.arange(len(batch)) + 20 * generation
    return torch.tensor(batch), evaluation_ids, evaluation_ids - 7, [20 * generation + row for row in range(len(batch))]


def fill(archive: Archive, batch: list[list[float]], generation: int = 1) -> list[tuple[int, int]]:
    scores, evaluation_ids, parents, labels = as_arrays(batch, generation)
    update = archive.update(labelled_batch(labels), scores, evaluation_ids, parents, generation)
    return list(zip(update.niches.tolist(), update.rows.tolist(), strict=True))


@given(niche_sets, batches)
def test_it_keeps_what_a_loop_over_niches_and_children_keeps(
    niches: list[int], generations: list[list[list[float]]]
) -> None:
    archive = Archive(np.array(niches), CLASSES)
    oracle = [Elite() for _ in niches]
    for generation, batch in enumerate(generations, 1):
        _, evaluation_ids, parents, labels = as_arrays(batch, generation)
        beaten: dict[int, int] = {}
        contenders = set()
        for elite, column in zip(oracle, niches, strict=True):
            best = max(range(len(batch)), key=lambda row: batch[row][column])
            if batch[best][column] > elite.confidence:
                contenders.add(best)
        assert archive.contenders(torch.tensor(batch)).tolist() == sorted(contenders)
        for niche, column in enumerate(niches):
            for row, scores in enumerate(batch):
                if scores[column] > oracle[niche].confidence:
                    oracle[niche] = Elite(
                        scores[column], scores, labels[row], int(evaluation_ids[row]), int(parents[row]), generation
                    )
                    beaten[niche] = row
        assert fill(archive, batch, generation) == sorted(beaten.items())

    assert archive.confidence.tolist() == [elite.confidence for elite in oracle]
    assert archive.kept.values.tolist() == [elite.scores for elite in oracle]
    assert genomes_of(archive).genes.flatten().tolist() == [elite.label for elite in oracle]
    assert archive.evaluation_id.tolist() == [elite.evaluation_id for elite in oracle]
    assert archive.parent.tolist() == [elite.parent for elite in oracle]
    assert archive.generation.tolist() == [elite.generation for elite in oracle]


def test_an_equal_score_does_not_replace_an_elite() -> None:
    archive = Archive(np.array([0]), 2)
    fill(archive, [[0.5, 0.0]], 1)
    assert fill(archive, [[0.5, 1.0]], 2) == []
    assert archive.evaluation_id.tolist() == [20]
    above = float(np.nextafter(np.float32(0.5), np.float32(1)))
    assert fill(archive, [[above, 0.0]], 3) == [(0, 0)]


def test_the_first_of_equal_children_wins() -> None:
    archive = Archive(np.array([0, 1]), 2)
    assert fill(archive, [[0.1, 0.9], [0.7, 0.9], [0.7, 0.1]]) == [(0, 1), (1, 0)]


def test_one_child_can_take_every_niche() -> None:
    archive = Archive(np.arange(3), 3)
    fill(archive, [[0.3, 0.3, 0.3]] * 2, 1)
    assert fill(archive, [[0.1, 0.9, 0.2], [0.4, 0.4, 0.4]], 2) == [(0, 1), (1, 0), (2, 1)]
    assert archive.kept.values[0].tolist() == archive.kept.values[2].tolist()


def test_a_score_of_zero_still_fills_an_empty_niche() -> None:
    archive = Archive(np.array([1]), 2)
    assert fill(archive, [[1.0, 0.0]]) == [(0, 0)]
    assert archive.confidence.tolist() == [0.0]


def test_an_empty_batch_changes_nothing() -> None:
    archive = Archive(np.array([0, 1]), 2)
    fill(archive, [[0.5, 0.5]])
    before = frozen(archive.state())
    nobody = np.empty(0, np.int64)
    update = archive.update(labelled_batch([]), torch.empty(0, 2), nobody, nobody, 2)
    assert len(update.niches) == len(update.rows) == 0
    assert_same_arrays(archive.state(), before)


def test_an_elite_is_a_copy_of_the_child() -> None:
    archive = Archive(np.array([0]), 1)
    children = labelled_batch([7])
    archive.update(children, torch.tensor([[0.5]]), np.array([0]), np.array([NO_EVALUATION]), 1)
    children.genes.fill_(9)
    assert genomes_of(archive).genes.item() == 7


def test_top_lists_the_classes_an_elite_scores_highest() -> None:
    archive = Archive(np.array([2, 0]), 3)
    fill(archive, [[0.2, 0.3, 0.5], [0.6, 0.1, 0.3]])
    columns, values = archive.kept.top(2, np.arange(2))
    assert columns.tolist() == [[2, 1], [0, 2]]
    np.testing.assert_allclose(values, [[0.5, 0.3], [0.6, 0.3]])
    assert archive.kept.top(10, np.arange(2))[0].shape == (2, 3)


@given(niche_sets, batches, batches)
def test_a_restored_archive_goes_on_like_the_one_that_was_saved(
    niches: list[int], first: list[list[list[float]]], second: list[list[list[float]]]
) -> None:
    ours, theirs = Archive(np.array(niches), CLASSES), Archive(np.array(niches), CLASSES)
    for generation, batch in enumerate(first, 1):
        fill(ours, batch, generation)
    theirs.restore(frozen(ours.state()), shared_again(ours))
    for generation, batch in enumerate(second, len(first) + 1):
        assert fill(ours, batch, generation) == fill(theirs, batch, generation)
    assert_same_arrays(ours.state(), theirs.state())
    assert torch.equal(genomes_of(ours).genes, genomes_of(theirs).genes)


def test_a_saved_state_stays_as_it_was_when_the_archive_goes_on() -> None:
    """A checkpoint may be written by another thread, or kept to go back to."""
    archive = Archive(np.arange(2), 2)
    fill(archive, [[0.1, 0.1]], 1)
    state = archive.state()
    saved = frozen(state)
    fill(archive, [[0.9, 0.9]], 2)
    assert_same_arrays(state, saved)


def test_a_restored_state_can_be_used_again() -> None:
    archive = Archive(np.arange(2), 2)
    fill(archive, [[0.1, 0.1]], 1)
    state = frozen(archive.state())
    saved = frozen(state)
    archive.restore(state, archive.genomes)
    fill(archive, [[0.9, 0.9]], 2)
    assert_same_arrays(state, saved)


def test_a_state_of_other_niches_is_refused() -> None:
    archive, others = Archive(np.array([0, 1]), 3), Archive(np.array([0, 2]), 3)
    with pytest.raises(ValueError, match="class_of_niche"):
        archive.restore(others.state(), None)
    with pytest.raises(ValueError, match="scores should be"):
        archive.restore(archive.state() | {"scores": np.zeros((2, 4), np.float32)}, None)
    with pytest.raises(ValueError, match="1 genomes for 2 niches"):
        archive.restore(archive.state(), NicheGenomes(labelled_batch([1]), np.zeros(1, np.int64)))


def test_what_contenders_promise_is_log_odds_over_all_niches() -> None:
    archive = Archive(np.arange(4), 4)
    archive.confidence[:] = [0.001, 0.5, 0.001, 0.5]
    scores = torch.tensor([[0.01, 0, 0.01, 0], [0, 0.7, 0, 0.1], [0.009, 0, 0, 0], [0, 0.6, 0, 0.55], [0, 0, 0, 0]])
    rows, gains = archive.promises(scores)
    assert rows.tolist() == archive.contenders(scores).tolist() == [0, 1, 3]

    def odds(p: float) -> float:
        return math.log(p / (1 - p))

    assert gains == pytest.approx([2 * (odds(0.01) - odds(0.001)), odds(0.7), odds(0.55)], rel=1e-5)
    assert [len(array) for array in archive.promises(torch.zeros(2, 4))] == [0, 0]


def test_provisional_elites_get_their_confirmed_scores() -> None:
    archive = Archive(np.arange(3), 3)
    scores = torch.tensor([[0.5, 0.3, 0.0], [0.0, 0.1, 0.4]])
    children, parents = labelled_batch([1, 2]), np.array([-1, -1])
    archive.update(children, scores, np.array([0, 1]), parents, 1, provisional=np.array([True, False]))
    assert archive.provisional.tolist() == [True, True, False]
    assert archive.state()["provisional"].tolist() == [True, True, False]
    exact = torch.tensor([[0.9, 0.9, 0.9], [0.4, 0.2, 0.1]])
    assert archive.own(np.array([0, 1]), exact, np.array([1, 1])).tolist() == pytest.approx([0.4, 0.2])
    archive.correct(np.array([0, 1]), exact, np.array([1, 1]))
    assert archive.confidence.tolist() == pytest.approx([0.4, 0.2, 0.4])
    np.testing.assert_allclose(archive.kept.values[:2], exact[[1, 1]])
    assert not archive.provisional.any()
    assert "provisional" not in archive.state()  # a run without any has the checkpoints that it always had


def test_a_state_tells_which_elites_are_provisional() -> None:
    archive, again = Archive(np.arange(2), 2), Archive(np.arange(2), 2)
    archive.update(
        labelled_batch([1]), torch.tensor([[0.5, 0.0]]), np.array([0]), np.array([-1]), 1, provisional=np.array([True])
    )
    assert archive.provisional.tolist() == [True, True]
    again.restore(archive.state(), archive.genomes)
    assert again.provisional.tolist() == [True, True]
    without = {name: array for name, array in archive.state().items() if name != "provisional"}
    again.restore(without, archive.genomes)
    assert again.provisional.tolist() == [False, False]


@pytest.mark.parametrize("wrong", [np.array([True]), np.array([1, 0])])
def test_what_is_not_one_mark_for_each_niche_is_refused(wrong: np.ndarray) -> None:
    archive = Archive(np.arange(2), 2)
    with pytest.raises(ValueError, match="provisional should be bool"):
        archive.restore(archive.state() | {"provisional": wrong}, None)


def test_an_empty_niche_has_nothing_provisional() -> None:
    archive = Archive(np.arange(2), 2)
    with pytest.raises(ValueError, match="provisional has a value"):
        archive.restore(archive.state() | {"provisional": np.array([True, False])}, None)
