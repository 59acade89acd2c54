"""How far a perturbation may go: balls around an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

SMALLEST_NORM = 1e-12
"""Norms below this count as this, so that a zero can be divided by its norm."""

WHOLE = 1e-4
"""By how much of an 8-bit step a radius may miss a whole number of steps and count as it; 8/255 is not exact."""


class Ball(Protocol):
    """All perturbations (B, C, H, W) up to a size, in pixels of [0, 1]."""

    @property
    def radius(self) -> float:
        """The size."""
        ...

    def direction(self, gradient: Tensor) -> Tensor:
        """Return the steps of size 1 that gain most along a gradient."""
        ...

    def project(self, perturbation: Tensor) -> Tensor:
        """Return the nearest perturbations inside."""
        ...

    def noise(self, like: Tensor, generator: torch.Generator) -> Tensor:
        """Draw perturbations from the whole ball."""
        ...

    def whole_steps(self, steps: Tensor) -> Tensor:
        """Return perturbations in whole 8-bit steps, kept inside where rounding would lead out of the ball."""
        ...


@dataclass(frozen=True)
class LInf:
    """Perturbations that change no value by more than ``radius``."""

    radius: float

    def direction(self, gradient: Tensor) -> Tensor:
        return gradient.sign()

    def project(self, perturbation: Tensor) -> Tensor:
        return perturbation.clamp(-self.radius, self.radius)

    def noise(self, like: Tensor, generator: torch.Generator) -> Tensor:
        drawn = torch.rand(like.shape, generator=generator).to(like)
        return drawn.mul_(2).sub_(1).mul_(self.radius)

    def whole_steps(self, steps: Tensor) -> Tensor:
        most = int(255 * self.radius + WHOLE)
        return steps.clamp(-most, most)


@dataclass(frozen=True)
class L2:
    """Perturbations whose Euclidean norm over all values is at most ``radius``. Rounding may exceed it a little."""

    radius: float

    def direction(self, gradient: Tensor) -> Tensor:
        return gradient / _norm(gradient)

    def project(self, perturbation: Tensor) -> Tensor:
        return perturbation * (self.radius / _norm(perturbation)).clamp(max=1)

    def noise(self, like: Tensor, generator: torch.Generator) -> Tensor:
        """Draw uniformly: a direction from normal variates, and the radius of volume's share."""
        drawn = torch.randn(like.shape, generator=generator).to(like)
        share = torch.rand((len(like), 1, 1, 1), generator=generator).to(like) ** (1 / like[0].numel())
        return drawn / _norm(drawn) * share * self.radius

    def whole_steps(self, steps: Tensor) -> Tensor:
        return steps


def _norm(values: Tensor) -> Tensor:
    """Return Euclidean norms (B, 1, 1, 1), at least ``SMALLEST_NORM``."""
    norms: Tensor = values.flatten(1).norm(dim=1).clamp_min(SMALLEST_NORM)
    return norms[:, None, None, None]
