"""Threads that ask: kept between batches, and no more calls under way than allowed."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from evofool.targets.queries.workers import Workers


def test_results_come_in_order_and_threads_stay_from_batch_to_batch() -> None:
    workers, seen = Workers(4), set[str]()
    barrier = threading.Barrier(4)

    def job() -> str:
        barrier.wait(10)  # So that four threads take part.
        seen.add(threading.current_thread().name)
        return threading.current_thread().name

    assert set(workers.results([job] * 4)) == seen
    for _ in range(5):
        workers.results([job] * 4)
    assert len(seen) <= 6
    assert workers.results([lambda number=number: number for number in range(50)]) == list(range(50))


def test_no_more_calls_are_under_way_than_allowed() -> None:
    workers, lock, under_way, most = Workers(3), threading.Lock(), 0, 0

    def job() -> None:
        nonlocal under_way, most
        with workers.calling:
            with lock:
                under_way += 1
                most = max(most, under_way)
            time.sleep(0.002)
            with lock:
                under_way -= 1

    workers.results([job] * 30)
    assert most == 3


@pytest.mark.parametrize("calls", [1, 4])
def test_the_first_that_fails_is_raised_and_keeps_others_from_starting(calls: int) -> None:
    started: list[int] = []

    def job(number: int) -> None:
        started.append(number)
        if number == 2:
            raise ValueError("two")
        time.sleep(0.005)

    with pytest.raises(ValueError, match="two"):
        Workers(calls).results([lambda number=number: job(number) for number in range(200)])
    assert 2 in started
    assert len(started) < 20


def test_a_single_call_at_a_time_is_made_by_the_thread_that_asks() -> None:
    assert Workers(1).results([threading.get_ident]) == [threading.get_ident()]


def test_a_forked_child_has_threads_of_its_own() -> None:
    workers = Workers(2)
    workers.results([lambda: None] * 8)
    child = os.fork()
    if not child:
        signal.alarm(30)
        os._exit(sum(workers.results([lambda: 1] * 8)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 8
