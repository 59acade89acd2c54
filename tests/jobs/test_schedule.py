"""Recurring work comes at its time, and takes only its share of it."""

from __future__ import annotations

import time

import pytest

from evofool.jobs.schedule import Schedule, Work


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def at_once(work: Work) -> None:
    work()


def lasting(clock: Clock, seconds: float) -> Work:
    """Return work that takes so long."""

    def work() -> None:
        clock.now += seconds

    return work


def test_the_first_work_is_due_at_once_unless_the_interval_is_counted_from_now(clock: Clock) -> None:
    schedule = Schedule(20, 0.1)
    assert schedule.due()
    schedule.restart()
    assert not schedule.due()


def test_work_is_due_when_the_interval_is_over(clock: Clock) -> None:
    schedule = Schedule(20, 0.1)
    schedule.restart()
    clock.now += 19.9
    assert not schedule.due()
    clock.now += 0.1
    assert schedule.due()


def test_the_interval_begins_when_the_work_ends(clock: Clock) -> None:
    schedule = Schedule(20, 0.5)
    schedule.submit(at_once, lasting(clock, 5))
    clock.now += 19.9
    assert not schedule.due()
    clock.now += 0.1
    assert schedule.due()


@pytest.mark.parametrize("share", [0.02, 0.25])
def test_work_takes_no_more_than_its_share_of_the_time(share: float, clock: Clock) -> None:
    schedule, begun, worked = Schedule(1, share), clock.now, 0.0
    while clock.now - begun < 100_000:
        if schedule.due():
            schedule.submit(at_once, lasting(clock, 7))
            worked += 7
        clock.now += 0.5
    assert 0.75 * share < worked / (clock.now - begun)
    assert (worked - 7) / (clock.now - begun) <= share  # The first is done without a wait.


def test_quick_work_is_done_at_the_least_interval(clock: Clock) -> None:
    schedule = Schedule(20, 0.02)
    schedule.submit(at_once, lasting(clock, 0.1))
    assert schedule.interval == 20
    schedule.submit(at_once, lasting(clock, 3))
    assert schedule.interval == pytest.approx(150)
    schedule.submit(at_once, lasting(clock, 0.1))
    assert schedule.interval == 20


def test_nothing_is_due_while_the_last_work_is_not_done(clock: Clock) -> None:
    waiting: list[Work] = []
    schedule = Schedule(20, 0.02)
    schedule.submit(waiting.append, lasting(clock, 0.1))
    clock.now += 1000
    assert not schedule.due()
    waiting.pop()()
    clock.now += 20
    assert schedule.due()


def test_with_a_negative_interval_work_is_always_due(clock: Clock) -> None:
    waiting: list[Work] = []
    schedule = Schedule(-1, 0.02)
    for _ in range(3):
        assert schedule.due()
        schedule.submit(waiting.append, lasting(clock, 60))
    assert schedule.due()
    while waiting:
        waiting.pop(0)()
    assert schedule.due()
