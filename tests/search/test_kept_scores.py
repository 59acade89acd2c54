"""What archives keep of their elites' probabilities: all of few classes, the highest of many."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import assert_same_run, checkpoint, small_evolve
from support import assert_same_arrays, frozen, labelled_batch

import evofool
from evofool.errors import TargetError
from evofool.search import kept_scores
from evofool.search.archive import Archive
from evofool.search.kept_scores import HIGHEST, WHOLE, KeptScores, bytes_per_elite
from evofool.targets.protocols import compare_scores

WIDTH = 3
"""How many probabilities are kept in most of these tests, of four classes and more."""


@pytest.fixture(params=[False, True], ids=["whole", "highest"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return whether only the highest probabilities are kept."""
    if request.param:
        only_highest(monkeypatch)
    return bool(request.param)


def only_highest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let archives of four classes and more keep three probabilities of each elite."""
    monkeypatch.setattr(kept_scores, "WHOLE", WIDTH)
    monkeypatch.setattr(kept_scores, "HIGHEST", WIDTH)


def random_scores(count: int, classes: int) -> torch.Tensor:
    return torch.rand(count, classes, generator=torch.Generator().manual_seed(0)).softmax(1)


@pytest.mark.parametrize(("classes", "width"), [(2, 2), (WHOLE, WHOLE), (WHOLE + 1, HIGHEST), (22_000, HIGHEST)])
def test_memory_and_checkpoints_grow_in_proportion_to_the_classes(classes: int, width: int) -> None:
    archive = Archive(np.arange(classes), classes)
    assert archive.kept.values.shape == (classes, width)
    kept = archive.kept.state()
    assert sum(array.nbytes for array in kept.values()) == classes * bytes_per_elite(classes)
    assert sum(array.nbytes for array in archive.state().values()) <= classes * (4 * WHOLE + 40)


def test_a_child_that_wins_all_niches_needs_no_row_of_all_classes_for_each() -> None:
    classes = 5000
    archive, scores = Archive(np.arange(classes), classes), random_scores(2, classes)
    archive.update(labelled_batch([1, 2]), scores, np.arange(2), np.array([-1, -1]), 1)
    assert len(archive.held()) == classes
    sizes = {tensor.untyped_storage().nbytes() for tensor in (archive.kept.values, archive.kept.classes)}  # type: ignore[union-attr]
    assert sizes == {classes * HIGHEST * 4}
    np.testing.assert_array_equal(archive.confidence, scores.max(0).values)


def test_the_highest_are_those_of_the_elites(few: bool) -> None:
    scores = random_scores(6, 8)
    kept, niches, rows = KeptScores(10, 8, "cpu"), np.array([9, 0, 4]), np.array([5, 5, 2])
    kept.put(niches, scores, rows)
    classes, values = kept.top(2, niches)
    order = np.argsort(-scores.numpy()[rows], axis=1)
    np.testing.assert_array_equal(classes, order[:, :2])
    np.testing.assert_array_equal(values, np.take_along_axis(scores.numpy()[rows], order, 1)[:, :2])
    for index in range(8):
        known = scores.numpy()[rows, index]
        listed = (order[:, :WIDTH] == index).any(1)
        np.testing.assert_array_equal(kept.of_class(index, niches), np.where(listed, known, 0) if few else known)
    kept.clear(np.array([0]))
    assert kept.top(1, np.array([0, 9]))[1][:, 0].tolist() == [0.0, scores[5].max()]


def test_a_class_of_one_s_own_is_known_however_low_it_is(few: bool) -> None:
    scores = torch.tensor([[0.01, 0.19, 0.2, 0.25, 0.35]])
    archive = Archive(np.array([0, 4]), 5)
    archive.update(labelled_batch([1]), scores, np.arange(1), np.array([-1]), 1)
    np.testing.assert_allclose(archive.scores_of_class(0, np.array([0])), [0.01], rtol=1e-6)
    np.testing.assert_allclose(archive.scores_of_class(0, np.array([1])), [0.0 if few else 0.01], rtol=1e-6)


@pytest.mark.parametrize("changed", [0, 1, 4])
def test_other_scores_are_noticed_whatever_is_kept(changed: int, few: bool) -> None:
    """One that is neither kept nor the elite's own class (number 1 here) can't be."""
    scores = torch.tensor([[0.01, 0.19, 0.2, 0.25, 0.35]])
    archive = Archive(np.array([0]), 5)
    archive.update(labelled_batch([1]), scores, np.arange(1), np.array([-1]), 1)
    compare_scores("tiny", *archive.beside(np.array([0]), scores))
    others = scores.clone()
    others[0, changed] += 0.01
    if few and changed == 1:
        compare_scores("tiny", *archive.beside(np.array([0]), others))
    else:
        with pytest.raises(TargetError, match="other scores"):
            compare_scores("tiny", *archive.beside(np.array([0]), others))


@pytest.mark.usefixtures("few")
def test_a_state_goes_back_whole() -> None:
    archive, again, scores = Archive(np.arange(8), 8), Archive(np.arange(8), 8), random_scores(4, 8)
    archive.update(labelled_batch([1, 2, 3, 4]), scores, np.arange(4), np.full(4, -1), 1)
    state = frozen(archive.state())
    again.restore(state, archive.genomes)
    assert_same_arrays(frozen(again.state()), state)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("score_classes", -1, "score_classes should be whole numbers from 0 to 7"),
        ("score_classes", 8, "score_classes should be whole numbers from 0 to 7"),
        ("scores", 0.5, "confidence has a value"),
    ],
)
def test_a_state_that_cannot_be_is_refused(
    name: str, value: float, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_highest(monkeypatch)
    archive = Archive(np.arange(8), 8)
    archive.update(labelled_batch([1]), random_scores(1, 8), np.arange(1), np.array([-1]), 1)
    state = frozen(archive.state())
    state[name][:] = value
    with pytest.raises(ValueError, match=message):
        Archive(np.arange(8), 8).restore(state, archive.genomes)
    del state["score_classes"]
    with pytest.raises(KeyError, match="score_classes"):
        Archive(np.arange(8), 8).restore(state, archive.genomes)


def test_a_run_that_keeps_the_highest_goes_on_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lineages begin from elites of other classes, as far as their scores are known."""
    options = {"encoding": "cppn", "generations": 6, "emitters": ("vary", "restart@60"), "gallery": False}
    only_highest(monkeypatch)
    small_evolve(tmp_path / "a", **options)
    assert checkpoint(tmp_path / "a")["search.archive.score_classes"].shape == (10, WIDTH)
    small_evolve(
        tmp_path / "b", **options,
        observer=lambda step: signal.raise_signal(signal.SIGINT) if step.progress.generation == 4 else None,
    )  # fmt: skip
    evofool.resume(tmp_path / "b", gallery=False)
    assert_same_run(tmp_path / "a", tmp_path / "b")
