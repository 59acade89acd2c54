"""What a network is trained against."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ...targets.protocols import Differentiable
from .balls import LInf
from .goals import Goal
from .steps import fgsm, iterated


@dataclass(frozen=True)
class Adversary:
    """Perturbs images along the gradient of the network that is being trained on them.

    One step is FGSM, as Goodfellow et al. 2015, §6 train; more are its iterated form.

    Attributes:
        epsilon: Largest change of a value of a pixel in [0, 1].
        steps: Steps.
    """

    epsilon: float
    steps: int = 1

    def __call__(self, network: Differentiable, pixels: Tensor, labels: Tensor) -> Tensor:
        """Return perturbed pixels (B, C, H, W) in [0, 1]."""
        goal, ball = Goal(labels, targeted=False), LInf(self.epsilon)
        if self.steps == 1:
            return fgsm(network, pixels, goal, ball)
        return iterated(network, pixels, goal, ball, steps=self.steps)
