"""An engine for a target that counts its queries: workers ask, and this process counts and keeps what they are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from ray import cloudpickle
from torch import Tensor

from ...errors import EvofoolError, in_words
from ...targets.protocols import most_told_by
from ...targets.queries.metered import MeteredTarget
from ...targets.queries.policy import TryAgain
from ..base import Place
from .crew import Crew, Lost
from .crew_engine import CrewEngine


class MeteredEngine(CrewEngine):
    """Has workers asked for what is not known yet; see :class:`~evofool.engines.base.Engine`.

    It is no :class:`~evofool.engines.base.Cluster`: genomes are drawn in this process, which has to see every image to
    know whether it was paid for.
    """

    target: MeteredTarget

    def __init__(self, target: MeteredTarget, crew: Crew, *, connected: bool, owner: bool = True) -> None:
        super().__init__(target, crew, connected=connected, owner=owner)
        facts = crew.facts()
        target.ask_elsewhere(self._ask, len(facts.workers) + facts.coming)

    def close(self) -> None:
        """End the workers; see :class:`~.crew_engine.CrewEngine`."""
        if self._owner:
            self.target.ask_here()
        super().close()

    def _ask(self, images: Tensor) -> Any:
        """Have images asked about once, and return the answer as it is.

        Raises:
            TryAgain: The worker died; it may have asked.
            Exception: What the target raised there.
        """
        try:
            answer = self._crew.ask(asked, len(images), images.cpu().numpy())
        except Lost as error:
            raise TryAgain("the worker that asked died", paid=True) from error
        if isinstance(answer, Failed):
            raise answer.unpacked()
        return torch.tensor(answer) if isinstance(answer, np.ndarray) else answer


@dataclass(frozen=True)
class Failed:
    """An error of a target, which may be asked again."""

    packed: bytes

    def unpacked(self) -> Exception:
        """Return the error."""
        error: Exception = cloudpickle.loads(self.packed)
        return error


def asked(place: Place, pixels: NDArray[np.uint8]) -> object:
    """Ask a target about images (B, C, H, W), on a worker. Return its answer, or :class:`Failed`."""
    (target,) = place.targets
    try:
        answer: object = most_told_by(target)(torch.from_numpy(pixels.copy()).to(place.engine.device))
    except EvofoolError:
        raise
    except Exception as error:  # a user's target may raise anything
        return Failed(_packed(error))
    return answer.detach().cpu().numpy() if isinstance(answer, Tensor) else answer


def _packed(error: Exception) -> bytes:
    """Return an error as bytes; one that can't travel becomes another one that says the same."""
    try:
        packed: bytes = cloudpickle.dumps(error)
        cloudpickle.loads(packed)
    except Exception:
        packed = cloudpickle.dumps(RuntimeError(in_words(error)))
    return packed
