"""The run's generators: one seed, saved and restored exactly, nothing global."""

import numpy as np
import pytest
import torch
from support import assert_same_arrays, frozen, global_random_untouched

from evofool.rng import Rng


def draw(rng: Rng, n: int = 5) -> tuple[list[float], list[float]]:
    return rng.host.random(n).tolist(), torch.rand(n, generator=rng.tensors).tolist()


def test_the_same_seed_draws_the_same_numbers_and_another_seed_others() -> None:
    assert draw(Rng(7)) == draw(Rng(7))
    host, tensors = draw(Rng(7))
    other_host, other_tensors = draw(Rng(8))
    assert host != other_host
    assert tensors != other_tensors


def test_the_streams_of_a_seed_are_pinned() -> None:
    """A recorded seed must mean the same run in every later version."""
    rng = Rng(0)
    assert rng.host.integers(1000, size=6).tolist() == [802, 942, 5, 316, 758, 722]
    drawn = torch.randint(0, 1000, (6,), generator=rng.tensors).tolist()
    assert drawn == [414, 162, 931, 805, 874, 438]


def test_a_restored_state_goes_on_where_it_was_saved() -> None:
    rng = Rng(3)
    draw(rng, 11)
    rng.host.integers(10, dtype=np.uint32)  # leaves half a word in the generator's buffer
    state = frozen(rng.state())
    expected = draw(rng), rng.host.integers(10, dtype=np.uint32)
    other = Rng(99)
    other.restore(state)
    assert (draw(other), other.host.integers(10, dtype=np.uint32)) == expected


def test_the_state_is_plain_bytes_and_stays_as_it_was_when_drawing_goes_on() -> None:
    rng = Rng(3)
    state = rng.state()
    saved = frozen(state)
    draw(rng, 1000)
    assert_same_arrays(state, saved)
    assert {value.dtype for value in state.values()} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**63 - 1, 2**100])
def test_any_size_of_seed_is_taken(seed: int) -> None:
    host, tensors = draw(Rng(seed), 3)
    assert len(set(host)) == len(set(tensors)) == 3


def test_no_global_generator_is_touched() -> None:
    with global_random_untouched():
        rng = Rng(5)
        draw(rng)
        rng.restore(rng.state())


def test_the_device_is_that_of_the_tensor_generator() -> None:
    assert Rng(0, "cpu").device == torch.device("cpu")
