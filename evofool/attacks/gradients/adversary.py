"""What a network is trained against."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...targets.protocols import Differentiable
from .balls import Ball, LInf
from .goals import Goal
from .steps import fgsm, iterated, walked


@dataclass(frozen=True)
class Adversary:
    """Perturbs images along the gradient of the network that is being trained on them, from the images themselves.

    One step is FGSM, as Goodfellow et al. 2015, §6 train; more are its iterated form.

    Attributes:
        epsilon: Largest change of a value of a pixel in [0, 1].
        steps: Steps.
    """

    epsilon: float
    steps: int = 1

    def __call__(
        self, network: Differentiable, pixels: Tensor, labels: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return perturbed pixels (B, C, H, W) in [0, 1]. Nothing is random."""
        goal, ball = Goal(labels, targeted=False), LInf(self.epsilon)
        if self.steps == 1:
            return fgsm(network, pixels, goal, ball)
        return iterated(network, pixels, goal, ball, steps=self.steps)


@dataclass(frozen=True)
class PGD:
    """Perturbs images by projected gradient descent from random places of a ball (Madry et al. 2018, §2.1).

    With one step it is the fast adversary of Wong et al. 2020, §4.

    Attributes:
        ball: How far a perturbation may go, in :class:`~.balls.LInf` or :class:`~.balls.L2`.
        steps: Steps.
    """

    ball: Ball
    steps: int

    def __call__(self, network: Differentiable, pixels: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return perturbed pixels (B, C, H, W) in [0, 1]; ``generator``, on the CPU, draws where they begin."""
        return walked(network, pixels, Goal(labels, targeted=False), self.ball, steps=self.steps, generator=generator)
