"""What lies around an image: labels under noise, and how far its label holds along a direction.

Noise is in real numbers, as in Tabacof & Valle 2016: the smallest levels are below one 8-bit step.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..attacks.gradients.goals import Goal, ascent
from ..targets.checks import check_finite
from ..targets.protocols import Differentiable, rows_of
from .probe_levels import GAUSSIAN

LADDER = tuple(2.0**exponent for exponent in range(-6, 8))
"""Distances at which a label is looked at first, in norms of the perturbation."""

BISECTIONS = 10
"""How often the interval is halved in which a label is lost."""


@torch.no_grad()
def labels(target: Differentiable, pixels: Tensor) -> Tensor:
    """Return the classes (N,), on the CPU, of images (N, C, H, W) in [0, 1].

    Raises:
        TargetError: The target returned NaN or infinite logits.
    """
    found = []
    rows = rows_of(target)
    for start in range(0, len(pixels), rows):
        logits = target.logits(pixels[start : start + rows])
        check_finite(target.name, logits)
        found.append(logits.argmax(1).cpu())
    return torch.cat(found)


def noise_like(
    perturbation: Tensor, kind: str, factor: float, samples: int, generator: torch.Generator, *, shifted: bool
) -> Tensor:
    """Draw noise (samples, C, H, W).

    Args:
        perturbation: (C, H, W), on the CPU.
        kind: One of :data:`~evofool.lab.probe_levels.NOISES`.
        factor: What its standard deviation, or its values, are multiplied by.
        samples: How many are drawn.
        generator: Draws them.
        shifted: Whether normal variates have the perturbation's mean; else they have none.
    """
    shape = (samples, *perturbation.shape)
    if kind == GAUSSIAN:
        drawn = torch.randn(shape, generator=generator) * (factor * perturbation.std(correction=0))
        return drawn + perturbation.mean() if shifted else drawn
    values = perturbation.flatten()
    return factor * values[torch.randint(len(values), shape, generator=generator)]


def moments(perturbation: NDArray[np.floating]) -> list[float]:
    """Return mean, standard deviation, skewness and excess kurtosis of all values; the last two are 0 of a constant."""
    values = perturbation.astype(np.float64).ravel()
    mean, std = float(values.mean()), float(values.std())
    standard = (values - mean) / std if std else np.zeros_like(values)
    return [mean, std, float((standard**3).mean()), float((standard**4).mean()) - 3 if std else 0.0]


def directions(target: Differentiable, image: Tensor, label: int, count: int, generator: torch.Generator) -> Tensor:
    """Return directions (count + 2, C, H, W) of norm 1: random ones, then down and up a label's log-odds.

    Raises:
        TargetError: The target gives no gradients.
    """
    random = torch.randn((count, *image.shape), generator=generator)
    goal = Goal(torch.tensor([label], device=image.device), targeted=True)
    gradient = ascent(target, image[None], goal).gradient.cpu()
    every = torch.cat([random, -gradient, gradient])
    norms: Tensor = every.flatten(1).norm(dim=1).clamp_min(1e-12)
    return every / norms[:, None, None, None]


def radii(target: Differentiable, image: Tensor, label: int, along: Tensor, scale: float) -> list[float | None]:
    """Return how far an image can go along directions before its label is lost.

    The way is looked at in steps that double, and then halved where the label is lost first. The distances are those of
    the images, which stay in [0, 1].

    Args:
        target: The classifier.
        image: (C, H, W) in [0, 1], on the CPU.
        label: Its class.
        along: (D, C, H, W) directions of norm 1.
        scale: What :data:`LADDER` is multiplied by.

    Returns:
        D Euclidean distances; None where the label holds to the last step.
    """

    def at(distances: Tensor) -> Tensor:
        return (image + distances[:, None, None, None] * along).clamp(0, 1)

    low, high = torch.zeros(len(along)), torch.full((len(along),), torch.inf)
    for step in LADDER:
        distance = torch.full((len(along),), step * scale)
        open_ = high.isinf()
        if not bool(open_.any()):
            break
        holds = labels(target, at(distance)) == label
        low, high = torch.where(open_ & holds, distance, low), torch.where(open_ & ~holds, distance, high)
    lost = high.isfinite()
    for _ in range(BISECTIONS if bool(lost.any()) else 0):
        middle = torch.where(lost, (low + high) / 2, low)
        holds = labels(target, at(middle)) == label
        low, high = torch.where(holds, middle, low), torch.where(holds, high, middle)
    reached = (at(low) - image).flatten(1).norm(dim=1)
    return [float(value) if found else None for value, found in zip(reached, lost.tolist(), strict=True)]
