"""How direct genomes vary, with presets."""

from __future__ import annotations

from typing import Literal

import msgspec

from ...errors import ConfigError
from ...kernels.constants import OPERATORS

MAX_OPERATORS = 100
"""Most entries of ``operators``, in which one may be repeated to be drawn more often."""


class DirectSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How direct genomes vary.

    Raises:
        ConfigError: A value makes no sense.
    """

    rate: float = 0.1
    """Probability in (0, 1] that the operator ``pixels`` changes a gene."""
    eta: float = 15.0
    """Index of polynomial mutation (Deb & Agrawal 1999), above 0; larger means finer steps."""
    crossover: float = 0.0
    """Share of children in [0, 1] that are crossed before they mutate."""
    crossover_eta: float = 10.0
    """Index of simulated binary crossover, above 0."""
    spread: float = 1.0
    """Ratio by which siblings' mutation rates differ, at least 1: they are rate · spread^u, u ~ U(−1, 1)."""
    operators: tuple[str, ...] = ("pixels",)
    """Operators, of which one is drawn for each child: ``pixels``, or strokes that change the whole picture."""
    again: float = 0.0
    """Probability that a child is changed by a second operator."""
    crossing: Literal["sbx", "paste"] = "sbx"
    """How children are crossed: by simulated binary crossover, or with a rectangle of another elite."""
    start: Literal["noise", "gratings"] = "noise"
    """The first pictures: uniform noise, or three gratings each."""

    def __post_init__(self) -> None:
        if not set(self.operators) <= set(OPERATORS) or not 1 <= len(self.operators) <= MAX_OPERATORS:
            raise ConfigError(
                f"direct settings: operators must be some of {', '.join(OPERATORS)}, got {str(self.operators)[:60]}"
            )
        if not 0 <= self.again <= 1:
            raise ConfigError(f"direct settings: again is a probability, got {self.again}")
        if not 0 < self.rate <= 1 or not 0 <= self.crossover <= 1:
            raise ConfigError(
                f"direct settings: rate must be in (0, 1] and crossover in [0, 1], got {self.rate} and {self.crossover}"
            )
        if not (self.eta > 0 and self.crossover_eta > 0 and self.spread >= 1):
            raise ConfigError(
                "direct settings: eta and crossover_eta must be above 0, spread at least 1, "
                f"got {self.eta}, {self.crossover_eta} and {self.spread}"
            )


PRESETS = {
    "default": DirectSettings(
        operators=("pixels", "grating", "colour", "mix", "tile", "shrink"),
        again=0.5,
        crossover=0.2,
        crossing="paste",
        start="gratings",
    ),
    "nguyen2015": DirectSettings(rate=0.1, eta=15.0, crossover=0.5, crossover_eta=10.0),
}
"""Settings by preset.

``default`` varies pictures in patterns, which takes a small part of the evaluations (docs/SEARCH.md).

``nguyen2015`` is the original's: a uniform start, p = 0.1, η = 15, and simulated binary crossover with rate 0.5 and
η = 10. It differs in two points: genes are kept in the 8 bits that are scored, and genes that are equal in both parents
stay as they are (the original resets them to 0.5).
"""
