"""The head of a cluster, which knows all its machines: whether it still answers."""

from __future__ import annotations

import socket
import time

import ray

from ...errors import TargetError

LOOKED_SECONDS = 2.0
"""Seconds between two looks."""

SILENT_SECONDS = 20.0
"""Seconds without an answer after which a job ends. Ray ends the whole process after 60, without a word on the job."""


class Head:
    """The head of the cluster that this process is connected to."""

    def __init__(self) -> None:
        self.address = str(ray.get_runtime_context().gcs_address)
        self._answered = self._looked = time.monotonic()
        self.silent = False

    def answers(self) -> bool:
        """Return whether it answers now. Where it doesn't, every question to Ray about the cluster would hang."""
        host, _, port = self.address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), LOOKED_SECONDS).close()
        except OSError:
            return False
        return True

    def check(self) -> None:
        """Look from time to time whether it answers.

        Raises:
            TargetError: It has not answered for a while.
        """
        now = time.monotonic()
        if now - self._looked < LOOKED_SECONDS:
            return
        self._looked, self.silent = now, not self.answers()
        if not self.silent:
            self._answered = now
        elif now - self._answered >= SILENT_SECONDS:
            raise TargetError(
                f"the head of the Ray cluster at {self.address} has not answered for {now - self._answered:.0f} "
                "seconds; go on with `engine=local`, or with the `address` of another cluster"
            )
