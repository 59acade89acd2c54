"""What a perturbation has to reach, as a function that gradients are taken of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from ...targets.gradients import flat_rows, gradient_of, log_odds
from ...targets.protocols import Differentiable


@dataclass(frozen=True)
class Goal:
    """What the perturbed images of a batch have to be taken for.

    Attributes:
        watched: (B,) the class of each image that it must not be taken for; where ``targeted``, the class to reach.
        targeted: Whether a certain class has to be reached.
    """

    watched: Tensor
    targeted: bool

    def lead(self, logits: Tensor) -> Tensor:
        """Return (B,) log-odds of the goal: of the class to reach, or of all classes but the true one.

        Cross-entropy J is softplus(−lead) where a class is to be reached, and softplus(lead) of the true class else.
        So the lead grows where the papers' steps go, and its gradient is that of J but for a positive factor. The
        factor is 0 in float32 where the network is very sure; the lead's own gradient does not vanish there.
        """
        odds = log_odds(logits, self.watched)
        return odds if self.targeted else -odds

    def reached(self, logits: Tensor) -> Tensor:
        """Return (B,) whether each image's first guess meets the goal. It also takes scores."""
        guess = logits.argmax(1)
        return guess == self.watched if self.targeted else guess != self.watched


class Ascent(NamedTuple):
    """Where a batch stands."""

    lead: Tensor
    """(B,) the goal's log-odds."""
    reached: Tensor
    """(B,) whether it is reached."""
    gradient: Tensor
    """(B, C, H, W) the lead's gradient with respect to the pixels."""


def ascent(target: Differentiable, pixels: Tensor, goal: Goal) -> Ascent:
    """Return how far images are from a goal, and the direction that leads there.

    Args:
        target: The classifier.
        pixels: (B, C, H, W) float in [0, 1], on the target's device.
        goal: The goal of each image.

    Raises:
        TargetError: The target gives no gradients, or some that are not finite.
    """
    inputs = pixels.detach().requires_grad_()
    logits = target.logits(inputs)
    lead = goal.lead(logits)
    gradient = gradient_of(target, lead, inputs)
    return Ascent(lead.detach(), goal.reached(logits.detach()), gradient)


def flat_images(target: Differentiable, pixels: Tensor, goal: Goal) -> Tensor:
    """Return (B,) whether the gradient at each image is zero everywhere, so that nothing says where to go.

    Raises:
        TargetError: All are, or :func:`ascent` says why.
    """
    return flat_rows(target, ascent(target, pixels, goal).gradient)
