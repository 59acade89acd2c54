"""Trackers work beside the job: it never waits for them, and their failures are told."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import Image

from evofool.observers import tracking
from evofool.observers.events import JobEnded, JobProgress, JobStarted
from evofool.observers.plain_options import plain_options, summary_figures
from evofool.observers.tracking import PICTURE_SECONDS, Tracker, Tracking

ENDED = JobEnded("finished", {"median": 0.5})


class FakeTracker(Tracker):
    """Keeps what it is sent."""

    def __init__(self, known: int = 0) -> None:
        self.known, self.sent = known, list[Any]()

    def open(self, job: JobStarted) -> int:
        return self.known

    def send_figures(self, step: int, figures: Mapping[str, float]) -> None:
        self.sent.append((step, figures["median"]))

    def send_picture(self, step: int, picture: Image.Image) -> None:
        self.sent.append((step, "picture"))

    def close(self, ended: JobEnded) -> None:
        self.sent.append(ended.status)


class Waiting(FakeTracker):
    """Waits at its first figures for as long as a test likes."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()

    def send_figures(self, step: int, figures: Mapping[str, float]) -> None:
        self.may_go_on.wait(20)
        super().send_figures(step, figures)


def started(step: int = 0) -> JobStarted:
    """The beginning of a run."""
    return JobStarted("run", None, "run", "digits", step, step > 0, {}, {})


def progress(step: int, picture: bool = True) -> JobProgress:
    """A generation."""
    drawn = Image.new("RGB", (2, 2)) if picture else None
    return JobProgress(step, step, 10, "generations", 1.0, 1.0, 1.0, {"median": step / 10}, pictures=lambda: drawn)


class Steps:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_figures_are_sent_now_and_then_and_the_last_always_pictures_less_often() -> None:
    tracker, clock = FakeTracker(), Steps()
    following = Tracking(tracker, clock)
    following.start(started())
    for step, seconds in ((1, 0.0), (2, 0.5), (3, 1.5), (4, PICTURE_SECONDS + 1), (5, PICTURE_SECONDS + 1.5)):
        clock.now = seconds
        following.progress(progress(step))
    following.end(ENDED)
    assert tracker.sent == [
        (1, 0.1),
        (1, "picture"),
        (3, 0.3),
        (4, 0.4),
        (4, "picture"),
        (5, 0.5),
        (5, "picture"),
        "finished",
    ]


@pytest.mark.parametrize(("begins", "known", "sent"), [(2, 0, [3, 4, 5]), (2, 2, [3, 4, 5]), (2, 4, [5]), (2, 9, [])])
def test_no_step_is_sent_twice(begins: int, known: int, sent: list[int]) -> None:
    """A killed session has sent steps beyond its last checkpoint; those that come again are the same."""
    tracker, clock = FakeTracker(known), Steps()
    following = Tracking(tracker, clock)
    following.start(started(begins))
    for step in (2, 3, 3, 4, 5):
        clock.now += 5
        following.progress(progress(step, picture=False))
    following.end(ENDED)
    assert [each[0] for each in tracker.sent[:-1]] == sent


def test_a_slow_tracker_keeps_nobody_waiting_and_loses_only_what_is_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "MAX_WAITING", 3)
    tracker, clock = Waiting(), Steps()
    following = Tracking(tracker, clock)
    following.start(started())
    for step in range(1, 50):
        clock.now += 5
        following.progress(progress(step, picture=False))
    tracker.may_go_on.set()
    following.end(ENDED)
    steps = [each[0] for each in tracker.sent[:-1]]
    assert steps[0] == 1
    assert steps[-1] == 49
    assert len(steps) < 10


def test_a_tracker_that_hangs_is_given_up_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "END_SECONDS", 0.05)
    tracker = Waiting()
    following = Tracking(tracker)
    following.start(started())
    following.progress(progress(1))
    with pytest.raises(TimeoutError, match=r"more than 0\.05 seconds"):
        following.end(ENDED)
    tracker.may_go_on.set()


@pytest.mark.parametrize(("raised", "shown"), [(OSError("no route"), OSError), (SystemExit(3), RuntimeError)])
def test_what_a_tracker_raises_comes_out_at_the_next_step_or_the_end(
    raised: BaseException, shown: type[Exception]
) -> None:
    class Broken(FakeTracker):
        def open(self, job: JobStarted) -> int:
            raise raised

    following = Tracking(Broken())
    following.start(started())
    following._thread.join(5)
    with pytest.raises(shown):
        following.progress(progress(1))
    with pytest.raises(shown):
        following.end(ENDED)


def test_a_picture_that_can_not_be_drawn_costs_no_figures_and_no_end() -> None:
    def fail() -> None:
        raise ValueError("no such font")

    tracker, clock = FakeTracker(), Steps()
    following = Tracking(tracker, clock)
    following.start(started())
    for step in (1, 2):
        clock.now += 2 * PICTURE_SECONDS
        following.progress(JobProgress(step, step, 2, "generations", 1.0, 1.0, 1.0, {"median": 0.5}, pictures=fail))
    with pytest.raises(RuntimeError, match=r"could not be drawn, all else was sent \(no such font\)"):
        following.end(ENDED)
    assert tracker.sent == [(1, 0.5), (2, 0.5), "finished"]


def test_options_become_names_and_plain_values() -> None:
    options = {"seed": 0, "classes": [3, 8], "init": None, "settings": {"sigma": 0.5, "on": True}, "long": "x" * 900}
    plain = plain_options(options)
    assert plain.pop("long") == "x" * 250
    assert plain == {"seed": 0, "classes": "3,8", "settings.sigma": 0.5, "settings.on": True}


def test_a_summary_becomes_its_numbers() -> None:
    summary = {"median": 0.5, "seed": 3, "interrupted": False, "classes": [{"index": 1}], "target": "digits", "x": None}
    assert summary_figures(summary) == {"median": 0.5, "seed": 3.0}
