"""The data sets of ``features``: robust, non-robust, and two whose every label looks wrong (Ilyas et al. 2019, §3).

All are made in batches, from 8-bit images to 8-bit images, and depend on nothing but what they are given.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..attacks.gradients.balls import L2
from ..attacks.gradients.goals import Goal
from ..attacks.gradients.matching import match_features
from ..attacks.gradients.steps import PGD_PATH, iterated
from ..targets.protocols import Differentiable


class Made(NamedTuple):
    """A batch of a data set."""

    images: Tensor
    """(B, C, H, W) uint8."""
    taken: Tensor
    """(B,) what the network that it was made with takes the 8-bit images for."""
    unrounded: Tensor
    """(B,) what it takes them for before rounding."""
    moved: Tensor
    """(B,) Euclidean distances of the 8-bit images from those that they began as, in pixels of [0, 1]."""
    before: Tensor | None = None
    """(B,) distances of the features from those wanted, at the start; None where no features were matched."""
    after: Tensor | None = None
    """(B,) those of the 8-bit images."""


def matched(network: Differentiable, images: Tensor, start: Tensor, *, steps: int, size: float) -> Made:
    """Return images that a network's last layer sees as ``images``, found from others (Ilyas et al. 2019, §3.1).

    Args:
        network: The network: a robust one makes D_R, a standard one D_NR.
        images: (B, C, H, W) uint8.
        start: (B, C, H, W) uint8, where the way begins.
        steps, size: As in :func:`~evofool.attacks.gradients.matching.match_features`.
    """
    with torch.no_grad():
        wanted = network.features(images.float() / 255)
    found = match_features(network, start.float() / 255, wanted, steps=steps, size=size)
    with torch.no_grad():
        after = (network.features(rounded(found.images).float() / 255) - wanted).norm(dim=1)
    return _made(network, found.images, start)._replace(before=found.before, after=after)


def perturbed(
    network: Differentiable, images: Tensor, labels: Tensor, *, epsilon: float, steps: int, size: float | None
) -> Made:
    """Return images that a network takes for the classes ``labels``, by L2 PGD (Ilyas et al. 2019, §3.2).

    Args:
        network: The standard network.
        images: (B, C, H, W) uint8.
        labels: (B,) the classes to reach.
        epsilon: Largest Euclidean norm before rounding.
        steps: Steps along the gradient.
        size: Euclidean length of a step; None: 2.5 ε in all.
    """
    path = PGD_PATH if size is None else steps * size / epsilon
    goal = Goal(labels, targeted=True)
    found = iterated(network, images.float() / 255, goal, L2(epsilon), steps=steps, path=path)
    return _made(network, found, images)


def rounded(pixels: Tensor) -> Tensor:
    """Return pixels in [0, 1] as uint8."""
    return (255 * pixels.detach()).round().clamp(0, 255).to(torch.uint8)


@torch.no_grad()
def _made(network: Differentiable, found: Tensor, start: Tensor) -> Made:
    """Return a batch of images that were found as float, with what is told of them."""
    images = rounded(found)
    moved = ((images.float() - start.float()) / 255).flatten(1).norm(dim=1)
    return Made(images, network.confirm(images).argmax(1), network.logits(found).argmax(1), moved)
