"""The engine of one machine: batches are scored in this process, on the target's own device."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

from ..errors import TargetError
from ..targets.checks import check_finite, check_probabilities
from ..targets.protocols import Target, device_of, precision_of, rows_of
from .base import Engine


class LocalEngine:
    """Scores batches in this process; see :class:`~.base.Engine`.

    A target may take two keywords that save time. With ``checked=False`` it leaves it to :meth:`check` to look at the
    scores, so that nobody waits for a GPU; with ``rows``, :meth:`~evofool.targets.protocols.Target.confirm` runs passes
    of one size. Scores of a target without the first are checked at once.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.device = torch.device(device_of(target))
        self.exact = precision_of(target) == "float32"
        self._defers_checks = _accepts(target.scores, "checked") and _accepts(target.confirm, "checked")
        self._sizes_passes = _accepts(target.confirm, "rows")

    @property
    def rows(self) -> int:
        """Images that the target likes to be given at once."""
        return rows_of(self.target)

    def scores(self, images: Tensor) -> Tensor:
        """Return the probabilities (B, K) of images."""
        if not len(images):
            return self._no_scores()
        options: dict[str, Any] = {"checked": False} if self._defers_checks else {}
        return self._taken(self.target.scores(images, **options), len(images))

    def confirm(self, images: Tensor, rows: int | None = None) -> Tensor:
        """Return the probabilities (B, K) that go on record."""
        if not len(images):
            return self._no_scores()
        options: dict[str, Any] = {"checked": False} if self._defers_checks else {}
        if self._sizes_passes:
            options["rows"] = rows
        return self._taken(self.target.confirm(images, **options), len(images))

    def check(self, scores: Tensor) -> None:
        """Check scores that this engine returned, or some of their columns.

        Raises:
            TargetError: Some are NaN or infinite.
        """
        check_finite(self.target.name, scores)

    def _no_scores(self) -> Tensor:
        """Return the scores of no images, which a target is not asked for."""
        return torch.empty((0, len(self.target.classes)), device=self.device)

    def _taken(self, scores: Any, count: int) -> Tensor:
        """Return a target's scores as float32 on the engine's device."""
        name, classes = self.target.name, len(self.target.classes)
        try:
            taken = torch.as_tensor(scores, dtype=torch.float32, device=self.device)
        except (TypeError, ValueError, RuntimeError) as error:
            raise TargetError(f"target {name} must return a tensor of scores, got {type(scores).__name__}") from error
        if taken.shape != (count, classes):
            raise TargetError(
                f"target {name} must return ({count}, {classes}) for {count} images and {classes} classes, got "
                f"{tuple(taken.shape)}"
            )
        if not self._defers_checks:
            check_probabilities(name, taken, "a softmax makes some of logits")
        return taken


def engine_of(target: Target | Engine) -> Engine:
    """Return an engine as it is, and a target with an engine in this process."""
    return target if isinstance(target, Engine) else LocalEngine(target)


def _accepts(function: Any, keyword: str) -> bool:
    """Return whether a function takes a keyword."""
    return keyword in inspect.signature(function).parameters
