"""Pixel attacks as foolbox has them: ``attack(model, inputs, criterion, epsilons=…)``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import ConfigError
from ..targets.protocols import Target
from ..targets.registry import load_target
from .pixel_attack import attack_pixels
from .pixels import to_bytes, with_changes


class PixelAttack:
    """Change a few pixels of each image so that a model takes it for another class, as an attack of foolbox.

    The distance is the number of changed pixels, and so are epsilons.

    Args:
        queries: Most scored images for each image and epsilon.
        strategy: As in :func:`evofool.attack`; None for the default.
        seed: Random seed.
    """

    def __init__(self, queries: int = 2000, *, strategy: str | None = None, seed: int = 0) -> None:
        self.options = {"queries": queries, "strategy": strategy, "seed": seed}

    def __call__(self, model: Any, inputs: Tensor, criterion: Any, *, epsilons: Any) -> Any:
        """Attack a batch.

        Args:
            model: A model of foolbox, such as ``PyTorchModel``.
            inputs: (N, C, H, W) within the model's bounds.
            criterion: (N,) the true classes, or foolbox's ``Misclassification`` or ``TargetedMisclassification``.
            epsilons: How many pixels may change, or a sequence of such numbers.

        Returns:
            The images found, the same within epsilon, and (N,) which of them fool the model. Each is a list, and the
            last is (epsilons, N), where there is a sequence of epsilons.

        Raises:
            ConfigError: Inputs, criterion or epsilons can't be.
        """
        several = isinstance(epsilons, Sequence)
        counts = [_pixels(epsilon) for epsilon in (epsilons if several else [epsilons])]
        low, high = map(float, model.bounds)
        before = to_bytes(inputs, low, high)
        target: Target = load_target(model, image_size=f"{inputs.shape[3]}x{inputs.shape[2]}", colours=inputs.shape[1])
        wanted = getattr(criterion, "target_classes", None)
        if wanted is not None:
            labels, wanted = None, _numbers(wanted)
        else:
            labels = _numbers(getattr(criterion, "labels", criterion))
        raws, successes = [], []
        for count in counts:
            found = attack_pixels(target, before, labels, {**self.options, "pixels": count}, wanted)
            raws.append(with_changes(inputs, before, found.images, low, high))
            successes.append(torch.from_numpy(found.success).to(inputs.device))
        if several:
            return raws, list(raws), torch.stack(successes)
        return raws[0], raws[0], successes[0]


def _pixels(epsilon: Any) -> int:
    """Return an epsilon as a number of pixels."""
    if isinstance(epsilon, bool) or epsilon is None or not float(epsilon).is_integer() or epsilon < 1:
        raise ConfigError(f"epsilons must be whole numbers of pixels, such as [1, 3, 5], got {epsilon}")
    return int(epsilon)


def _numbers(labels: Any) -> list[int]:
    """Return labels, which may be a tensor, foolbox's own kind of it, or a list, as numbers."""
    return [int(label) for label in getattr(labels, "raw", labels)]
