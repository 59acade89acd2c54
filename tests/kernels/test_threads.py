"""Torch on one thread beside other runtimes; compiled loops keep theirs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from evofool.kernels import threads as kernel_threads
from evofool.kernels.threads import torch_on_one_thread


@pytest.fixture(autouse=True)
def _three_threads(threads: Callable[[int], None]) -> None:
    threads(3)


def test_torch_has_one_thread_and_loops_have_as_many_as_before() -> None:
    with torch_on_one_thread():
        assert (torch.get_num_threads(), kernel_threads.threads()) == (1, 3)
        with torch_on_one_thread():
            assert (torch.get_num_threads(), kernel_threads.threads()) == (1, 3)
        assert (torch.get_num_threads(), kernel_threads.threads()) == (1, 3)
    assert (torch.get_num_threads(), kernel_threads.threads()) == (3, 3)


def test_an_error_gives_torch_its_threads_back() -> None:
    with pytest.raises(ValueError, match="no"), torch_on_one_thread():
        raise ValueError("no")
    assert (torch.get_num_threads(), kernel_threads.threads()) == (3, 3)
