"""A thread that writes beside the work, so that encoding pictures and waiting for disks keep nobody waiting."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

Task = Callable[[], object]

MAX_WAITING = 256
"""Largest number of tasks that wait for the thread; whoever adds one more waits until there is room."""

SWITCH_INTERVAL = 0.0005
"""Seconds after which the interpreter takes turns between threads, for a process that has a writer.

Every call of torch releases the interpreter and wants it back, and would wait for Python's usual 0.005 s.
"""

NICENESS = 5
"""Added to the writer thread's niceness on Linux, so that it uses the processor time that the work leaves."""


def shorten_switch_interval() -> None:
    """Let the interpreter take turns between threads every ``SWITCH_INTERVAL`` seconds, or sooner if it does already.

    This holds for the whole process, so only a program that owns the process calls it, once.
    """
    sys.setswitchinterval(min(SWITCH_INTERVAL, sys.getswitchinterval()))


class Writer:
    """A context manager that runs tasks on a thread of its own, one after the other and in the order given.

    All tasks are done when the block ends. After a task that failed no other is run, and the next call of :meth:`do`,
    or the end of the block, raises its exception. If the block itself raises, that exception counts.
    """

    def __enter__(self) -> Writer:
        self._tasks: queue.Queue[Task | None] = queue.Queue(MAX_WAITING)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="evofool-writer", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks.put(None)
        self._thread.join()
        if error is None:
            self._raise()

    def do(self, task: Task) -> None:
        """Add a task, which must hold copies of all that may change before it runs.

        Raises:
            Exception: Whatever an earlier task raised.
        """
        self._raise()
        self._tasks.put(task)

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        if sys.platform == "linux":
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.nice(0) + NICENESS)
        while True:
            task = self._tasks.get()
            try:
                if task is None:
                    return
                if self._error is None:
                    task()
            except BaseException as error:
                self._error = error
            finally:
                del task  # What it holds may be large.
