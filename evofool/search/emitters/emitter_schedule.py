"""Which of several emitters proposes a generation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...rng import Rng
from ..archive import Archive
from ..states import State, prefixed, under
from .base import Emitter

AVERAGING_RATE = 0.02
"""Averaging rate of an emitter's gain; its first 50 generations use the plain mean. Some emitters gain seldom, and much
then."""

EQUAL_SHARE = 0.2
"""Share of the generations that all emitters have alike, whatever they gain."""


class EmitterSchedule:
    """Draws the emitter of each generation by what the children of each have gained lately.

    An emitter's gain is the average confidence that one of its children adds to the sum over all elites. One that has
    just begun counts as if it had gained what the best one does, once.

    Args:
        emitters: The emitters by name, and after how many evaluations each begins.
        rng: The evolution's random generators.

    Attributes:
        emitters: The emitters by name.
        gains: The gain of each.
        turns: How many generations each has proposed.
    """

    def __init__(self, emitters: Mapping[str, tuple[Emitter, int]], rng: Rng) -> None:
        self.emitters = {name: emitter for name, (emitter, _) in emitters.items()}
        self.gains, self.turns = np.zeros(len(emitters)), np.zeros(len(emitters), np.int64)
        self._names = list(self.emitters)
        self._begins = np.array([begin for _, begin in emitters.values()], np.int64)
        self._rng = rng

    @property
    def learns(self) -> bool:
        """Whether there is a choice, and gains count."""
        return len(self.emitters) > 1

    def number(self, name: str | None) -> int:
        """Return what stands for an emitter in states."""
        return self._names.index(str(name))

    def named(self, number: int) -> str:
        """Return the name of the emitter that a number stands for.

        Raises:
            ValueError: It stands for none.
        """
        if number >= len(self._names):
            raise ValueError(f"emitter {number} should be below {len(self._names)}")
        return self._names[number]

    def draw(self, evaluations: int) -> str:
        """Return the name of the emitter that proposes the next generation, after so many evaluations."""
        begun = np.flatnonzero(self._begins <= evaluations)
        if len(begun) == 1:
            return self._names[int(begun[0])]
        new = begun[self.turns[begun] == 0]
        if len(new) < len(begun):
            self.gains[new], self.turns[new] = self.gains[begun].max(), 1
        gains = self.gains[begun]
        total = gains.sum()
        by_gain = gains / total if total > 0 else np.full(len(begun), 1 / len(begun))
        chances = EQUAL_SHARE / len(begun) + (1 - EQUAL_SHARE) * by_gain
        return self._names[int(self._rng.host.choice(begun, p=chances))]

    def record(self, name: str, gain: float) -> None:
        """Take what a child of an emitter gained, on average over a generation that it proposed."""
        row = self._names.index(name)
        self.turns[row] += 1
        self.gains[row] += max(AVERAGING_RATE, 1 / self.turns[row]) * (gain - self.gains[row])

    def state(self) -> State:
        """Return the emitters' states, and gains and turns where there are several, as arrays."""
        state: State = {}
        for name, emitter in self.emitters.items():
            state |= prefixed(name, emitter.state())
        return state | ({"gains": self.gains.copy(), "turns": self.turns.copy()} if self.learns else {})

    def restore(self, state: State, archive: Archive) -> None:
        """Take up what :meth:`state` returned. The archive has been restored already.

        Raises:
            ValueError: The state doesn't fit itself or the archive.
            KeyError: An array is missing.
        """
        for name, emitter in self.emitters.items():
            emitter.restore(under(name, state), archive)
        if not self.learns:
            return
        for name, current in (("gains", self.gains), ("turns", self.turns)):
            array = state[name]
            if array.shape != current.shape or array.dtype != current.dtype:
                raise ValueError(f"{name} should be {current.dtype} {current.shape}")
            if not (np.isfinite(array) & (array >= 0)).all():
                raise ValueError(f"{name} should be numbers of 0 or more")
        self.gains, self.turns = state["gains"].copy(), state["turns"].copy()
