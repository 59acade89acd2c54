"""Writing beside the work: in order, all of it, and what fails is told."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from evofool.io import writer
from evofool.io.writer import Writer


def test_jobs_are_done_in_order_on_another_thread() -> None:
    done: list[tuple[int, bool]] = []
    here = threading.get_ident()
    with Writer() as beside:
        for number in range(100):
            beside.do(lambda number=number: done.append((number, threading.get_ident() != here)))  # type: ignore[misc]
    assert done == [(number, True) for number in range(100)]


def test_the_caller_does_not_wait_for_a_job() -> None:
    may_end = threading.Event()
    with Writer() as beside:
        beside.do(lambda: may_end.wait(30))
        beside.do(lambda: None)
        may_end.set()  # reached although the first job is not done


def test_whoever_is_too_far_ahead_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "DEPTH", 3)
    ahead = 0
    done: list[int] = []
    with Writer() as beside:
        for number in range(20):
            beside.do(lambda: (time.sleep(0.002), done.append(1)))
            ahead = max(ahead, number + 1 - len(done))
    assert len(done) == 20
    assert ahead <= 3 + 2  # those that wait, the one under way, and the one just added


def test_after_a_failure_nothing_is_done_and_the_next_call_tells() -> None:
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
            done.append("not told")

    with pytest.raises(OSError, match="No space left"):
        work()
    assert done == ["before"]


def test_a_failure_of_the_last_job_is_told_at_the_end() -> None:
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


def test_what_a_job_holds_is_let_go() -> None:
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


def test_the_interpreter_changes_hands_faster_while_there_is_a_writer() -> None:
    before = sys.getswitchinterval()
    with Writer():
        assert sys.getswitchinterval() == pytest.approx(writer.SWITCH)
    assert sys.getswitchinterval() == before
    first, second = Writer(), Writer()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert sys.getswitchinterval() == pytest.approx(writer.SWITCH)  # there is one yet
    second.__exit__(None, None, None)
    assert sys.getswitchinterval() == before
    sys.setswitchinterval(1e-5)  # someone wants it faster still
    try:
        with Writer():
            assert sys.getswitchinterval() == pytest.approx(1e-5)
        assert sys.getswitchinterval() == pytest.approx(1e-5)
    finally:
        sys.setswitchinterval(before)
