"""Where the time goes: every second counts once, for the innermost phase."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from runs import EVOLVE, Capture, run_cli
from support import build, tiny_target

from evofool.config.budget import Budget
from evofool.search import profiler as stopwatch
from evofool.search.evolution import Evolution
from evofool.search.profiler import PHASES, SAVING, Profiler


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    told = SimpleNamespace(now=0.0)
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(perf_counter=lambda: told.now))
    return told


def test_a_phase_inside_of_another_counts_for_itself_only(clock: SimpleNamespace) -> None:
    watch = Profiler()
    clock.now += 1  # the rest
    with watch.phase("scoring"):
        clock.now += 2
        with watch.phase("decoding"):
            clock.now += 3
        clock.now += 4
    clock.now += 10  # the rest
    watch.stop()
    clock.now += 100  # pages at the end
    assert watch.seconds["scoring"] == 6
    assert watch.seconds["decoding"] == 3
    assert watch.shares() == pytest.approx(
        {**dict.fromkeys([*PHASES.values(), SAVING], 0.0), "scoring": 0.3, "decoding": 0.15, "rest": 0.55}
    )


def test_a_phase_that_fails_ends(clock: SimpleNamespace) -> None:
    watch = Profiler()

    def fail() -> None:
        with watch.phase("scoring"):
            clock.now += 2
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    clock.now += 5
    assert watch.seconds["scoring"] == 2


def test_an_evolution_is_timed_and_stays_the_same() -> None:
    found = []
    for watch in (None, Profiler()):
        target = tiny_target()
        evolution = Evolution(target, build("cppn", "default"), niches=range(4), batch=10, seed=0)  # type: ignore[arg-type]
        if watch:
            watch.attach(evolution)
        found.append([progress.median for progress in evolution.run(Budget(generations=5))])
    assert found[0] == found[1]
    assert watch is not None
    assert all(watch.seconds[name] > 0 for name in ("variation", "decoding", "scoring", "admission"))
    assert sum(watch.shares().values()) == pytest.approx(1)


def test_the_command_tells_where_the_time_went(tmp_path: Path, capsys: Capture) -> None:
    told = run_cli(capsys, *EVOLVE, "--profile", "--out", tmp_path / "a")
    assert told.code == 0
    assert all(name in told.out for name in [*PHASES.values(), SAVING, "rest"])
    shares = json.loads(run_cli(capsys, *EVOLVE, "--profile", "--json", "--out", tmp_path / "b").out)["profile"]
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["saving"] > 0
    assert "profile" not in json.loads(run_cli(capsys, *EVOLVE, "--json", "--out", tmp_path / "c").out)
