"""Images that a network's last layer sees as others: their features are matched by steps along the gradient.

Ilyas et al. 2019, §3.1: of a robust network, this keeps of an image what that network uses and nothing else.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ...targets.gradients import gradient_of
from ...targets.protocols import Differentiable
from .balls import L2


class Match(NamedTuple):
    """Images whose features were matched."""

    images: Tensor
    """(B, C, H, W) float in [0, 1]."""
    before: Tensor
    """(B,) Euclidean distances of the features at the start."""
    after: Tensor
    """(B,) those of the images."""


def match_features(target: Differentiable, start: Tensor, wanted: Tensor, *, steps: int, size: float) -> Match:
    """Minimise ‖g(x) − g‖ from a start on, by gradient steps of one Euclidean length, within [0, 1].

    The nearest images on the way are returned, as a step of that length may pass the minimum.

    Args:
        target: The network, whose features are g(x).
        start: (B, C, H, W) float in [0, 1].
        wanted: (B, F) the features to reach.
        steps: Steps along the gradient of the squared distance.
        size: Euclidean length of a step.

    Raises:
        TargetError: The target gives no features, or gradients that are not finite.
    """
    ball, images = L2(size), start
    squares = _squares(target, start, wanted)
    nearest, best = start, squares
    for _ in range(steps):
        inputs = images.detach().requires_grad_()
        distance = (target.features(inputs) - wanted).square().sum(1)
        gradient = gradient_of(target, distance, inputs)
        images = (images - size * ball.direction(gradient)).clamp(0, 1)
        nearest, best = _nearer(inputs.detach(), distance.detach(), nearest, best)
    nearest, best = _nearer(images, _squares(target, images, wanted), nearest, best)
    return Match(nearest, squares.sqrt(), best.sqrt())


@torch.no_grad()
def _squares(target: Differentiable, images: Tensor, wanted: Tensor) -> Tensor:
    """Return (B,) the squared distances of images' features from those wanted."""
    return (target.features(images) - wanted).square().sum(1)


def _nearer(images: Tensor, distance: Tensor, nearest: Tensor, best: Tensor) -> tuple[Tensor, Tensor]:
    """Return in every row the images with the smaller distance (B,), and that distance."""
    return torch.where((distance < best)[:, None, None, None], images, nearest), torch.minimum(distance, best)
