"""FGSM, its iterated form and PGD."""

from __future__ import annotations

import pytest
import torch
from support import random_images, tiny_target
from torch import Tensor
from torch.nn.functional import cross_entropy

from evofool.attacks.gradients.balls import L2, Ball, LInf
from evofool.attacks.gradients.goals import Goal, ascent
from evofool.attacks.gradients.steps import fgsm, iterated, pgd


def pixels(n: int = 24) -> Tensor:
    return random_images(n).float() / 255


def guessed(images: Tensor) -> Tensor:
    return tiny_target().logits(images).argmax(1)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_fgsm_is_its_papers_formula() -> None:
    images, target = pixels(), tiny_target()
    labels, inputs = guessed(images), images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(cross_entropy(target.logits(inputs), labels), inputs)
    expected = (images + 0.03 * slope.sign()).clamp(0, 1)
    found = fgsm(target, images, Goal(labels, targeted=False), LInf(0.03))
    assert ((found - expected).abs() < 1e-6).float().mean() > 0.99  # signs of differences in float32 near 0 may differ


@pytest.mark.parametrize("ball", [LInf(0.02), L2(0.3)])
@pytest.mark.parametrize("method", ["fgsm", "iterated", "pgd"])
def test_every_method_stays_in_its_ball_and_in_the_box(ball: Ball, method: str) -> None:
    target, images = tiny_target(), pixels()
    goal = Goal(guessed(images), targeted=False)
    before = ascent(target, images, goal).lead
    if method == "fgsm":
        found = fgsm(target, images, goal, ball)
    elif method == "iterated":
        found = iterated(target, images, goal, ball, steps=5)
    else:
        found = pgd(target, images, goal, ball, steps=5, restarts=2, generator=generator())
    change = found - images
    size = change.abs().amax((1, 2, 3)) if isinstance(ball, LInf) else change.flatten(1).norm(dim=1)
    assert float(size.max()) <= ball.radius * (1 + 1e-5)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert bool((ascent(target, found, goal).lead > before).all())


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("epsilon", [0.005, 0.01, 0.02, 0.05])
def test_pgd_fools_at_least_as_often_as_fgsm(epsilon: float, targeted: bool) -> None:
    target, images = tiny_target(), pixels(64)
    labels = guessed(images)
    goal = Goal((labels + 1) % 4 if targeted else labels, targeted)
    ones = fgsm(target, images, goal, LInf(epsilon))
    many = pgd(target, images, goal, LInf(epsilon), steps=20, restarts=2, generator=generator())
    won, won_by_pgd = (int(goal.reached(target.logits(found)).sum()) for found in (ones, many))
    assert won_by_pgd >= won


def test_one_climb_asks_once_a_step_and_keeps_every_image_that_reached_the_goal() -> None:
    target, images = tiny_target(), pixels(64)
    goal, passes, fooled = Goal(guessed(images), targeted=False), [], torch.zeros(64, dtype=torch.bool)

    def watched(module: object, inputs: tuple[Tensor], logits: Tensor) -> None:
        passes.append(len(logits))
        fooled.logical_or_(goal.reached(logits))

    with target.network.register_forward_hook(watched):
        found = pgd(target, images, goal, LInf(0.01), steps=5, restarts=1, generator=generator())
    assert passes == [64] * 5
    reached = goal.reached(target.logits(found))
    assert bool(fooled.any())
    assert bool(reached[fooled].all())


def test_restarts_only_help() -> None:
    target, images = tiny_target(), pixels()
    goal = Goal(guessed(images), targeted=False)
    leads = [
        ascent(target, pgd(target, images, goal, LInf(0.01), steps=3, restarts=n, generator=generator()), goal).lead
        for n in (1, 3)
    ]
    assert bool((leads[1] >= leads[0] - 1e-4).all())


@pytest.mark.parametrize("ball", [LInf(0.1), L2(2.0)])
def test_noise_fills_the_ball(ball: Ball) -> None:
    drawn = ball.noise(torch.zeros(500, 1, 2, 2), generator())
    size = drawn.abs().amax((1, 2, 3)) if isinstance(ball, LInf) else drawn.flatten(1).norm(dim=1)
    assert float(size.max()) <= ball.radius
    # In four dimensions half of the volume is beyond 2^(-1/4) = 0.84 of the radius, for balls of both norms.
    assert float((size > 2**-0.25 * ball.radius).float().mean()) == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize(("epsilon", "most"), [(8 / 255, 8), (0.03, 7), (1 / 255, 1), (0.001, 0), (1.0, 255)])
def test_whole_steps_stay_within_epsilon(epsilon: float, most: int) -> None:
    assert int(LInf(epsilon).whole_steps(torch.tensor([300.0])).item()) == most
