"""What a network's last layer is given."""

from __future__ import annotations

import pytest
import torch
from support import random_images, tiny_network, tiny_target
from torch import Tensor, nn

from evofool.errors import TargetError
from evofool.targets.features import penultimate
from evofool.targets.torch_target import Target


def target_of(module: nn.Module, **options: object) -> Target:
    return Target(
        module, classes=list("abcd"), image_shape=(3, 8, 8), mean=0.5, std=0.25, device="cpu", precision="float32",
        **options,  # type: ignore[arg-type]
    )  # fmt: skip


def test_it_is_the_input_of_the_last_linear_layer() -> None:
    target, images = tiny_target(), random_images(5)
    network = tiny_network()
    with torch.no_grad():
        expected = network[:3]((images / 255 - 0.5) / 0.25)
    torch.testing.assert_close(penultimate(target, images), expected)


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
    torch.testing.assert_close(penultimate(target_of(network), images), expected)


def test_tokens_are_averaged() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(8, 4)

        def forward(self, images: Tensor) -> Tensor:
            out: Tensor = self.head(images.mean(1)).mean(1)  # (B, 8, 8): eight tokens
            return out

    assert penultimate(target_of(Tokens()), random_images(3)).shape == (3, 8)


def test_passes_of_any_size_give_the_same_and_no_hook_stays() -> None:
    images = random_images(9)
    whole = penultimate(tiny_target(), images)
    target = tiny_target(micro_batch=2)
    torch.testing.assert_close(penultimate(target, images), whole)
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in target.network.modules())


def test_a_network_without_such_a_layer_is_refused_by_name() -> None:
    class Nothing(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.mean((2, 3)) @ torch.ones(3, 4) + torch.randn(4) * 0

    with pytest.raises(TargetError, match=r"no last layer .* choose --novelty pixels"):
        penultimate(target_of(Nothing()), random_images(2))


def test_hooks_go_when_the_network_fails() -> None:
    class Breaks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 4)

        def forward(self, images: Tensor) -> Tensor:
            self.layer(images)
            raise ValueError("broken")

    network = Breaks()
    with pytest.raises(TargetError, match="broken"):
        penultimate(target_of(network), random_images(2))
    assert not network.layer._forward_pre_hooks
