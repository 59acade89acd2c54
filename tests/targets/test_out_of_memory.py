"""A device that runs out of memory: smaller passes, for good, down to one image."""

from __future__ import annotations

import pytest
import torch
from support import random_images, tiny_network
from torch import Tensor, nn

from evofool.errors import TargetError
from evofool.targets.torch_target import TorchTarget

CPU_ALLOCATOR = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 4096 bytes. Error code 12 (Cannot allocate memory)"
)


class Cramped(nn.Module):
    """A network on a device that holds ``room`` images at a time."""

    def __init__(self, room: int, error: BaseException) -> None:
        super().__init__()
        self.network, self.room, self.error = tiny_network(), room, error
        self.passes: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.passes.append(len(x))
        if len(x) > self.room:
            raise self.error
        result: Tensor = self.network(x)
        return result


def target_of(module: nn.Module, micro_batch: int) -> TorchTarget:
    return TorchTarget(
        module, classes=list("abcd"), image_shape=(3, 8, 8), mean=0.5, std=0.25, name="big", device="cpu",
        precision="float32", micro_batch=micro_batch,
    )  # fmt: skip


out_of_memory = pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), MemoryError(), CPU_ALLOCATOR],
    ids=["cuda", "python", "cpu"],
)


@out_of_memory
def test_the_micro_batch_is_halved_until_a_pass_fits(error: BaseException) -> None:
    module = Cramped(5, error)
    target = target_of(module, 32)
    images = random_images(40)
    scores = target.scores(images)
    roomy = target_of(tiny_network(), 32)
    torch.testing.assert_close(scores, roomy.scores(images), atol=1e-6, rtol=0)
    assert target.micro_batch == 4


@out_of_memory
def test_it_stays_halved(error: BaseException) -> None:
    module = Cramped(5, error)
    target = target_of(module, 32)
    target.scores(random_images(40))
    module.passes.clear()
    target.scores(random_images(40))
    assert max(module.passes) <= 5
    assert len(module.passes) == 10


@out_of_memory
def test_one_image_that_does_not_fit_is_an_error_with_a_way_out(error: BaseException) -> None:
    target = target_of(Cramped(0, error), 32)
    with pytest.raises(TargetError, match=r"out of memory for a single image of big; try `device=cpu`"):
        target.scores(random_images(40))


@pytest.mark.parametrize(
    "message",
    [
        "CUDA error: an illegal memory access was encountered",
        "Unsupported memory format option Preserve",
        "mat1 and mat2 shapes cannot be multiplied (40x192 and 5x3)",
    ],
)
def test_other_errors_are_told_as_they_are(message: str) -> None:
    """Not every message that speaks of memory means that there is too little of it."""
    target = target_of(Cramped(0, RuntimeError(message + "\nsecond line")), 32)
    with pytest.raises(TargetError) as caught:
        target.scores(random_images(40))
    assert message in str(caught.value)
    assert "out of memory" not in str(caught.value)
    assert "second line" not in str(caught.value)
    assert target.micro_batch == 32


def test_confirming_halves_too() -> None:
    target = target_of(Cramped(3, MemoryError()), 8)
    assert target.confirm(random_images(8)).shape == (8, 4)
    assert target.micro_batch == 2


@pytest.mark.parametrize("micro_batch", [1, 4, 16])
def test_what_is_confirmed_goes_in_passes_of_one_size(micro_batch: int) -> None:
    network = Cramped(8, MemoryError())
    target = target_of(network, micro_batch)
    for images in (1, 5, 8, 20):
        target.confirm(random_images(images), rows=8)
    assert set(network.passes) == {8}
    assert target.micro_batch == micro_batch


def test_where_there_is_no_room_what_is_confirmed_goes_in_smaller_passes_for_good() -> None:
    network = Cramped(3, MemoryError())
    target = target_of(network, 16)
    for _ in range(2):
        assert target.confirm(random_images(5), rows=8).shape == (5, 4)
    assert network.passes == [8, 4, 2, 2, 2, 2, 2, 2]
    assert target.micro_batch == 2
