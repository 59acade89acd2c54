"""Writing beside the work: in order, all of it, and failures are raised."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from evofool.io import writer
from evofool.io.writer import Writer, shorten_switch_interval


def test_tasks_are_done_in_order_on_another_thread() -> None:
    done: list[tuple[int, bool]] = []
    here = threading.get_ident()
    with Writer() as beside:
        for number in range(100):
            beside.do(lambda number=number: done.append((number, threading.get_ident() != here)))  # type: ignore[misc]
    assert done == [(number, True) for number in range(100)]


def test_the_caller_does_not_wait_for_a_task() -> None:
    may_end, was_set = threading.Event(), list[bool]()
    with Writer() as beside:
        beside.do(lambda: was_set.append(may_end.wait(2)))
        beside.do(lambda: None)
        may_end.set()  # Reached although the first task is not done.
    assert was_set == [True]


def test_whoever_is_too_far_ahead_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_WAITING", 3)
    ahead = 0
    done: list[int] = []
    with Writer() as beside:
        for number in range(20):
            beside.do(lambda: (time.sleep(0.002), done.append(1)))
            ahead = max(ahead, number + 1 - len(done))
    assert len(done) == 20
    assert ahead <= 3 + 2  # Those that wait, the one under way, and the one just added.


def test_after_a_failure_nothing_is_done_and_the_next_call_raises() -> None:
    done: list[str] = []

    def fail() -> None:
        raise OSError(28, "No space left on device")

    def work() -> None:
        with Writer() as beside:
            beside.do(lambda: done.append("before"))
            beside.do(fail)
            for _ in range(1000):
                beside.do(lambda: done.append("after"))
                time.sleep(0.001)
            done.append("not raised")

    with pytest.raises(OSError, match="No space left"):
        work()
    assert done == ["before"]


def test_a_failure_of_the_last_task_is_raised_at_the_end() -> None:
    with pytest.raises(ZeroDivisionError), Writer() as beside:
        beside.do(lambda: 1 // 0)


def test_an_error_of_the_work_itself_counts_and_what_was_asked_is_done() -> None:
    done: list[int] = []

    def work() -> None:
        with Writer() as beside:
            beside.do(lambda: (time.sleep(0.02), done.append(1)))
            beside.do(lambda: 1 // 0)
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert done == [1]


def test_what_a_task_holds_is_released() -> None:
    class Large:
        pixels = np.zeros(10)

    with Writer() as beside:
        held = Large()
        gone = weakref.ref(held)
        beside.do(lambda held=held: held.pixels.sum())  # type: ignore[misc]
        del held
        for _ in range(500):
            gc.collect()
            if gone() is None:
                break
            time.sleep(0.01)
        assert gone() is None


def test_a_writer_leaves_the_interpreter_as_it_is() -> None:
    before = sys.getswitchinterval()
    with Writer() as beside:
        beside.do(lambda: None)
        assert sys.getswitchinterval() == before


@pytest.mark.parametrize(("usual", "shortened"), [(0.005, writer.SWITCH_INTERVAL), (1e-5, 1e-5)])
def test_a_process_can_let_its_threads_take_turns_sooner(usual: float, shortened: float) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(usual)
    try:
        shorten_switch_interval()
        assert sys.getswitchinterval() == pytest.approx(shortened)
    finally:
        sys.setswitchinterval(before)
