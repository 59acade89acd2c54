"""What engines with workers have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import ray

from ...targets.protocols import Target
from ..base import ClusterFacts
from ..local import LocalEngine
from .crew import Crew


class CrewEngine(LocalEngine):
    """An engine whose workers are actors of a Ray cluster.

    Args:
        target: The target, as this process has it.
        crew: The workers, which hold the same.
        connected: Whether the connection to the cluster ends with the engine.
        owner: Whether the workers end with the engine.
    """

    def __init__(self, target: Target, crew: Crew, *, connected: bool, owner: bool = True) -> None:
        super().__init__(target)
        self._crew, self._connected, self._owner = crew, connected, owner
        self._kinds_before = 0 if owner else max(0, len(crew.facts().recorded_by) - 1)

    def facts(self) -> ClusterFacts:
        """Return how the workers are doing. Hardware that was gone before a lent engine's job began is not its own."""
        facts = self._crew.facts()
        return replace(facts, recorded_by=facts.recorded_by[self._kinds_before :])

    def lent(self) -> Self:
        """Return an engine with the same workers, which stay when it is closed."""
        return type(self)(self.target, self._crew, connected=False, owner=False)

    def close(self) -> None:
        """End the workers, and the connection to the cluster if it was made for them."""
        if self._owner and ray.is_initialized():
            self._crew.close()
            if self._connected:
                ray.shutdown()
