"""What the scores of recorded images are made of, for targets whose score is made of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import OutOfQueries
from ..io.arrays import shortest
from .protocols import Target

ROWS = 8
"""Images of one pass. Fewer are filled up with repetitions, so that no score depends on what is scored beside it."""

Items = dict[str, dict[str, float]]
"""Probabilities of one class by name, in groups: ``{"networks": {"cifar10": 0.99, …}}``."""


@runtime_checkable
class Itemised(Target, Protocol):
    """A target whose score of an image is made of several."""

    def itemise(self, images: Tensor) -> dict[str, dict[str, Tensor]]:
        """Return those, (B, K) each, for (B, C, H, W) uint8 images, by name and in groups."""
        ...


def items_of(
    target: Target, images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], classes: Sequence[Sequence[int]]
) -> list[list[Items]]:
    """Return what scores of images are made of.

    Args:
        target: The target.
        images: (C, H, W) each.
        classes: For each image the classes whose probabilities are wanted.

    Returns:
        For each image and class the items; nothing in them where the target's score is a single one, or its budget of
        queries has no room.
    """
    found: list[list[Items]] = [[{} for _ in wanted] for wanted in classes]
    if not isinstance(target, Itemised):
        return found
    for start in range(0, len(images), ROWS):
        rows = range(start, min(start + ROWS, len(images)))
        batch = np.stack([images[row] for row in np.resize(rows, ROWS)])
        try:
            groups = target.itemise(torch.from_numpy(batch))
        except OutOfQueries:
            break
        for group, items in groups.items():
            for name, scores in items.items():
                values = scores.cpu().numpy()
                for row in rows:
                    for at, index in enumerate(classes[row]):
                        found[row][at].setdefault(group, {})[name] = shortest(values[row - start, index])
    return found
