"""Checks of what a target says of itself, and of the scores that it returns."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.arguments import plain
from ..config.class_names import repeated
from ..errors import ConfigError, TargetError, WeightsError, in_words

if TYPE_CHECKING:
    import torch

LOOSENESS = 0.02
"""Largest deviation of a probability from [0, 1], and of a row's sum from 1. bfloat16 keeps 8 bits."""

ONE_OF_SEVERAL = (
    "where several classes can be true of one image, and every class has a sigmoid of its own, say `outputs=multilabel`"
)
"""What to do with a classifier that can see several classes in one image."""


SHARED_FROM = 1_000
"""Fewest classes of which several may share a name: ImageNet's lists have two cranes, a bird and a machine."""


def described(name: Any, classes: Any, image_shape: Any) -> tuple[str, list[str], tuple[int, int, int]]:
    """Return the name, the class names and the image shape of a target as plain Python, checked.

    Args:
        name: Text.
        classes: The name of every output; a list, a tuple or an array.
        image_shape: (C, H, W); whole numbers of any kind.

    Raises:
        TargetError: The name is no text, the classes are not two or more names, or the shape is not (1 or 3, H, W); or
            of fewer than ``SHARED_FROM`` classes some share a name.
    """
    if not isinstance(name, str):
        raise TargetError(f"`name` must be text, got {name!r:.60}")
    shape, labels = plain(image_shape), plain(classes)
    whole = isinstance(shape, list) and len(shape) == 3 and all(type(edge) is int for edge in shape)
    if not whole or shape[0] not in (1, 3) or min(shape) < 1:
        raise TargetError(f"{name}: `image_shape` must be (1 or 3 channels, height, width), got {shape!r:.60}")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise TargetError(f"{name}: `classes` must be the name of every output, in order; got {labels!r:.60}")
    if not labels:
        raise TargetError(f"{name}: `classes` is empty; give the name of every output, in order")
    if len(labels) == 1:  # its probability would always be 1
        label = labels[0][:40]
        raise TargetError(
            f"{name}: `classes` must be two or more names, got one; of a classifier with one output p, the probability "
            f'of {label}, name both sides, ["not {label}", "{label}"], and return [1 - p, p] (a torch module may '
            "return p, or its logit, alone)"
        )
    if len(labels) < SHARED_FROM and (twice := repeated(labels)):
        raise TargetError(f"{name}: `classes` has {twice} more than once; give every output a name of its own")
    channels, height, width = shape
    return str(name), labels, (channels, height, width)


def check_resize(given: Any, image_shape: tuple[int, int, int]) -> int:
    """Return what the shorter side of pictures becomes before a target's images are cropped from them.

    Args:
        given: A whole number of any kind.
        image_shape: (C, H, W) of the images.

    Raises:
        ConfigError: It is none, or less than the images' shorter side.
    """
    resize = plain(given)
    if type(resize) is not int:
        raise ConfigError(f"`resize` must be a whole number, got {given!r:.60}")
    if resize < (least := min(image_shape[1:])):
        raise ConfigError(f"`resize` must be at least {least}, the shorter side of the images, got {resize}")
    return resize


def failure_of(name: str, image_shape: tuple[int, ...], error: Exception, advice: str = "") -> TargetError:
    """Return the error for a target that raised another one, with the line that says why."""
    return TargetError(f"target {name} failed on {image_shape} images: {first_line(error)}{advice}")


def refused(name: str, image_shape: tuple[int, ...], images: Any, expected: str) -> TargetError:
    """Return the error for images that are others than a target takes.

    Args:
        name: The target's name.
        image_shape: (C, H, W) of its images.
        images: What it was given.
        expected: What it takes, in words.
    """
    dtype, shape = getattr(images, "dtype", ""), getattr(images, "shape", None)
    given = type(images).__name__ if shape is None else f"{dtype} {tuple(shape)}"
    if shape is not None and "torch" not in str(dtype):
        given = f"{type(images).__name__} of {given}"
    return TargetError(f"{name} takes {expected} (B, {', '.join(map(str, image_shape))}), got {given}")


def first_line(error: Exception) -> str:
    """Return the line of an exception that says what went wrong: the first, of a TorchScript's the last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines and "TorchScript" in lines[0] else in_words(error)


def check_weights_file(path: Path) -> None:
    """Check that a file of weights is there.

    Raises:
        WeightsError: It isn't.
    """
    if not os.path.isfile(path):
        raise WeightsError(f"no weights file at {path}; give a .safetensors or .pth file")


def check_finite(name: str, scores: torch.Tensor) -> None:
    """Check that scores are numbers.

    Raises:
        TargetError: Some are NaN or infinite.
    """
    if not bool(scores.isfinite().all()):
        raise TargetError(
            f"target {name} returned NaN or infinite scores; check its weights and precision (`precision=float32`)"
        )


def check_probabilities(name: str, scores: torch.Tensor, advice: str, *, multilabel: bool = False) -> None:
    """Check that the rows of (B, K) scores are probabilities.

    Args:
        name: The target's name.
        scores: (B, K) float.
        advice: What to do if they leave [0, 1].
        multilabel: Whether several classes can be true of one image, so that rows may have any sum.

    Raises:
        TargetError: Some are NaN or infinite, or outside [0, 1], or a row's sum isn't 1.
    """
    inside, sums = (scores >= -LOOSENESS).all(), scores.sum(1)
    whole = (scores <= 1 + LOOSENESS).all() if multilabel else ((sums - 1).abs() <= LOOSENESS).all()
    if bool(scores.isfinite().all() & inside & whole):
        return
    check_finite(name, scores)
    found = f"its rows sum to {float(sums.min()):.3g} … {float(sums.max()):.3g}"
    if not multilabel and bool(inside) and float(scores.max()) <= 1 + LOOSENESS:
        raise TargetError(
            f"target {name} must return probabilities that sum to 1 for each image, but {found}; {ONE_OF_SEVERAL}"
        )
    raise TargetError(
        f"target {name} must return probabilities, but {found} and its lowest value is {float(scores.min()):.3g}; "
        f"{advice}"
    )
