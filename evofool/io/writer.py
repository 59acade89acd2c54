"""A thread that writes beside the work, so that encoding pictures and waiting for disks keep no one waiting."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

Job = Callable[[], object]

DEPTH = 256
"""jobs that may wait; whoever adds one more waits himself"""

SWITCH = 0.0005
"""seconds after which Python takes the interpreter from one thread that holds on to it and gives it to another, while
there is a writer: every call of torch gives it back and wants it again, and would wait for the usual 0.005"""

NICE = 5
"""added to the thread's own niceness, where threads have one: it takes what the work leaves of the processors"""


class Writer:
    """Does what it is given on a thread of its own, one after the other and in that order.

    At the end of its ``with`` all is done. After a job that failed no other is done, and the next call, or the end,
    raises what it raised; where the block ends with an error of its own, that one counts.
    """

    def __enter__(self) -> Writer:
        self._jobs: queue.Queue[Job | None] = queue.Queue(DEPTH)
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="evofool-writer", daemon=True)
        self._thread.start()
        _switching(1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._jobs.put(None)
            self._thread.join()
        finally:
            _switching(-1)
        if error is None:
            self._raise()

    def do(self, job: Job) -> None:
        """Add a job; it must hold copies of all that may change meanwhile.

        Raises:
            Exception: whatever an earlier job raised.
        """
        self._raise()
        self._jobs.put(job)

    def _raise(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _work(self) -> None:
        if sys.platform == "linux":
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.nice(0) + NICE)
        while True:
            job = self._jobs.get()
            try:
                if job is None:
                    return
                if self._failed is None:
                    job()
            except BaseException as error:
                self._failed = error
            finally:
                del job  # what it holds may be large
                self._jobs.task_done()


_counting, _writers, _usual = threading.Lock(), 0, 0.0


def _switching(more: int) -> None:
    """Count a writer, or one fewer: the first makes the interpreter change hands faster, the last as it was."""
    global _writers, _usual
    with _counting:
        _writers += more
        if more > 0 and _writers == 1:
            _usual = sys.getswitchinterval()
            sys.setswitchinterval(min(SWITCH, _usual))
        elif not _writers:
            sys.setswitchinterval(_usual)
