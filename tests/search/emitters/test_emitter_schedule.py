"""The schedule: which emitter proposes a generation, by what its children gained."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest
from emitting import evolution, resumed_beside, turns
from support import assert_same_arrays, frozen

from evofool.rng import Rng


@pytest.mark.parametrize(
    ("gains", "share"), [((0.0, 0.0), 0.5), ((1.0, 1.0), 0.5), ((1.0, 0.0), 0.9), ((0.0, 5.0), 0.1), ((3.0, 1.0), 0.7)]
)
def test_an_emitters_turn_comes_by_its_gains(gains: tuple[float, float], share: float) -> None:
    run = evolution()
    run.step()
    run.search.schedule.gains[:], run.search.schedule.turns[:] = gains, 1
    asked = turns(run, 1000)
    assert asked["vary"] == pytest.approx(1000 * share, abs=65)
    assert sum(asked.values()) == 1000


def test_a_gain_is_what_children_add_to_the_confidence_of_all() -> None:
    run = evolution()
    run.step()
    gained: dict[str, list[float]] = {"vary": [], "refine": []}
    for number in range(120):
        total = float(run.archive.confidence.sum(dtype=np.float64))
        run.step()
        proposer = run.search.proposer
        assert proposer is not None
        gain = (float(run.archive.confidence.sum(dtype=np.float64)) - total) / 16
        if not number:  # the other one counts as if it had had a turn
            gained["refine" if proposer == "vary" else "vary"].append(gain)
        gained[proposer].append(gain)
        for row, gains in enumerate(gained.values()):
            expected = fmean(gains[:50])
            for later in gains[50:]:
                expected += 0.02 * (later - expected)
            if number:
                assert run.search.schedule.gains[row] == pytest.approx(expected, rel=1e-9)
    assert max(map(len, gained.values())) > 55


def test_an_emitter_that_begins_is_taken_to_gain_what_the_best_one_does() -> None:
    run = evolution(emitters=("vary", "tweak", "refine@64"))
    for _ in range(4):
        run.step()
    schedule = run.search.schedule
    schedule.gains[:2], schedule.turns[:2] = (0.5, 2.0), 30
    asked = turns(run, 1000)
    assert schedule.gains.tolist() == [0.5, 2.0, 2.0]
    assert asked["refine"] == pytest.approx(1000 * (0.2 / 3 + 0.8 * 2 / 4.5), abs=65)


def test_variation_alone_is_map_elites_as_it_was_published() -> None:
    """One draw of niches, one of who is crossed, then the children's mutation."""
    run = evolution(emitters=("vary",))
    run.step()
    rng = Rng(0)
    rng.restore(frozen(run.rng.state()))
    niches = rng.host.integers(4, size=16)
    rng.host.random(16)  # nobody is crossed
    expected = run.encoding.mutate(run.archive.genomes.take(niches), rng)
    assert_same_arrays(vars(run.toolbox.generate().genomes), vars(expected))


@pytest.mark.parametrize("later", [64, 60])
def test_an_emitter_that_begins_later_changes_nothing_before(later: int) -> None:
    late, alone = evolution(emitters=("vary", f"refine@{later}")), evolution(emitters=("vary",))
    for _ in range(4):
        late.step()
        alone.step()
    assert_same_arrays(late.archive.state(), alone.archive.state())
    assert_same_arrays(late.rng.state(), alone.rng.state())
    assert late.search.evaluations == 64
    assert min(turns(late).values()) > 0


def test_an_emitter_that_has_not_begun_has_no_turn() -> None:
    run = evolution(emitters=("vary", "refine@65"))
    for _ in range(4):
        run.step()
    assert turns(run) == {"vary": 200, "refine": 0}


def test_a_run_restored_before_an_emitter_begins_goes_on_as_it_would_have() -> None:
    run = resumed_beside(2, 8, emitters=("vary", "refine@48"))
    assert "search.emitters.refine.0.numbers" in run.state()


@pytest.mark.parametrize(
    ("name", "lie"),
    [
        ("gains", np.array([0.1, np.inf])),
        ("gains", np.array([0.1, np.nan])),
        ("gains", np.array([-0.1, 0.1])),
        ("gains", np.zeros(3)),
        ("turns", np.array([1, -1])),
        ("turns", np.ones(2)),
    ],
)
def test_damaged_gains_are_refused(name: str, lie: np.ndarray) -> None:
    run = evolution()
    run.step()
    evolution().restore(frozen(run.state()))
    with pytest.raises(ValueError, match=name):
        evolution().restore(frozen(run.state()) | {f"search.emitters.{name}": lie})


def test_missing_turns_are_refused() -> None:
    run = evolution()
    run.step()
    state = frozen(run.state())
    del state["search.emitters.turns"]
    with pytest.raises(KeyError):
        evolution().restore(state)
