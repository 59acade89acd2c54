"""The engine of one machine: batches are scored in this process, on the target's own device."""

from __future__ import annotations

import inspect
from typing import Any, Protocol

import torch
from torch import Tensor

from ..errors import TargetError
from ..targets.protocols import Target

ROWS = 64
"""Rows of a batch for a target that doesn't say how many it likes."""


class Engine(Protocol):
    """Scores batches of images for a target. What it returns doesn't depend on where it runs.

    Attributes:
        target: The classifier under test.
        device: Where images are decoded.
        exact: Whether :meth:`scores` already has the precision that goes on record.
        rows: Images that the target likes to be given at once. Only speed depends on it.
    """

    target: Target
    device: torch.device
    exact: bool

    @property
    def rows(self) -> int: ...

    def scores(self, images: Tensor) -> Tensor:
        """Return the probabilities (B, K) float32 of (B, C, H, W) uint8 images. :meth:`check` them once they are read."""
        ...

    def confirm(self, images: Tensor, rows: int | None = None) -> Tensor:
        """Return the same in the precision that goes on record; in passes of ``rows`` images where the target can."""
        ...

    def check(self, scores: Tensor) -> None:
        """Refuse scores that are no probabilities. Raises TargetError."""
        ...


class LocalEngine:
    """Scores batches in this process. See :class:`Engine`."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.device = torch.device(getattr(target, "device", "cpu"))
        self.exact = getattr(target, "precision", "float32") == "float32"
        self._waits = _accepts(target.scores, "checked")
        self._fixes = _accepts(target.confirm, "rows")

    @property
    def rows(self) -> int:
        """Images that the target likes to be given at once."""
        return int(getattr(self.target, "micro_batch", ROWS))

    def scores(self, images: Tensor) -> Tensor:
        """Return the probabilities (B, K) of images, unchecked: a GPU need not be waited for."""
        options: dict[str, Any] = {"checked": False} if self._waits else {}
        return self._placed(self.target.scores(images, **options), len(images))

    def confirm(self, images: Tensor, rows: int | None = None) -> Tensor:
        """Return the probabilities (B, K) that go on record, unchecked."""
        options: dict[str, Any] = {"rows": rows, "checked": False} if self._fixes else {}
        return self._placed(self.target.confirm(images, **options), len(images))

    def check(self, scores: Tensor) -> None:
        """Refuse scores (B, K) that are NaN or infinite.

        Raises:
            TargetError: They are.
        """
        if not bool(torch.isfinite(scores).all()):
            raise TargetError(
                f"target {self.target.name} returned NaN or infinite scores; check its weights and precision "
                "(`precision=float32`)"
            )

    def _placed(self, scores: Any, count: int) -> Tensor:
        """The scores as float32 on the engine's device."""
        placed = torch.as_tensor(scores, dtype=torch.float32, device=self.device)
        if placed.shape != (count, len(self.target.classes)):
            raise TargetError(
                f"target {self.target.name} must return ({count}, {len(self.target.classes)}) scores for {count} images "
                f"and {len(self.target.classes)} classes, got {tuple(placed.shape)}"
            )
        return placed


def _accepts(function: Any, option: str) -> bool:
    """Whether a method takes a keyword."""
    return option in inspect.signature(function).parameters
