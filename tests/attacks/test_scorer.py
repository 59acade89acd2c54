"""The scorer: batches of one shape, each row's scores its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fakes import Foreign, Watched
from hypothesis import given
from hypothesis import strategies as st
from support import random_images, tiny_network, tiny_target
from torch import Tensor, nn

import evofool
from evofool import Target
from evofool.attacks.candidates import Candidates, CandidateScores
from evofool.attacks.margins import margins
from evofool.attacks.plan import MAX_ROWS, MAX_SEQUENTIAL_ROWS
from evofool.attacks.scorer import CONFIRM_ROWS, TOP, Scorer, build_toolbox
from evofool.encodings.pixels import Pixels, edited
from evofool.engines.local import LocalEngine
from evofool.errors import TargetError
from evofool.targets.protocols import Target as AnyTarget

SHAPE = (3, 8, 8)


def a_scorer(target: AnyTarget, rows: int = 16, slots: int = 6, *, settle: bool = False) -> tuple[Scorer, np.ndarray]:
    """Return a scorer with a random base image in every slot, and these images."""
    engine = LocalEngine(target)
    scorer = Scorer(build_toolbox(engine), engine, rows, slots, settle=settle)
    images = random_images(slots, target.image_shape, seed=3).numpy()
    for slot, image in enumerate(images):
        scorer.put(slot, image)
    return scorer, images


def some_candidates(n: int, k: int = 1, seed: int = 0, slots: int = 6, classes: int = 4) -> Candidates:
    rng = np.random.default_rng(seed)
    edits = Pixels(SHAPE, k).random(n, rng)
    watched, targeted = rng.integers(0, classes, n), rng.random(n) < 0.5
    return Candidates(rng.integers(0, slots, n), edits, watched, targeted, np.zeros(n, np.float32))


def expected(
    target: AnyTarget, images: np.ndarray, candidates: Candidates
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return margins, fitnesses and scores, each row decoded and scored by itself."""
    changed = [edited(images[slot], edits) for slot, edits in zip(candidates.slots, candidates.edits, strict=True)]
    scores = torch.cat([target.confirm(torch.from_numpy(image)[None]) for image in changed])
    margin, fitness = margins(scores, torch.from_numpy(candidates.watched), torch.from_numpy(candidates.targeted))
    return margin.numpy(), fitness.numpy(), scores.numpy()


def assert_right(target: AnyTarget, images: np.ndarray, candidates: Candidates, scored: CandidateScores) -> None:
    margin, fitness, scores = expected(target, images, candidates)
    np.testing.assert_allclose(scored.margin, margin, atol=1e-4)
    np.testing.assert_allclose(scored.fitness, fitness, atol=1e-5)
    top = np.argsort(-scores, axis=1)[:, :TOP]
    np.testing.assert_array_equal(scored.top, top)
    np.testing.assert_allclose(scored.confidence, np.take_along_axis(scores, top, 1), atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 7, 16])
@pytest.mark.parametrize("k", [1, 3])
def test_every_row_gets_the_scores_of_its_own_image_edit_and_criterion(n: int, k: int) -> None:
    target = tiny_target()
    scorer, images = a_scorer(target)
    candidates = some_candidates(n, k)
    scorer.send(candidates)
    back, scored = scorer.receive()
    assert back is candidates
    assert len(scored.margin) == n
    assert scored.scores.shape == (n, 0)
    assert not scored.confirmed.any()
    assert_right(target, images, candidates, scored)


def test_base_images_stay_as_they_were() -> None:
    scorer, images = a_scorer(tiny_target())
    scorer.send(some_candidates(16, 3))
    scorer.receive()
    np.testing.assert_array_equal(scorer.images.numpy(), images)


@pytest.mark.parametrize("n", [1, 5, 16])
def test_every_forward_pass_has_exactly_the_scorer_s_rows(n: int) -> None:
    watched = Watched()
    scorer, _ = a_scorer(watched.target())
    scorer.send(some_candidates(n))
    scorer.receive()
    assert watched.shapes == [(16, *SHAPE)]


@pytest.mark.parametrize("n", [1, CONFIRM_ROWS, CONFIRM_ROWS + 1, 3 * CONFIRM_ROWS - 1])
def test_confirming_passes_have_a_shape_of_their_own(n: int) -> None:
    watched = Watched()
    target = watched.target()
    scorer, images = a_scorer(target)
    candidates = some_candidates(n, 2)
    scored = scorer.confirm(candidates)
    assert set(watched.shapes) == {(CONFIRM_ROWS, *SHAPE)}
    assert len(watched.shapes) == -(-n // CONFIRM_ROWS)
    assert scored.confirmed.tolist() == [True] * n
    assert_right(target, images, candidates, scored)


def test_batches_come_back_in_the_order_they_were_sent() -> None:
    target = tiny_target()
    scorer, images = a_scorer(target)
    batches = [some_candidates(n, seed=n) for n in (16, 3, 9)]
    for number, candidates in enumerate(batches):
        scorer.send(candidates)
        assert scorer.under_way == number + 1
    for candidates in batches:
        back, scored = scorer.receive()
        assert back is candidates
        assert_right(target, images, candidates, scored)
    assert scorer.under_way == 0


def test_with_settle_every_row_has_its_whole_score_vector_in_float32() -> None:
    watched = Watched()
    target = watched.target(precision="bfloat16")
    scorer, images = a_scorer(target, settle=True)
    candidates = some_candidates(5)
    scorer.send(candidates)
    _, scored = scorer.receive()
    np.testing.assert_allclose(scored.scores, expected(target, images, candidates)[2], atol=1e-5)
    assert not scored.confirmed.any()
    assert set(watched.dtypes) == {torch.float32}
    assert scorer.exact


def test_fast_scores_below_a_candidate_s_limit_are_replaced_by_float32_s_and_counted() -> None:
    watched = Watched()
    target = watched.target(precision="bfloat16")
    scorer, images = a_scorer(target, rows=64)
    candidates = some_candidates(60, 2)
    candidates.confirm_below[::2] = 0.5
    scorer.send(candidates)
    assert watched.dtypes == [torch.bfloat16]
    _, scored = scorer.receive()
    fast = [edited(images[slot], edits) for slot, edits in zip(candidates.slots, candidates.edits, strict=True)]
    scores = target.scores(torch.from_numpy(np.stack(fast)))
    quick, _ = margins(scores, torch.from_numpy(candidates.watched), torch.from_numpy(candidates.targeted))
    beyond = quick.numpy() - candidates.confirm_below
    clear = np.abs(beyond) > 0.05  # another shape of the batch may round otherwise
    np.testing.assert_array_equal(scored.confirmed[clear], beyond[clear] < 0)
    assert 5 < scored.confirmed.sum() < 55
    confirmed = np.flatnonzero(scored.confirmed)
    assert_right(target, images, candidates.take(confirmed), cut(scored, confirmed))
    exact, _, _ = expected(target, images, candidates)
    assert np.abs(scored.margin - exact)[~scored.confirmed].max() > 1e-4  # these are bfloat16's
    assert not scorer.exact


def cut(scored: CandidateScores, rows: np.ndarray) -> CandidateScores:
    return CandidateScores(**{name: array[rows] for name, array in vars(scored).items()})


@pytest.mark.parametrize("name", ["digits", "mnist", "cifar10"])
def test_a_row_s_score_depends_on_neither_its_place_nor_its_neighbours(name: str) -> None:
    """Bitwise, in the shapes that campaigns use."""
    target = evofool.load_target(name, device="cpu", precision="float32")
    for size in (min(MAX_ROWS["cpu"], target.micro_batch), MAX_SEQUENTIAL_ROWS, CONFIRM_ROWS):
        images = random_images(size, target.image_shape, seed=1)
        images[::2] = images[::2] // 200 * 255  # some that look more like what the network knows
        scores = target.confirm(images)
        order = torch.from_numpy(np.random.default_rng(0).permutation(size))
        assert torch.equal(target.confirm(images[order]), scores[order])
        assert torch.equal(target.confirm(images.roll(1, 0)), scores.roll(1, 0))
        for row in (0, size - 1):
            alone = target.confirm(images[row].expand(size, *target.image_shape))
            assert torch.equal(alone, scores[row].expand_as(alone))


@given(st.integers(1, 16), st.integers(0, 2**32 - 1))
def test_scores_are_bitwise_the_same_in_a_fuller_batch(n: int, seed: int) -> None:
    scorer, _ = a_scorer(tiny_target())
    candidates = some_candidates(16, 2, seed)
    scorer.send(candidates)
    _, full = scorer.receive()
    part = np.random.default_rng(seed).permutation(16)[:n]
    scorer.send(candidates.take(part))
    _, some = scorer.receive()
    for column, array in vars(some).items():
        np.testing.assert_array_equal(array, getattr(full, column)[part], err_msg=column)


class Broken(nn.Module):
    """A network that returns NaN from its second batch on."""

    def __init__(self) -> None:
        super().__init__()
        self.network, self.passes = tiny_network(), 0

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        scores: Tensor = self.network(x)
        return scores * float("nan") if self.passes > 1 else scores


def broken_target() -> Target:
    names = [f"class {index}" for index in range(4)]
    return Target(Broken(), classes=names, image_shape=SHAPE, device="cpu", precision="float32")


def test_scores_that_are_no_numbers_are_refused() -> None:
    scorer, _ = a_scorer(broken_target())
    scorer.send(some_candidates(5))
    scorer.receive()
    with pytest.raises(TargetError, match="NaN"):
        scorer.confirm(some_candidates(5))
    scorer.send(some_candidates(5))
    with pytest.raises(TargetError, match="NaN"):
        scorer.receive()


def test_a_target_that_is_no_torch_module_scores_candidates() -> None:
    target = Foreign()
    scorer, images = a_scorer(target)
    edits = Pixels(target.image_shape, 2).random(9, np.random.default_rng(0))
    candidates = Candidates(np.arange(9) % 6, edits, np.zeros(9, np.int64), np.zeros(9, bool), np.zeros(9, np.float32))
    scorer.send(candidates)
    _, scores = scorer.receive()
    assert_right(target, images, candidates, scores)
    assert scorer.exact
