"""The budget of a run: when it ends by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import ConfigError
from .options import LARGEST

DEFAULT_EVALUATIONS = 20_000


@dataclass(frozen=True)
class Budget:
    """Limits of a run. The first one reached ends it, at the end of a generation.

    Attributes:
        generations, evaluations: Counts. Children that are scored again count once.
        minutes: Minutes of evolving, over all sessions of a run.
        until: Median confidence over the classes at which the run ends, in (0, 1].

    Raises:
        ConfigError: A limit is not above zero, or ``until`` is not in (0, 1].
    """

    generations: int | None = None
    evaluations: int | None = None
    minutes: float | None = None
    until: float | None = None

    def __post_init__(self) -> None:
        for name in ("generations", "evaluations", "minutes"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and value != math.inf):
                raise ConfigError(f"`{name}` must be above 0, got {value}")
            if value is not None and value >= LARGEST:
                raise ConfigError(f"`{name}` must be below 2^62; leave it out to go on without that limit")
        if self.until is not None and not 0 < self.until <= 1:
            raise ConfigError(
                f"`until` is a median confidence above 0 and at most 1, got {self.until}"
                + (f" (did you mean {self.until / 100:g}?)" if 50 <= self.until <= 100 else "")
            )

    @property
    def empty(self) -> bool:
        return self == Budget()

    def or_default(self) -> Budget:
        """Return this budget, or the default one where no limit was given."""
        return Budget(evaluations=DEFAULT_EVALUATIONS) if self.empty else self

    def spent(self, generations: int, evaluations: int, seconds: float, median: float) -> bool:
        """Return whether a limit is reached."""
        return self.share(generations, evaluations, seconds) >= 1 or (self.until is not None and median >= self.until)

    def share(self, generations: int, evaluations: int, seconds: float) -> float:
        """Return how much of the budget is used, from 0: the largest share over the countable limits."""
        return max(
            generations / self.generations if self.generations else 0.0,
            evaluations / self.evaluations if self.evaluations else 0.0,
            seconds / (60 * self.minutes) if self.minutes else 0.0,
        )
