"""How batches are cut: evenly, by the target alone, and parts of a batch as the whole."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import random_images, tiny_target

from evofool import Ensemble
from evofool.engines.local import LocalEngine
from evofool.engines.passes import fills_passes, pass_sizes


def of_rows(rows: int) -> Any:
    """A target that likes so many images at once, and confirms as many as it is given."""
    return SimpleNamespace(micro_batch=rows, confirm=lambda images: images)


@given(st.integers(1, 40), st.integers(0, 300))
def test_passes_are_even_and_as_few_as_can_be(rows: int, count: int) -> None:
    sizes = pass_sizes(of_rows(rows), count)
    assert sum(sizes) == count
    assert len(sizes) == -(-count // rows)
    assert not sizes or (max(sizes) <= rows and max(sizes) - min(sizes) <= 1)
    assert sizes == [len(part) for part in torch.arange(count).tensor_split(max(1, len(sizes)))][: len(sizes)]


@given(st.integers(1, 40), st.integers(1, 300), st.data())
def test_some_of_the_passes_are_cut_as_they_were_in_their_batch(rows: int, count: int, data: st.DataObject) -> None:
    sizes = pass_sizes(of_rows(rows), count)
    first = data.draw(st.integers(0, len(sizes) - 1))
    last = data.draw(st.integers(first + 1, len(sizes)))
    assert pass_sizes(of_rows(rows), sum(sizes[first:last])) == sizes[first:last]


def test_passes_that_a_target_fills_up_have_one_size() -> None:
    target = tiny_target(micro_batch=6)
    assert fills_passes(target)
    assert pass_sizes(target, 10, rows=4) == [4, 4, 2]
    assert pass_sizes(of_rows(6), 10, rows=4) == [5, 5]  # it has no such size
    mixed: Any = SimpleNamespace(members=(target, of_rows(5)), micro_batch=5)
    assert not fills_passes(mixed)
    assert fills_passes(Ensemble([target, tiny_target(name="other")]))


class Counting:
    """A target that notes how many images it is asked about."""

    name, classes, image_shape, micro_batch = "counting", ["a", "b"], (3, 8, 8), 6

    def __init__(self) -> None:
        self.asked: list[int] = []

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        self.asked.append(len(images))
        return images.float().mean((1, 2, 3), keepdim=False)[:, None].mul(torch.tensor([1.0, -1.0])).softmax(1)

    confirm = scores


@pytest.mark.parametrize("method", ["scores", "confirm"])
def test_a_target_of_the_users_own_is_asked_about_as_many_at_once_as_it_likes(method: str) -> None:
    target, images = Counting(), random_images(14)
    scores = getattr(LocalEngine(target), method)(images)
    assert target.asked == [5, 5, 4]
    torch.testing.assert_close(scores, target.scores(images))
