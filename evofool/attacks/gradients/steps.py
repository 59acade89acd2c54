"""Steps along the gradient inside a ball: FGSM, its iterated form, and projected gradient descent."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ...targets.protocols import Differentiable
from .balls import Ball
from .goals import Goal, ascent

ITERATED_PATH = 1.25
"""Length of all steps of the iterated method in radii (Kurakin et al. 2017, §2.2: 1.25 ε steps of one 8-bit step)."""

PGD_PATH = 2.5
"""Length of all steps of PGD in radii, so that any point of the ball can be reached from any other (Madry et al. 2018,
with the step of their released code)."""


_REACHED = 1e6
"""What reaching the goal adds to an image's value: more than any lead."""


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


def iterated(
    target: Differentiable, pixels: Tensor, goal: Goal, ball: Ball, *, steps: int, path: float = ITERATED_PATH
) -> Tensor:
    """Return images after several steps from the images themselves (Kurakin et al. 2017, §2.2), each in the ball.

    Args:
        target, pixels, goal, ball: As in :func:`fgsm`.
        steps: Steps.
        path: Length of all steps, in radii.
    """
    return _climb(target, pixels, pixels, goal, ball, steps=steps, path=path, moves=steps).furthest()


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

    The first climb begins with FGSM's step and the others at random places, so that PGD fools wherever FGSM does.

    Args:
        target, pixels, goal, ball: As in :func:`fgsm`.
        steps: Steps of one climb.
        restarts: Climbs.
        generator: Draws the random starts, on the CPU.
    """
    start = fgsm(target, pixels, goal, ball)  # its gradient is the first step's
    climbed = _climb(target, pixels, start, goal, ball, steps=steps, path=PGD_PATH, moves=steps - 1)
    if restarts == 1:
        return climbed.furthest()
    found, best = climbed.best(target, goal)
    for _ in range(restarts - 1):
        start = (pixels + ball.noise(pixels, generator)).clamp(0, 1)
        climbed = _climb(target, pixels, start, goal, ball, steps=steps, path=PGD_PATH, moves=steps)
        found, best = _better(*climbed.best(target, goal), found, best)
    return found


def walked(
    target: Differentiable, pixels: Tensor, goal: Goal, ball: Ball, *, steps: int, generator: torch.Generator
) -> Tensor:
    """Return where one climb from random places of the ball ends: what adversarial training learns from.

    Steps are as long as PGD's, and at most 1.25 radii (Wong et al. 2020, §4, where one step is all). Nobody asks which
    image on the way was best, which saves a forward pass.

    Args:
        target, pixels, goal, ball: As in :func:`fgsm`.
        steps: Steps of the climb.
        generator: Draws the random places, on the CPU.
    """
    size = min(PGD_PATH / steps, ITERATED_PATH) * ball.radius
    images = (pixels + ball.noise(pixels, generator)).clamp(0, 1)
    for _ in range(steps):
        images = _moved(images, ascent(target, images, goal).gradient, pixels, ball, size)
    return images


def _moved(images: Tensor, gradient: Tensor, pixels: Tensor, ball: Ball, size: float) -> Tensor:
    """Return images after a step along the gradient, back in the ball and in [0, 1]."""
    return (pixels + ball.project(images + size * ball.direction(gradient) - pixels)).clamp(0, 1)


class _Climbed(NamedTuple):
    """A way up inside the ball."""

    images: Tensor
    """(B, C, H, W) where it ends, which the target was not asked about."""
    found: Tensor
    """(B, C, H, W) the best images before."""
    value: Tensor
    """(B,) their values."""

    def furthest(self) -> Tensor:
        """Return the best image where one reached the goal, else the last: a pass less than :meth:`best`."""
        return torch.where((self.value > _REACHED / 2)[:, None, None, None], self.found, self.images)

    def best(self, target: Differentiable, goal: Goal) -> tuple[Tensor, Tensor]:
        """Return the best images of the way, the last ones among them, and their values (B,)."""
        with torch.no_grad():  # nobody goes on from the last images, so they need no gradient
            logits = target.logits(self.images)
        return _better(self.images, _value(goal.lead(logits), goal.reached(logits)), self.found, self.value)


def _climb(
    target: Differentiable,
    pixels: Tensor,
    start: Tensor,
    goal: Goal,
    ball: Ball,
    *,
    steps: int,
    path: float,
    moves: int,
) -> _Climbed:
    """Return a way up inside the ball.

    Args:
        target, pixels, goal, ball: As in :func:`fgsm`.
        start: Where the way begins.
        steps: Steps that the whole path has; ``path`` is its length in radii.
        moves: Steps that are gone.
    """
    size = path * ball.radius / steps
    images, found = start, start
    best = torch.full((len(pixels),), -torch.inf, dtype=pixels.dtype, device=pixels.device)
    for _ in range(moves):
        here = ascent(target, images, goal)
        found, best = _better(images, _value(here.lead, here.reached), found, best)
        images = _moved(images, here.gradient, pixels, ball, size)
    return _Climbed(images, found, best)


def _better(images: Tensor, value: Tensor, found: Tensor, best: Tensor) -> tuple[Tensor, Tensor]:
    """Return the better of two images in every row, and its value (B,)."""
    return torch.where((value > best)[:, None, None, None], images, found), torch.maximum(value, best)


def _value(lead: Tensor, reached: Tensor) -> Tensor:
    """Return what the best images have most of: the lead (B,), and far more of it where the goal is reached."""
    return lead + torch.where(reached, _REACHED, 0.0).to(lead)
