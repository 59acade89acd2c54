"""The interface of an engine, which scores images for searches and attacks."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ..targets.protocols import Target


@runtime_checkable
class Engine(Protocol):
    """Scores batches of images for a target. What it returns doesn't depend on where it runs.

    Attributes:
        target: The classifier under test.
        device: Where images are decoded.
        exact: Whether :meth:`scores` already has the precision that goes on record, which is float32. Its scores are
            then recorded without :meth:`confirm`, those of a network with folded batch normalisations too.
        rows: Images that the target likes to be given at once. Only speed depends on it.
    """

    target: Target
    device: torch.device
    exact: bool

    @property
    def rows(self) -> int: ...

    def scores(self, images: Tensor) -> Tensor:
        """Return the probabilities (B, K) float32 of (B, C, H, W) uint8 images, on any device.

        Call :meth:`check` when they are read.
        """
        ...

    def confirm(self, images: Tensor, rows: int | None = None) -> Tensor:
        """Return the same in the precision that goes on record.

        Passes have ``rows`` images where the target can be told so.
        """
        ...

    def check(self, scores: Tensor) -> None:
        """Check scores that :meth:`scores` or :meth:`confirm` returned, or some of their columns.

        Raises:
            TargetError: Some are NaN or infinite.
        """
        ...
