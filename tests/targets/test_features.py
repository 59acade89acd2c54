"""What a network's last layer is given."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from support import random_images, tiny_network, tiny_target
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from evofool.errors import TargetError
from evofool.targets.torch_target import TorchTarget


def target_of(module: nn.Module, **options: object) -> TorchTarget:
    return TorchTarget(
        module, classes=list("abcd"), image_shape=(3, 8, 8), mean=0.5, std=0.25, device="cpu", precision="float32",
        **options,  # type: ignore[arg-type]
    )  # fmt: skip


def test_it_is_the_input_of_the_last_linear_layer() -> None:
    target, images = tiny_target(), random_images(5)
    network = tiny_network()
    with torch.no_grad():
        expected = network[:3]((images / 255 - 0.5) / 0.25)
    torch.testing.assert_close(target.features(images), expected)


def test_of_float_images_it_is_the_same_with_gradients() -> None:
    target, images = tiny_target(), random_images(5)
    pixels = (images.float() / 255).requires_grad_()
    found = target.features(pixels)
    torch.testing.assert_close(found, target.features(images))
    (gradient,) = torch.autograd.grad(found.square().sum(), pixels)
    inner = tiny_network()[:3]
    again = pixels.detach().requires_grad_()
    (expected,) = torch.autograd.grad(inner((again - 0.5) / 0.25).square().sum(), again)
    torch.testing.assert_close(gradient, expected)


def test_of_a_convolution_it_is_averaged_over_space() -> None:
    class AllConvolutions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Conv2d(7, 4, 1)  # built first, called last
            self.first = nn.Conv2d(3, 7, 3)

        def forward(self, images: Tensor) -> Tensor:
            out: Tensor = self.last(self.first(images).relu()).mean((2, 3))
            return out

    network, images = AllConvolutions(), random_images(5)
    with torch.no_grad():
        expected = network.first((images / 255 - 0.5) / 0.25).relu().mean((2, 3))
    torch.testing.assert_close(target_of(network).features(images), expected)


def test_tokens_are_averaged() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(8, 4)

        def forward(self, images: Tensor) -> Tensor:
            out: Tensor = self.head(images.mean(1)).mean(1)  # (B, 8, 8): eight tokens
            return out

    assert target_of(Tokens()).features(random_images(3)).shape == (3, 8)


def test_passes_of_any_size_give_the_same() -> None:
    images = random_images(9)
    whole = tiny_target().features(images)
    target = tiny_target(micro_batch=2)
    torch.testing.assert_close(target.features(images), whole)


def test_a_network_without_such_a_layer_is_refused_by_name() -> None:
    class Nothing(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.mean((2, 3)) @ torch.ones(3, 4) + torch.randn(4) * 0

    with pytest.raises(TargetError, match=r"no last layer .* with `novelty=pixels`"):
        target_of(Nothing()).features(random_images(2))


class Watched(nn.Linear):
    """Keeps the handles of its hooks."""

    def __init__(self) -> None:
        super().__init__(8, 4)
        self.handles: list[RemovableHandle] = []

    def register_forward_pre_hook(self, *args: Any, **options: Any) -> RemovableHandle:
        self.handles.append(super().register_forward_pre_hook(*args, **options))
        return self.handles[-1]

    def hooks(self) -> int:
        """How many of its hooks are there still."""
        return sum(handle.id in (handle.hooks_dict_ref() or {}) for handle in self.handles)


@pytest.mark.parametrize("fails", [False, True])
def test_no_hook_stays(fails: bool) -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = Watched()

        def forward(self, images: Tensor) -> Tensor:
            logits: Tensor = self.layer(images.mean((1, 2)))
            assert self.layer.hooks() == 1
            if fails:
                raise ValueError("broken")
            return logits

    network = Network()
    target = target_of(network)
    with pytest.raises(TargetError, match="broken") if fails else nullcontext():
        target.features(random_images(2))
    assert network.layer.handles
    assert network.layer.hooks() == 0


@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_a_scripted_network_is_refused_by_name() -> None:
    traced = torch.jit.trace(tiny_network(), torch.zeros(1, 3, 8, 8))
    with pytest.raises(TargetError, match="target custom has no last layer"):
        target_of(traced).features(random_images(2))


def test_passes_that_ran_out_of_memory_do_not_count() -> None:
    class Cramped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 4)

        def forward(self, images: Tensor) -> Tensor:
            logits: Tensor = self.layer(images.mean((1, 2)))
            if len(images) > 2:
                raise MemoryError
            return logits

    images = random_images(5)
    torch.testing.assert_close(target_of(Cramped()).features(images), ((images / 255 - 0.5) / 0.25).mean((1, 2)))
