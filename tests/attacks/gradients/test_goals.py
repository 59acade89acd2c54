"""The direction that leads to a goal, and targets that give none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from support import random_images, tiny_network, tiny_target
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from evofool import Target
from evofool.attacks.gradients.goals import Goal, ascent, flat_images
from evofool.errors import TargetError

LABELS = torch.tensor([0, 3, 1])


@dataclass
class Exact:
    """A target in float64, without the normalisation and the float32 of a real one."""

    network: nn.Module
    name: str = "exact"
    classes: tuple[str, ...] = ("a", "b", "c", "d")
    image_shape: tuple[int, int, int] = (3, 8, 8)

    def logits(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(pixels)
        return logits

    def features(self, images: Tensor) -> Tensor:
        raise NotImplementedError

    scores = confirm = features


def smooth() -> Exact:
    """A small network without corners, so that differences are near the slope."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Tanh(), nn.Flatten(), nn.Linear(180, 4))
    return Exact(network.double())


def pixels() -> Tensor:
    return random_images(3).double() / 255


@pytest.mark.parametrize("targeted", [False, True])
def test_gradients_match_finite_differences_in_float64(targeted: bool) -> None:
    target, images, goal = smooth(), pixels(), Goal(LABELS, targeted)
    gradient = ascent(target, images, goal).gradient
    assert gradient.dtype == torch.float64
    step = 1e-6
    for place in [(0, 0, 0), (1, 4, 5), (2, 7, 7)]:
        shift = torch.zeros_like(images)
        shift[(slice(None), *place)] = step
        slope = (ascent(target, images + shift, goal).lead - ascent(target, images - shift, goal).lead) / (2 * step)
        torch.testing.assert_close(gradient[(slice(None), *place)], slope, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("targeted", [False, True])
def test_the_direction_is_that_of_cross_entropy(targeted: bool) -> None:
    target, images = smooth(), pixels().requires_grad_()
    loss = cross_entropy(target.logits(images), LABELS, reduction="sum")
    (slope,) = torch.autograd.grad(-loss if targeted else loss, images)
    gradient = ascent(target, images, Goal(LABELS, targeted)).gradient
    assert torch.equal(gradient.sign(), slope.sign())
    torch.testing.assert_close(
        *(each.flatten(1) / each.flatten(1).norm(dim=1, keepdim=True) for each in (gradient, slope))
    )


def test_it_does_not_vanish_where_the_network_is_so_sure_that_cross_entropy_does() -> None:
    network = tiny_network()
    with torch.no_grad():
        network[3].weight.mul_(1e3)
    images = random_images(3).float() / 255
    goal = Goal(Exact(network).logits(images).argmax(1), targeted=False)
    inputs = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(cross_entropy(network(inputs), goal.watched), inputs)
    assert not slope.any()
    assert ascent(Exact(network), images, goal).gradient.flatten(1).any(1).all()


def wrapped(forward: Callable[[Tensor], Tensor]) -> Target:
    """A target around a function of normalised pixels."""

    class Module(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = tiny_network()

        def forward(self, images: Tensor) -> Tensor:
            logits: Tensor = self.inner(forward(images))
            return logits

    return Target(Module(), classes=list("abcd"), image_shape=(3, 8, 8), name="odd", device="cpu", precision="float32")


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda images: (images * 9).round() / 9, r"target odd gives gradients that are zero for all of 3 images.*"),
        (lambda images: (images - images).sqrt() + images, r"target odd gives gradients that are NaN or infinite"),
        (lambda images: images.detach(), r"target odd gives no gradients \(.*\); its outputs must depend on"),
    ],
)
def test_a_target_whose_gradients_are_zero_or_nan_or_missing_is_named(
    forward: Callable[[Tensor], Tensor], message: str
) -> None:
    target = wrapped(forward)
    for parameter in target.network.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(TargetError, match=message):
        flat_images(target, random_images(3).float() / 255, Goal(LABELS, targeted=False))


def test_single_images_with_a_gradient_of_zero_are_told() -> None:
    target = wrapped(lambda images: images.clamp(max=0.5))
    images = torch.full((3, 3, 8, 8), 0.2)
    images[1] = 0.9
    assert flat_images(target, images, Goal(LABELS, targeted=False)).tolist() == [False, True, False]


def test_a_goal_is_reached_by_the_first_guess() -> None:
    logits = torch.eye(4)[[0, 2, 1]]
    assert Goal(LABELS, targeted=False).reached(logits).tolist() == [False, True, False]
    assert Goal(LABELS, targeted=True).reached(logits).tolist() == [True, False, True]


def test_the_tests_own_target_gives_gradients() -> None:
    assert ascent(tiny_target(), pixels().float(), Goal(LABELS, targeted=False)).gradient.any()
