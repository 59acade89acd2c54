"""ODIN: the softmax at a high temperature, after a small step towards more confidence (Liang et al. 2018, §3)."""

from __future__ import annotations

import torch
from torch import Tensor

from ..targets.gradients import gradient_of
from ..targets.protocols import Differentiable, rows_of
from .outputs import Scores

TEMPERATURE = 1000.0
"""Temperature T of the softmax, as in the paper."""

STEP = 0.0014
"""Size ε of the step, for pixels in [0, 1]: the paper's, which pytorch-ood and OpenOOD have as well."""


def odin_scores(target: Differentiable, images: Tensor) -> Scores:
    """Return the scores (N,) of (N, C, H, W) uint8 images, each higher for what looks real.

    Of a float image ``x`` the network sees ``x − ε sign(−∇ log S(x; T))``, with ``S`` the largest softmax probability
    at temperature ``T``; the score is that probability of what it sees.

    Raises:
        TargetError: The target gives no gradients, or none that are numbers.
    """
    found = [_scores_of(target, part) for part in torch.split(images, rows_of(target))]
    scores: Scores = torch.cat(found).double().cpu().numpy()
    return scores


def _scores_of(target: Differentiable, images: Tensor) -> Tensor:
    pixels = (images.float() / 255).requires_grad_()
    surest = _log_softmax(target.logits(pixels))
    step = STEP * gradient_of(target, surest, pixels).sign()
    with torch.no_grad():
        return _log_softmax(target.logits(pixels.detach() + step)).exp()


def _log_softmax(logits: Tensor) -> Tensor:
    """Return the logarithm (B,) of the largest probability at the temperature, in float64: all are nearly the same."""
    return (logits.double() / TEMPERATURE).log_softmax(1).amax(1)
