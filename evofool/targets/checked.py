"""Asks a target for scores, and checks what comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..errors import EvofoolError, TargetError
from .checks import check_finite, check_probabilities, failure_of
from .execution.devices import device_for
from .protocols import Target, is_multilabel, takes_rows
from .torch_target import TorchTarget


class CheckedTarget:
    """Asks a target for scores, whatever it returns or raises.

    A :class:`~.torch_target.TorchTarget`, and a target that is made of others and says so by ``checks_itself``, checks
    itself that it returns probabilities, and leaves NaN to the caller, so that nobody waits for a GPU. The scores of
    any other target are checked at once. Where a target's ``confirm`` takes the keyword ``rows``, it is given the size
    of its passes.

    Attributes:
        target: The target.
        device: Where it takes its images.

    Raises:
        TargetError: The target's device is none that this machine has.
    """

    def __init__(self, target: Target) -> None:
        self.target, self.device = target, device_for(target)
        self._checks_itself = isinstance(target, TorchTarget) or getattr(target, "checks_itself", False) is True
        self._options: dict[str, Any] = {"checked": False} if self._checks_itself else {}
        self._takes_rows = takes_rows(target)

    def scores(self, images: Tensor) -> Tensor:
        """Return the probabilities (B, K) float32 of (B, C, H, W) uint8 images, on the target's device.

        Raises:
            TargetError: The target fails, or returns something else.
        """
        return self._call(self.target.scores, images, self._options)

    def confirm(self, images: Tensor, rows: int | None = None) -> Tensor:
        """Return the probabilities (B, K) that go on record.

        Args:
            images: (B, C, H, W) uint8.
            rows: Rows of every pass, where the target takes that.
        """
        options = {**self._options, "rows": rows} if self._takes_rows else self._options
        return self._call(self.target.confirm, images, options)

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits (B, K) behind what :meth:`confirm` returns, of a target that tells them."""
        return self._call(self.target.confirm_logits, images, {}, logits=True)  # type: ignore[attr-defined]

    def _call(
        self, method: Callable[..., Any], images: Tensor, options: dict[str, Any], logits: bool = False
    ) -> Tensor:
        """Return the scores of images. A target is never asked for those of none."""
        if not len(images):
            return torch.empty((0, len(self.target.classes)), device=self.device)
        try:
            scores = method(images.to(self.device), **options)
        except EvofoolError:
            raise
        except Exception as error:  # a user's target may raise anything
            raise failure_of(self.target.name, tuple(self.target.image_shape), error) from error
        return self.as_float32(scores, len(images), logits=logits)

    def as_float32(self, scores: Any, count: int, *, logits: bool = False) -> Tensor:
        """Return what a target returned for so many images as scores (B, K) float32 on its device.

        Args:
            scores: What it returned.
            count: How many images there were.
            logits: Whether it was asked for logits, and not for probabilities.

        Raises:
            TargetError: It is something else.
        """
        name, classes = self.target.name, len(self.target.classes)
        try:
            converted = torch.as_tensor(scores, dtype=torch.float32, device=self.device).detach()
        except (TypeError, ValueError, RuntimeError) as error:
            raise TargetError(f"target {name} must return a tensor of scores, got {type(scores).__name__}") from error
        if converted.shape != (count, classes):
            raise TargetError(
                f"target {name} must return ({count}, {classes}) for {count} images and {classes} classes, got "
                f"{tuple(converted.shape)}"
            )
        if logits:
            check_finite(name, converted)
        elif not self._checks_itself:
            check_probabilities(
                name, converted, "a softmax makes some of logits", multilabel=is_multilabel(self.target)
            )
        return converted
