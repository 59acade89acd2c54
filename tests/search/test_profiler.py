"""Where the time goes: every second counts once, for the innermost phase."""

from __future__ import annotations

import pytest
from support import build, tiny_target

from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions
from evofool.search.evolution import Evolution
from evofool.search.profiler import PHASES, SAVING, Profiler


class Clock:
    """A clock that stands still unless it is told to go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_phase_inside_of_another_counts_for_itself_only() -> None:
    clock = Clock()
    profiler = Profiler(clock)
    clock.now += 1  # the rest
    with profiler.phase("scoring"):
        clock.now += 2
        with profiler.phase("decoding"):
            clock.now += 3
        clock.now += 4
    clock.now += 10  # the rest
    profiler.stop()
    clock.now += 100  # pages at the end
    assert profiler.seconds["scoring"] == 6
    assert profiler.seconds["decoding"] == 3
    assert profiler.shares() == pytest.approx(
        {**dict.fromkeys([*PHASES.values(), SAVING], 0.0), "scoring": 0.3, "decoding": 0.15, "rest": 0.55}
    )


def test_a_phase_that_fails_ends() -> None:
    clock = Clock()
    profiler = Profiler(clock)

    def fail() -> None:
        with profiler.phase("scoring"):
            clock.now += 2
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    clock.now += 5
    assert profiler.seconds["scoring"] == 2


def test_an_evolution_is_timed_and_stays_the_same() -> None:
    medians, profiler = [], Profiler()
    for attached in (None, profiler):
        evolution = Evolution(tiny_target(), build("cppn", "default"), EvolveOptions(batch=10))
        if attached:
            attached.attach(evolution)
        medians.append([progress.median for progress in evolution.run(Budget(generations=5))])
    assert medians[0] == medians[1]
    assert all(profiler.seconds[name] > 0 for name in ("variation", "decoding", "scoring", "admission"))
    assert sum(profiler.shares().values()) == pytest.approx(1)
