"""The engine of one machine: batches are scored in this process, on the target's own device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ..targets.checked import CheckedTarget
from ..targets.checks import check_finite
from ..targets.ensemble import Ensemble
from ..targets.protocols import Target, precision_of, rows_of, runs_side_by_side
from ..targets.torch_target import TorchTarget
from .base import Engine
from .passes import fills_passes, pass_sizes


class LocalEngine:
    """Scores batches in this process; see :class:`~.base.Engine`.

    Raises:
        TargetError: The target's device is none that this machine has.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._checked = CheckedTarget(target)
        self.device = self._checked.device
        self.exact = precision_of(target) == "float32"
        self._fills_passes = fills_passes(target)

    @property
    def rows(self) -> int:
        """Images that the target likes to be given at once."""
        return rows_of(self.target)

    def scores(self, images: Tensor) -> Tensor:
        """Return the probabilities (B, K) of images."""
        return self._in_passes(self._checked.scores, images)

    def confirm(self, images: Tensor, rows: int | None = None) -> Tensor:
        """Return the probabilities (B, K) that go on record."""
        confirm = partial(self._checked.confirm, rows=rows)
        return confirm(images) if rows is not None and self._fills_passes else self._in_passes(confirm, images)

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits (B, K) behind what :meth:`confirm` returns, of a target that tells them."""
        return self._in_passes(self._checked.logits, images)

    def check(self, scores: Tensor) -> None:
        """Check scores that this engine returned, or some of their columns.

        Raises:
            TargetError: Some are NaN or infinite.
        """
        check_finite(self.target.name, scores)

    def lent(self) -> LocalEngine:
        """Return this engine."""
        return self

    def close(self) -> None:
        """Do nothing: there is nothing elsewhere."""

    def _in_passes(self, ask: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        """Ask for images pass by pass. A torch target cuts batches itself, in the same way."""
        sizes = [] if isinstance(self.target, TorchTarget) else pass_sizes(self.target, len(images))
        return torch.cat([ask(part) for part in torch.split(images, sizes)]) if len(sizes) > 1 else ask(images)


def passes_at_once(engine: Engine) -> int:
    """Return how many passes of an engine this process computes at the same time, each on a thread of its own."""
    if not isinstance(engine, LocalEngine):
        return 1
    plain = isinstance(engine.target, TorchTarget | Ensemble)
    return torch.get_num_threads() if plain and runs_side_by_side(engine.target) else 1


def engine_of(target: Target | Engine) -> Engine:
    """Return an engine as it is, and a target with an engine in this process."""
    return target if isinstance(target, Engine) else LocalEngine(target)
