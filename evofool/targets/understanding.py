"""What a classifier that somebody brings returns, found out by showing it a few pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..config.model import ModelOptions
from ..errors import ConfigError, EvofoolError, TargetError
from .checks import failure_of
from .queries.policy import TryAgain

PICTURES = 8
"""How many pictures a classifier is shown."""

_SCORES = ("logits", "probabilities", "probs", "scores", "predictions", "output", "outputs")
"""Names under which classifiers return their scores beside other things, the surest first."""


def pictures(image_shape: tuple[int, int, int], count: int = PICTURES) -> Tensor:
    """Return (count, C, H, W) uint8 pictures that differ: flat ones, a slope, noise from coarse to fine."""
    channels, height, width = image_shape
    generator = np.random.default_rng(0)
    slope = np.broadcast_to(np.linspace(0, 255, width), (channels, height, width))
    images = [np.full(image_shape, level) for level in (128, 0, 255)] + [slope]
    for step in range(count - len(images)):
        cell = max(1, min(height, width) >> (step + 1))
        coarse = generator.integers(0, 256, (channels, -(-height // cell), -(-width // cell)))
        images.append(np.kron(coarse, np.ones((1, cell, cell)))[:, :height, :width])
    return torch.from_numpy(np.stack(images[:count]).astype(np.uint8))


def choose_image_shape(
    what: str, options: ModelOptions, channels: int | None, size: tuple[int, int] | None
) -> tuple[int, int, int]:
    """Return the (C, H, W) of a classifier's images: as the options say, else as the model does, else in colour.

    Args:
        what: What takes them, for messages.
        options: The user's options.
        channels: The channels that the model takes; None where it doesn't say.
        size: (height, width) that the model takes; None where it doesn't say.

    Raises:
        ConfigError: The options contradict the model, or neither says how large the images are.
    """
    asked = size_of(options.image_size)
    if asked is not None and size is not None and asked != size:
        raise ConfigError(
            f"{what} takes images of {size[1]}x{size[0]} pixels (width x height), not `image_size={options.image_size}`"
        )
    if options.colours is not None and (options.colours not in (1, 3) or channels not in (None, options.colours)):
        expected = "1 (grey) or 3 (RGB)" if channels is None else str(channels)
        raise ConfigError(f"{what}: `colours` must be {expected}, got {options.colours}")
    if asked is None and size is None:
        raise ConfigError(f"{what} doesn't say how large its images are; give `image_size=224`, or what it takes")
    height, width = asked or size or (0, 0)
    return channels or options.colours or 3, height, width


def size_of(text: str | int | None) -> tuple[int, int] | None:
    """Return (height, width) of ``224`` or ``320x240``, which is width x height; None for None.

    Raises:
        ConfigError: It is neither.
    """
    if text is None:
        return None
    parts = str(text).lower().replace("×", "x").split("x")
    if not 1 <= len(parts) <= 2 or not all(part.strip().isdecimal() and 0 < int(part) <= 8192 for part in parts):
        raise ConfigError(f"`image_size` must be pixels, as in 224 or 320x240 (width x height), got {text!r:.40}")
    width, height = int(parts[0]), int(parts[-1])
    return height, width


def scores_in(what: str, output: Any, rows: int) -> Tensor:
    """Return the (B, K) scores among what a classifier returned for B images, K not known yet.

    Args:
        what: What returned it, for messages.
        output: A tensor or an array, or a tuple, mapping or object with some.
        rows: The number B of images.

    Raises:
        TargetError: There are none, or it isn't clear which are meant.
    """
    fitting = {name: part for name, part in tensors_in(output).items() if _fits(part, rows)}
    named = next((fitting[name] for name in _SCORES if name in fitting), None)
    if named is None and len(fitting) == 1:
        (named,) = fitting.values()
    if named is None:
        parts = ", ".join(f"{name or 'one array'} {tuple(part.shape)}" for name, part in tensors_in(output).items())
        found = parts or f"{type(output).__name__}"
        raise TargetError(f"{what} must return ({rows}, K) scores for {rows} images, got {found}")
    return named.float().reshape(rows, -1)


def tensors_in(output: Any) -> dict[str, Tensor]:
    """Return the arrays of numbers in what a classifier returned, by name; a lone one has the name ``""``."""
    if (alone := _as_tensor(output)) is not None:
        return {"": alone}
    if isinstance(output, Mapping):
        parts = {str(name): part for name, part in output.items()}
    elif isinstance(output, tuple | list):
        parts = dict(zip(getattr(output, "_fields", map(str, range(len(output)))), output, strict=False))
    else:
        parts = dict(getattr(output, "__dict__", {}))
    found = {name: _as_tensor(part) for name, part in parts.items()}
    return {name: part for name, part in found.items() if part is not None}


def recognise_outputs(values: Tensor) -> str:
    """Return what (B, K) outputs for different pictures are: logits, probabilities, or multilabel probabilities."""
    inside = bool((values >= 0).all() & (values <= 1).all())
    if not inside:
        return "logits"
    if values.shape[1] == 1 or bool(((values.sum(1) - 1).abs() < 1e-2).all()):
        return "probabilities"
    return "multilabel"


def check_affordable(options: ModelOptions, count: int) -> None:
    """Check that a budget of queries has room for the pictures that show what a classifier returns.

    Args:
        options: The user's options.
        count: How many pictures.

    Raises:
        ConfigError: It hasn't.
    """
    if options.max_queries is not None and options.max_queries < count:
        raise ConfigError(
            f"`max_queries` must leave at least {count}, {options.max_queries} are left: so many pictures show what "
            "the classifier returns"
        )


def show(name: str, image_shape: tuple[int, int, int], call: Callable[[Tensor], Any], count: int) -> Tensor:
    """Return the (B, K) outputs of a classifier for some pictures.

    Args:
        name: What messages call it.
        image_shape: (C, H, W) of its images.
        call: The classifier, as a function of (B, C, H, W) uint8 images.
        count: How many pictures.

    Raises:
        TargetError: It fails, or returns no scores.
    """
    images = pictures(image_shape, count)
    try:
        output = call(images)
    except (EvofoolError, TryAgain):
        raise
    except Exception as error:  # it is somebody else's code
        raise failure_of(name, image_shape, error) from error
    return scores_in(f"target {name}", output, len(images))


def _fits(part: Tensor, rows: int) -> bool:
    real = part.is_floating_point() and not part.is_complex()
    return real and (tuple(part.shape) == (rows,) or (part.ndim == 2 and len(part) == rows and part.shape[1] > 0))


def _as_tensor(value: Any) -> Tensor | None:
    """Return an array or nested lists of numbers as a tensor, or None."""
    if isinstance(value, Tensor):
        return None if value.is_meta else value.detach()
    if isinstance(value, np.ndarray | list | tuple) or hasattr(value, "__array__"):
        try:
            array = np.asarray(value)
            return torch.from_numpy(np.require(array, requirements=["C", "W"])) if array.dtype.kind in "fiu" else None
        except (TypeError, ValueError):
            return None
    return None
