"""The smallest perturbation, against problems whose answer is known."""

from __future__ import annotations

import math

import pytest
import torch
from support import random_images, tiny_target
from torch import nn

from evofool import Target
from evofool.attacks.gradients.balls import LInf
from evofool.attacks.gradients.goals import Goal
from evofool.attacks.gradients.lbfgs import minimisers, smallest
from evofool.attacks.gradients.steps import fgsm


def linear(weights: torch.Tensor, bias: float) -> Target:
    """A target of two classes that a plane divides: w·x + b > 0 is the first."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(weights.numel(), 2))
    with torch.no_grad():
        module[1].weight.copy_(torch.stack([weights, -weights]) / 2)
        module[1].bias.copy_(torch.tensor([bias, -bias]) / 2)
    return Target(module, classes=["a", "b"], image_shape=(1, 2, 2), name="plane", device="cpu", precision="float32")


@pytest.mark.parametrize("targeted", [False, True])
def test_of_a_plane_it_is_the_distance_to_it(targeted: bool) -> None:
    weights = torch.tensor([3.0, -4.0, 1.0, 2.0]) * 5
    pixels = torch.tensor([0.6, 0.4, 0.5, 0.5]).view(1, 1, 2, 2)
    value = float(weights @ pixels.flatten())
    target = linear(weights, 2.0)
    goal = Goal(torch.tensor([1 if targeted else 0]), targeted)
    images, found = smallest(target, pixels, goal, iterations=20, searches=14)
    assert bool(found.all())
    expected = (value + 2) / float(weights.norm())
    assert float((images - pixels).norm()) == pytest.approx(expected, rel=0.02)


def test_values_at_a_bound_are_held_there() -> None:
    """The nearest point of the plane is outside of the box; in it, the second value has to go the whole way."""
    weights = torch.tensor([30.0, 30.0, 0.0, 0.0])
    pixels = torch.tensor([0.05, 0.9, 0.5, 0.5]).view(1, 1, 2, 2)
    target = linear(weights, -30 * 0.5)  # the first class where x₁ + x₂ > 0.5; the way down is 0.45
    images, found = smallest(target, pixels, Goal(torch.tensor([0]), targeted=False), iterations=20, searches=14)
    assert bool(found.all())
    assert float(images.min()) >= 0
    expected = math.hypot(0.05, 0.40)
    assert float((images - pixels).norm()) == pytest.approx(expected, rel=0.02)


def test_its_perturbations_are_smaller_than_fgsms_where_both_win() -> None:
    target, pixels = tiny_target(), random_images(24).float() / 255
    goal = Goal(target.logits(pixels).argmax(1), targeted=False)
    nearest, found = smallest(target, pixels, goal, iterations=15, searches=8)
    assert bool(found.all())
    assert bool(goal.reached(target.logits(nearest)).all())
    for epsilon in (0.01, 0.02, 0.05):
        images = fgsm(target, pixels, goal, LInf(epsilon))
        won = goal.reached(target.logits(images))
        assert bool(won.any())
        ours, theirs = ((each - pixels).flatten(1).norm(dim=1)[won] for each in (nearest, images))
        assert bool((ours < theirs).all())


def test_where_nothing_is_found_images_stay_as_they_are() -> None:
    target = linear(torch.ones(4), 100.0)  # all images are of the first class
    pixels = torch.full((2, 1, 2, 2), 0.5)
    images, found = smallest(target, pixels, Goal(torch.tensor([0, 0]), targeted=False), iterations=5, searches=3)
    assert not bool(found.any())
    assert torch.equal(images, pixels)


def test_an_image_that_is_there_already_does_not_move() -> None:
    target, pixels = linear(torch.ones(4), -1.0), torch.full((1, 1, 2, 2), 0.5)
    images, found = smallest(target, pixels, Goal(torch.tensor([1]), targeted=False), iterations=5, searches=3)
    assert bool(found.all())
    assert torch.equal(images, pixels)


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_a_smaller_weight_leads_deeper_into_the_class_to_where_its_objective_is_lowest(share: float) -> None:
    """Of a plane, the minimiser lies on the way straight across; a search along that way tells where."""
    weights = torch.tensor([3.0, -4.0, 1.0, 2.0]) * 5
    pixels = torch.tensor([0.6, 0.4, 0.5, 0.5]).view(1, 1, 2, 2)
    target, goal = linear(weights, 2.0), Goal(torch.tensor([1]), targeted=True)
    length, value = float(weights.norm()), float(weights @ pixels.flatten()) + 2

    def best(weight: float) -> float:
        ways = torch.linspace(0, 1, 100_001, dtype=torch.float64)
        return float(ways[(weight * ways**2 + nn.functional.softplus(value - length * ways)).argmin()])

    low, high = 1e-6, 1e6  # the largest weight whose minimiser is across
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if best(middle) * length > value else (low, middle)
    images, reached = minimisers(target, pixels, goal, iterations=60, searches=14, share=share)
    assert bool(reached.all())
    assert float((images - pixels).norm()) == pytest.approx(best(share * low), rel=0.02)
    assert float((images - pixels).norm()) > 1.02 * value / length
