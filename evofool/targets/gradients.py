"""Gradients of a target's log-odds with respect to pixels, checked."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import EvofoolError, TargetError, in_words
from .protocols import Target


def log_odds(logits: Tensor, classes: Tensor) -> Tensor:
    """Return (B,) the log-odds of one class for each image, against all others: log p/(1 − p) of its softmax.

    Args:
        logits: (B, K).
        classes: (B,) class indices.
    """
    watched = classes[:, None]
    others = logits.scatter(1, watched, -torch.inf).logsumexp(1)
    return logits.gather(1, watched)[:, 0] - others


def gradient_of(target: Target, values: Tensor, pixels: Tensor) -> Tensor:
    """Return the gradient (B, C, H, W) of each image's value with respect to its pixels.

    Args:
        target: The classifier, for messages.
        values: (B,) what was computed from ``pixels``, row by row.
        pixels: (B, C, H, W) float, which require gradients.

    Raises:
        TargetError: There is none, or one that is not finite.
    """
    try:
        (gradient,) = torch.autograd.grad(values.sum(), pixels)
    except EvofoolError:
        raise
    except Exception as error:  # a user's module may raise anything on its way back
        raise TargetError(
            f"target {target.name} gives no gradients ({in_words(error)}); its outputs must depend on its pixels "
            "through differentiable functions of torch"
        ) from error
    if not bool(gradient.isfinite().all()):
        row = int((~gradient.isfinite()).flatten(1).any(1).nonzero()[0])
        raise TargetError(
            f"target {target.name} gives gradients that are NaN or infinite (image {row + 1} of {len(pixels)} in a "
            "batch); look for a logarithm, a root or a division at 0 in the network"
        )
    return gradient


def flat_rows(target: Target, gradient: Tensor) -> Tensor:
    """Return (B,) whether an image's gradient is zero everywhere, so that nothing says where to go.

    Args:
        target: The classifier, for messages.
        gradient: (B, C, H, W).

    Raises:
        TargetError: All are.
    """
    flat = (gradient == 0).flatten(1).all(1)
    if len(flat) and bool(flat.all()):
        raise TargetError(
            f"target {target.name} gives gradients that are zero for all of {len(flat)} images; look for rounding, "
            "an argmax or a saturated sigmoid in the network, and give one that returns logits"
        )
    return flat
