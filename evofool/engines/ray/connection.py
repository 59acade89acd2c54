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

_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""What a client of HTTP/2 says first, which gRPC and so Ray speak: the preface and no settings (RFC 9113, §3.4)."""

_SETTINGS = 4
"""The type of the frame that a server says first: the fourth byte that it sends."""

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
    """Check that a server listens at an address which may be a cluster. Ray would wait without end for another one.

    Raises:
        ConfigError: None does, or it is no address.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ConfigError(f'`address` must be auto or HOST:PORT, such as 10.0.0.1:6379, got "{address:.60}"')
    try:
        with socket.create_connection((host, int(port)), SECONDS) as server, server.makefile("rb") as answer:
            server.sendall(_GREETING)
            speaks = os.environ.get("RAY_USE_TLS") == "1" or answer.read(4)[3:] == bytes((_SETTINGS,))
            problem = "" if speaks else "another server listens there"
    except OSError as error:
        problem = error.strerror or in_words(error)
    if problem:
        raise ConfigError(
            f"no Ray cluster answers at `address={address}` ({problem}); begin one there with: ray start --head --port "
            "PORT"
        )


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
