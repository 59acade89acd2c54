"""Other processes for tests: they do something, say when the test can go on, and are killed at the end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from evofool.io.lock import locked


@contextlib.contextmanager
def process(act: Callable[[Callable[[], object]], object]) -> Iterator[int]:
    """Run ``act`` in another process and give its number once it calls the function that it is given."""
    ready, tell = os.pipe()
    number = os.fork()
    if not number:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            act(lambda: os.write(tell, b"!"))
        finally:
            os._exit(0)
    os.close(tell)
    try:
        assert os.read(ready, 1) == b"!"
        yield number
    finally:
        os.close(ready)
        kill_process(number)


def kill_process(number: int) -> None:
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)


def holder(path: Path) -> contextlib.AbstractContextManager[int]:
    """Another process that holds a folder."""

    def hold(ready: Callable[[], object]) -> None:
        with locked(path):
            ready()
            time.sleep(600)

    return process(hold)
