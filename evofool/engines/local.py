"""The engine of one machine: batches are scored in this process, on the target's own device."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..errors import EvofoolError, TargetError
from ..targets.checks import check_finite, check_probabilities, failure_of
from ..targets.execution.devices import device_for
from ..targets.protocols import Target, is_multilabel, precision_of, rows_of
from ..targets.torch_target import TorchTarget
from .base import Engine


class LocalEngine:
    """Scores batches in this process; see :class:`~.base.Engine`.

    A :class:`~evofool.targets.torch_target.TorchTarget` checks itself that it returns probabilities, and leaves NaN to
    :meth:`check`, so that nobody waits for a GPU. The scores of any other target are checked at once. Where a target's
    ``confirm`` takes the keyword ``rows``, it is given the size of its passes.

    Raises:
        TargetError: The target's device is none that this machine has.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.device = device_for(target)
        self.exact = precision_of(target) == "float32"
        self._checks_itself = isinstance(target, TorchTarget)
        self._options: dict[str, Any] = {"checked": False} if self._checks_itself else {}
        self._sizes_passes = "rows" in inspect.signature(target.confirm).parameters

    @property
    def rows(self) -> int:
        """Images that the target likes to be given at once."""
        return rows_of(self.target)

    def scores(self, images: Tensor) -> Tensor:
        """Return the probabilities (B, K) of images."""
        return self._call(self.target.scores, images, self._options)

    def confirm(self, images: Tensor, rows: int | None = None) -> Tensor:
        """Return the probabilities (B, K) that go on record."""
        options = {**self._options, "rows": rows} if self._sizes_passes else self._options
        return self._call(self.target.confirm, images, options)

    def check(self, scores: Tensor) -> None:
        """Check scores that this engine returned, or some of their columns.

        Raises:
            TargetError: Some are NaN or infinite.
        """
        check_finite(self.target.name, scores)

    def _call(self, method: Callable[..., Any], images: Tensor, options: dict[str, Any]) -> Tensor:
        """Return the scores of images. A target is never asked for those of none."""
        if not len(images):
            return torch.empty((0, len(self.target.classes)), device=self.device)
        try:
            scores = method(images.to(self.device), **options)
        except EvofoolError:
            raise
        except Exception as error:  # a user's target may raise anything
            raise failure_of(self.target.name, tuple(self.target.image_shape), error) from error
        return self._as_float32(scores, len(images))

    def _as_float32(self, scores: Any, count: int) -> Tensor:
        """Return a target's scores as float32 on the engine's device."""
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
        if not self._checks_itself:
            check_probabilities(
                name, converted, "a softmax makes some of logits", multilabel=is_multilabel(self.target)
            )
        return converted


def engine_of(target: Target | Engine) -> Engine:
    """Return an engine as it is, and a target with an engine in this process."""
    return target if isinstance(target, Engine) else LocalEngine(target)
