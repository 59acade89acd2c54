"""What a strategy is, in DEAP's ask-tell words."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..archive import Archive, Update
from ..population import Population


class Strategy(Protocol):
    """Proposes a batch, takes the scores; all of its state can be saved and restored."""

    archive: Archive

    def generate(self) -> Population:
        """The next batch of children."""
        ...

    def update(self, population: Population) -> Update:
        """Take a scored population."""
        ...

    def state(self) -> dict[str, np.ndarray]:
        """Everything but the random generators, as arrays."""
        ...

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take up what :meth:`state` gave."""
        ...
