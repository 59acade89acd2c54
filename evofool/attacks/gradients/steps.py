"""Steps along the gradient inside a ball: FGSM, its iterated form, and projected gradient descent."""

from __future__ import annotations

import torch
from torch import Tensor

from ...targets.protocols import Differentiable
from .balls import Ball
from .goals import Ascent, Goal, ascent

ITERATED_PATH = 1.25
"""Length of all steps of the iterated method in radii (Kurakin et al. 2017, §2.2: 1.25 ε steps of one 8-bit step)."""

PGD_PATH = 2.5
"""Length of all steps of PGD in radii, so that any point of the ball can be reached from any other (Madry et al. 2018,
with the step of their released code)."""


def fgsm(target: Differentiable, pixels: Tensor, goal: Goal, ball: Ball) -> Tensor:
    """Return x + ε sign(∇J), clipped to [0, 1]: the fast gradient sign method (Goodfellow et al. 2015, §4).

    Args:
        target: The classifier.
        pixels: (B, C, H, W) float in [0, 1].
        goal: What is to be reached. A class to reach turns the sign.
        ball: Its radius is ε.
    """
    step = ball.direction(ascent(target, pixels, goal).gradient) * ball.radius
    return (pixels + step).clamp(0, 1)


def iterated(target: Differentiable, pixels: Tensor, goal: Goal, ball: Ball, *, steps: int) -> Tensor:
    """Return images after several steps from the images themselves (Kurakin et al. 2017, §2.2), each in the ball."""
    return _climb(target, pixels, pixels, goal, ball, steps, ITERATED_PATH)[0]


def pgd(
    target: Differentiable,
    pixels: Tensor,
    goal: Goal,
    ball: Ball,
    *,
    steps: int,
    restarts: int,
    generator: torch.Generator,
) -> Tensor:
    """Return the best images of several climbs in the ball (Madry et al. 2018, §2.1).

    The first climb starts at FGSM's images and the others at random places, so that PGD fools wherever FGSM does.

    Args:
        target, pixels, goal, ball: As in :func:`fgsm`.
        steps: Steps of one climb.
        restarts: Climbs.
        generator: Draws the random starts, on the CPU.
    """
    found, best = pixels, torch.full((len(pixels),), -torch.inf, dtype=pixels.dtype, device=pixels.device)
    for climb in range(restarts):
        start = (pixels + ball.noise(pixels, generator)).clamp(0, 1) if climb else fgsm(target, pixels, goal, ball)
        images, value = _climb(target, pixels, start, goal, ball, steps, PGD_PATH)
        found = torch.where((value > best)[:, None, None, None], images, found)
        best = torch.maximum(value, best)
    return found


def _climb(
    target: Differentiable, pixels: Tensor, start: Tensor, goal: Goal, ball: Ball, steps: int, path: float
) -> tuple[Tensor, Tensor]:
    """Return the best images on a way up inside the ball, and their values (B,): those that reach the goal first."""
    size = path * ball.radius / steps
    images, here = start, ascent(target, start, goal)
    found, best = images, _value(here)
    for _ in range(steps):
        moved = images + size * ball.direction(here.gradient) - pixels
        images = (pixels + ball.project(moved)).clamp(0, 1)
        here = ascent(target, images, goal)
        value = _value(here)
        found = torch.where((value > best)[:, None, None, None], images, found)
        best = torch.maximum(value, best)
    return found, best


def _value(here: Ascent) -> Tensor:
    """Return what the best images have most of: the lead, and far more of it where the goal is reached."""
    return here.lead + torch.where(here.reached, 1e6, 0.0).to(here.lead)
