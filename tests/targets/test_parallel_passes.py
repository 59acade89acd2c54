"""Passes side by side: each on one thread, with scores that depend on no number of threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support import random_images, tiny_network
from torch import Tensor, nn
from tuned import Slow

from evofool.errors import TargetError
from evofool.targets.execution.execution import Execution
from evofool.targets.execution.side_by_side import keeps_nothing, may_run_side_by_side, submit
from evofool.targets.execution.trials import Trial, best
from evofool.targets.execution.tuning import retune, tune
from evofool.targets.torch_target import TorchTarget

Threads = Callable[[int], None]


class Wrapped(nn.Module):
    """A network around :func:`tiny_network`."""

    def __init__(self) -> None:
        super().__init__()
        self.network = tiny_network()
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, pixels: Tensor) -> Tensor:
        self.begin(pixels)
        result: Tensor = self.network(pixels)
        return result

    def begin(self, pixels: Tensor) -> None:
        """Do something before a pass."""


def target_of(module: nn.Module, rows: int | None = 4, **options: Any) -> TorchTarget:
    options = {"parallel": True, "precision": "float32", **options}
    return TorchTarget(
        module, classes=list("abcd"), image_shape=(3, 8, 8), mean=0.5, std=0.25, device="cpu", micro_batch=rows,
        **options,
    )  # fmt: skip


@pytest.mark.parametrize("count", [1, 4, 5, 23])
def test_scores_are_those_of_one_thread_however_many_there_are(count: int, threads: Threads) -> None:
    images = random_images(count)
    alone = target_of(tiny_network(), parallel=False)
    target = target_of(tiny_network())
    for number in (1, 2, 3):
        threads(number)
        for ask in ("scores", "confirm"):
            scores = getattr(target, ask)(images)
            assert torch.get_num_threads() == number
            threads(1)
            assert torch.equal(scores, getattr(alone, ask)(images))
            threads(number)
        each = [target.confirm(images[at : at + 1], rows=2) for at in range(count)]
        assert torch.equal(target.confirm(images, rows=2), torch.cat(each))


def test_as_many_passes_run_at_once_as_torch_has_threads_each_on_one(threads: Threads) -> None:
    threads(3)
    meeting, used = threading.Barrier(3, timeout=20), set[tuple[int, bool]]()

    class Meeting(Wrapped):
        def begin(self, pixels: Tensor) -> None:
            used.add((torch.get_num_threads(), torch.is_inference_mode_enabled()))
            meeting.wait()  # fails where fewer come

    scores = target_of(Meeting()).scores(random_images(12))
    assert used == {(1, True)}
    assert torch.equal(scores, target_of(tiny_network(), parallel=False).scores(random_images(12)))
    assert torch.get_num_threads() == 3


def test_gradients_go_through_one_pass_after_another(threads: Threads) -> None:
    threads(2)
    pixels = torch.rand(9, 3, 8, 8, requires_grad=True)
    (gradient,) = torch.autograd.grad(target_of(tiny_network()).logits(pixels).square().sum(), pixels)
    (expected,) = torch.autograd.grad(target_of(tiny_network(), parallel=False).logits(pixels).square().sum(), pixels)
    torch.testing.assert_close(gradient, expected)


def test_what_watches_a_network_sees_passes_in_order(threads: Threads) -> None:
    threads(2)
    target, images, seen = target_of(tiny_network()), random_images(23), list[Tensor]()
    assert torch.equal(target.features(images), target_of(tiny_network(), parallel=False).features(images))
    hook = target.network.register_forward_hook(lambda module, inputs, output: seen.append(output))
    target.confirm(images)
    hook.remove()
    assert torch.equal(torch.cat(seen).softmax(1), target.confirm(images))


def test_passes_shrink_where_memory_runs_out_and_the_first_failure_is_told(threads: Threads) -> None:
    threads(2)

    class Cramped(Wrapped):
        def begin(self, pixels: Tensor) -> None:
            if len(pixels) > 3:
                raise MemoryError

    target = target_of(Cramped(), rows=8)
    assert torch.equal(target.scores(random_images(20)), target_of(tiny_network(), rows=2).scores(random_images(20)))
    assert target.micro_batch == 2

    class Failing(Wrapped):
        def begin(self, pixels: Tensor) -> None:
            raise ValueError("no such pixels")

    with pytest.raises(TargetError, match="no such pixels"):
        target_of(Failing()).scores(random_images(20))
    assert len(target_of(tiny_network()).scores(random_images(20))) == 20


class Counting(Wrapped):
    def begin(self, pixels: Tensor) -> None:
        self.passes = len(pixels)


class Writing(Wrapped):
    def begin(self, pixels: Tensor) -> None:
        self.seen += 1


class Replacing(Wrapped):
    def begin(self, pixels: Tensor) -> None:
        self.seen = pixels.mean((1, 2, 3))


@pytest.mark.parametrize(
    ("network", "expected"), [(Wrapped, True), (Counting, False), (Writing, False), (Replacing, False)]
)
def test_a_network_that_keeps_something_of_a_pass_is_known(network: type[Wrapped], expected: bool) -> None:
    target = target_of(network(), parallel=False)
    assert keeps_nothing(target.network, lambda: target.confirm(random_images(1))) is expected


@pytest.mark.filterwarnings("ignore:.*is deprecated:FutureWarning")
def test_only_networks_of_layers_on_a_processor_with_several_threads_may(threads: Threads) -> None:
    network, cpu = tiny_network(), torch.device("cpu")
    assert not may_run_side_by_side(network, cpu)
    threads(2)
    assert may_run_side_by_side(network, cpu)
    assert not may_run_side_by_side(network, torch.device("meta"))
    assert not may_run_side_by_side(nn.Sequential(nn.Flatten()), cpu)
    assert not may_run_side_by_side(torch.jit.trace(network, torch.rand(1, 3, 8, 8)), cpu)


class Quick(Wrapped):
    """A pass takes as long as it has rows, and a tenth of that beside another one."""

    def begin(self, pixels: Tensor) -> None:
        alone = threading.current_thread() is threading.main_thread()
        Slow.clock += len(pixels) * (0.01 if alone else 0.001)


class QuickCounting(Quick, Counting):
    def begin(self, pixels: Tensor) -> None:
        Quick.begin(self, pixels)
        Counting.begin(self, pixels)


def tuned_target(network: Wrapped, **options: Any) -> TorchTarget:
    target = target_of(network, **{"rows": None, "parallel": None, **options})
    tune(target)
    return target


def test_they_are_chosen_where_they_are_faster(cache: Path, threads: Threads) -> None:
    assert not tuned_target(Quick()).execution.parallel  # torch has one thread
    threads(2)
    target = tuned_target(Quick())
    assert (target.execution.parallel, target.micro_batch) == (True, 13)  # four passes each of a generation of 100
    assert tuned_target(Quick(), rows=7).execution.parallel
    assert not tuned_target(Quick(), parallel=False).execution.parallel
    kept = cache.read_bytes()
    assert tuned_target(Quick()).execution == target.execution
    assert cache.read_bytes() == kept


class OnceQuick(Quick):
    """Takes as long for a pass whatever its rows are, and a little less on a thread of its own."""

    def begin(self, pixels: Tensor) -> None:
        alone = threading.current_thread() is threading.main_thread()
        Slow.clock += 0.2 if alone else 0.15


@pytest.mark.usefixtures("cache")
def test_ways_are_compared_by_a_generation(threads: Threads) -> None:
    """A pass in turn takes 0.2 s, and one of 50 rows side by side 0.15 s: 0.2 s a generation against 0.3 s."""
    threads(2)
    target = target_of(OnceQuick(), rows=None, parallel=None, memory_format="contiguous", fold=False)
    tried = retune(target)
    assert any(trial.execution.parallel for trial in tried)
    assert not target.execution.parallel


@pytest.mark.parametrize(
    ("speeds", "expected"),
    [
        ([(100, False), (91, True)], 1),  # about as fast
        ([(100, False), (89, True)], 0),
        ([(100, False), (91, True), (101, False)], 1),
        ([(100, False), (91, True), (102, False)], 2),
        ([(100, False), (200, True), (208, True)], 1),
    ],
)
def test_passes_side_by_side_are_chosen_where_they_are_about_as_fast(
    speeds: list[tuple[float, bool]], expected: int
) -> None:
    trials = [
        Trial(Execution("float32", "contiguous", rows, parallel=parallel), speed, 0.0)
        for rows, (speed, parallel) in enumerate(speeds, start=1)
    ]
    assert best(trials) == trials[expected].execution


@pytest.mark.usefixtures("cache")
def test_a_network_that_keeps_something_never_has_them_chosen(
    threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads(2)
    assert not tuned_target(QuickCounting()).execution.parallel
    assert tuned_target(Quick()).execution.parallel
    monkeypatch.setattr(Quick, "begin", QuickCounting.begin)  # as in a cell of a notebook
    assert not tuned_target(Quick()).execution.parallel


def test_work_on_a_thread_of_its_own_runs_passes_there(threads: Threads) -> None:
    threads(2)
    names = set[str]()

    class Named(Wrapped):
        def begin(self, pixels: Tensor) -> None:
            names.add(threading.current_thread().name)

    target = target_of(Named())
    name = submit(lambda: (target.scores(random_images(9)), threading.current_thread().name)[1]).result()
    assert names == {name}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_has_threads_of_its_own(threads: Threads) -> None:
    threads(2)
    target, images = target_of(tiny_network()), random_images(9)
    before = target.scores(images)
    child = os.fork()
    if child == 0:
        os._exit(0 if torch.equal(target.scores(images), before) else 1)
    assert os.waitpid(child, 0)[1] == 0
