"""Ctrl-C and SIGTERM: as a question of a loop, and as the end of a program."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from evofool.io.interrupts import Stopped, defer_interrupts, interruptible, last_signal, stoppable

BOTH = pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])


@pytest.fixture(autouse=True)
def usual_handlers() -> Iterator[None]:
    """Give both signals their usual handlers, whatever the shell of the tests ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler), signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before[0])
    signal.signal(signal.SIGTERM, before[1])


@BOTH
def test_the_signal_of_the_last_loop_is_known_until_the_next_one(stop: signal.Signals) -> None:
    with interruptible() as asked:
        assert not asked()
        signal.raise_signal(stop)
        assert asked()
    assert last_signal() == stop
    with interruptible():
        pass
    assert last_signal() is None


@BOTH
def test_a_program_is_stopped_by_one_exception_that_names_the_signal(stop: signal.Signals) -> None:
    before = signal.getsignal(stop)
    with pytest.raises(Stopped) as stopped, stoppable():
        signal.raise_signal(stop)
    assert stopped.value.signal == stop
    assert not isinstance(stopped.value, Exception)  # no handler of errors takes it for one
    assert signal.getsignal(stop) is before


@BOTH
def test_a_second_signal_stops_the_program_too(stop: signal.Signals) -> None:
    def work() -> None:
        with stoppable(), interruptible():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(stop)

    with pytest.raises(Stopped) as stopped:
        work()
    assert (stopped.value.signal, last_signal()) == (stop, signal.SIGINT)


def test_an_ignored_signal_stays_ignored() -> None:
    """A shell without job control starts commands in the background so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with stoppable():
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@BOTH
def test_a_deferred_signal_comes_at_the_end_of_the_block(stop: signal.Signals) -> None:
    done = []

    def reads() -> None:
        with stoppable(), defer_interrupts():
            signal.raise_signal(stop)
            done.append(stop)

    with pytest.raises(Stopped):
        reads()
    assert done == [stop]


def test_other_threads_leave_signals_alone() -> None:
    seen: list[object] = []

    def work() -> None:
        with stoppable(), interruptible() as asked, defer_interrupts():
            seen.extend([asked(), signal.getsignal(signal.SIGINT)])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False, signal.default_int_handler]
