"""How a checkup asks a classifier: here, or with the care that a server is asked with."""

from __future__ import annotations

from ..config.model import ModelOptions
from ..engines.local import LocalEngine
from ..targets.doors.base import Loaded
from ..targets.protocols import Target
from ..targets.queries.asked import is_asked_with_care, policy_of
from ..targets.queries.cache import ScoreCache
from ..targets.queries.metered import MemoryLedger, MeteredTarget


class Asking:
    """Makes engines that score images for a classifier, and counts what they pay for together.

    No answer is kept from one engine to the next: whether a second one is the same is what a checkup wants to know.

    Args:
        loaded: The classifier.
        options: How it is asked.
    """

    def __init__(self, loaded: Loaded, options: ModelOptions) -> None:
        self._loaded, self._options, self._ledger = loaded, options, MemoryLedger()
        self.counted = is_asked_with_care(options, remote=loaded.remote)
        if self.counted and loaded.shown:
            self._ledger.reserve(loaded.shown)

    @property
    def queries(self) -> int | None:
        """Queries that were paid; None where nobody counts."""
        return self._ledger.spent if self.counted else None

    def engine(self, target: Target | None = None) -> LocalEngine:
        """Return an engine for the classifier, or for the same one that is read in another way."""
        target = target or self._loaded.target
        if not self.counted:
            return LocalEngine(target)
        policy = policy_of(target, self._options, remote=self._loaded.remote)
        cache = ScoreCache(None, len(target.classes))
        return LocalEngine(MeteredTarget(target, cache, policy, self._options.max_queries, self._ledger))
