"""Checks of what a target says of itself, and of the scores that it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import TargetError

if TYPE_CHECKING:
    import torch

LOOSENESS = 0.02
"""Largest deviation of a probability from [0, 1], and of a row's sum from 1. bfloat16 keeps 8 bits."""


def check_description(name: str, classes: Any, image_shape: Any) -> None:
    """Check the class names and the image shape of a target.

    Raises:
        TargetError: The classes are not a name for every output, or the shape is not (1 or 3, H, W).
    """
    whole = isinstance(image_shape, tuple | list) and all(isinstance(edge, int) for edge in image_shape)
    if not whole or len(image_shape) != 3 or image_shape[0] not in (1, 3) or min(image_shape) < 1:
        raise TargetError(f"{name}: `image_shape` must be (1 or 3 channels, height, width), got {image_shape!r:.60}")
    if isinstance(classes, str) or not all(isinstance(label, str) for label in classes):
        raise TargetError(f"{name}: `classes` must be the name of every output, in order; got {classes!r:.60}")
    if not len(classes):
        raise TargetError(f"{name}: `classes` is empty; give the name of every output, in order")


def failure_of(name: str, image_shape: tuple[int, ...], error: Exception) -> TargetError:
    """Return the error for a target that raised another one, with its first line."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return TargetError(f"target {name} failed on {image_shape} images: {line}")


def check_finite(name: str, scores: torch.Tensor) -> None:
    """Check that scores are numbers.

    Raises:
        TargetError: Some are NaN or infinite.
    """
    if not bool(scores.isfinite().all()):
        raise TargetError(
            f"target {name} returned NaN or infinite scores; check its weights and precision (`precision=float32`)"
        )


def check_probabilities(name: str, scores: torch.Tensor, advice: str) -> None:
    """Check that the rows of (B, K) scores are probabilities.

    Args:
        name: The target's name.
        scores: (B, K) float.
        advice: What to do if they aren't.

    Raises:
        TargetError: Some are NaN or infinite, or outside [0, 1], or a row's sum isn't 1.
    """
    inside, sums = (scores >= -LOOSENESS).all(), scores.sum(1)
    if bool(scores.isfinite().all() & inside & ((sums - 1).abs() <= LOOSENESS).all()):
        return
    check_finite(name, scores)
    raise TargetError(
        f"target {name} must return probabilities, but its rows sum to {float(sums.min()):.3g} … "
        f"{float(sums.max()):.3g} and its lowest value is {float(scores.min()):.3g}; {advice}"
    )
