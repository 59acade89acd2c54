"""Connects this process to a Ray cluster, or begins one on this machine."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import ConfigError, in_words
from ...io.interrupts import SIGNALS
from ...targets.doors.needs import need_package

SECONDS = 5.0
"""Seconds in which a cluster has to answer. Ray itself would wait for minutes."""

_LISTENER = "listen_error_messages"
"""Ray's function that prints what happens on the cluster, on a thread that begins with the connection."""

_VERSIONS = re.compile(r"Ray: (\S+)\s+Python: (\S+)")


def connect(address: str | None) -> bool:
    """Connect this process to a cluster, unless it is connected already.

    Args:
        address: ``auto`` or ``HOST:PORT``. None: the cluster that this machine belongs to, or a new one of this machine
            alone.

    Returns:
        Whether this call connected it.

    Raises:
        ConfigError: There is no cluster, or one that this process doesn't fit.
    """
    need_package("ray", "Jobs on a cluster", "ray", ConfigError)
    import ray

    with _quietly():
        if ray.is_initialized():
            return False
        if address not in (None, "auto"):
            _check_answers(str(address))
        options: dict[str, Any] = {"include_dashboard": False} if address is None else {}
        if address is None and os.environ.get("RAY_ADDRESS"):
            options = {}
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL, **options)
        except ConnectionError as error:
            raise ConfigError(
                f"no Ray cluster runs on this machine (`address={address}`); begin one with: ray start --head, or give "
                "`address=HOST:PORT`"
            ) from error
        except (Exception, SystemExit) as error:  # Ray ends the process where a cluster refuses it
            raise ConfigError(_refusal(str(address or "this machine"), error)) from error
    return True


def _check_answers(address: str) -> None:
    """Check that something listens at an address.

    Raises:
        ConfigError: Nothing does, or it is no address.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ConfigError(f'`address` must be auto or HOST:PORT, such as 10.0.0.1:6379, got "{address:.60}"')
    try:
        socket.create_connection((host, int(port)), SECONDS).close()
    except OSError as error:
        raise ConfigError(
            f"no Ray cluster answers at `address={address}` ({error.strerror or in_words(error)}); begin one there "
            "with: ray start --head --port PORT"
        ) from error


def _refusal(place: str, error: BaseException) -> str:
    """Return what is said where Ray doesn't connect."""
    versions = _VERSIONS.findall(str(error))
    if "ersion mismatch" in str(error) and len(versions) == 2:
        (theirs, their_python), (ours, our_python) = versions
        return (
            f"the Ray cluster at {place} runs Ray {theirs} with Python {their_python}, this process Ray {ours} with "
            f"Python {our_python}; install the same versions on all machines"
        )
    said = in_words(error) if isinstance(error, Exception) else "it doesn't answer"
    return f"cannot connect to the Ray cluster at {place} ({said[:200]}); look at: ray status"


@contextmanager
def _quietly() -> Iterator[None]:
    """Have Ray print nothing while it connects, nor later, and leave the handlers of signals as they are.

    It would write on standard output which workers died, where a job may write its result.
    """
    from ray._private import worker

    listen = getattr(worker, _LISTENER, None)
    logger = logging.getLogger("ray")
    level, handlers = logger.level, {number: signal.getsignal(number) for number in SIGNALS}
    logger.setLevel(logging.CRITICAL)
    if listen:
        setattr(worker, _LISTENER, lambda *_: None)
    try:
        yield
    finally:
        if listen:
            setattr(worker, _LISTENER, listen)
        logger.setLevel(level)
        for number, handler in handlers.items():
            if signal.getsignal(number) is not handler and threading.current_thread() is threading.main_thread():
                signal.signal(number, handler)
