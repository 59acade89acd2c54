"""What tests of the engine on Ray share: targets of their own, workers that die, and folders to compare."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from support import tiny_network
from torch import Tensor

from evofool.engines.base import Cluster
from evofool.store.folder import CONFIG

SMALL = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_log_monitor": False}
"""What a machine of these tests has: room for one worker."""

ON_RAY: dict[str, Any] = {"engine": "ray", "workers": 2}
"""Options of jobs on two workers."""


class Linear:
    """A target of the user's own, whose class no worker can import."""

    name, classes, image_shape = "linear", ["a", "b", "c"], (3, 8, 8)
    micro_batch = 7

    def __init__(self) -> None:
        self.network = tiny_network(classes=3)

    def scores(self, images: Tensor) -> Tensor:
        with torch.inference_mode():
            return (self.network(images.float() / 255) / 4).softmax(1)

    confirm = scores


def begun(begin: Callable[[], Any], tries: int = 3) -> Any:
    """Begin a machine, again where this one is so busy that Ray's processes took longer than Ray waits for them."""
    try:
        return begin()
    except Exception as error:  # Ray raises no other
        if tries == 1 or "timed out during startup" not in str(error):
            raise
        return begun(begin, tries - 1)


def kill(engine: Any) -> None:
    """Kill the fastest worker of an engine, as a machine that runs out of memory does: the next batch needs it."""
    assert isinstance(engine, Cluster)
    if workers := engine.facts().workers:
        os.kill(max(workers, key=lambda worker: worker.speed).process, signal.SIGKILL)


class Killer:
    """An observer that kills a worker of a campaign every so many seconds.

    Where the machine is so busy that no attempt has ended since, it waits until one has: workers that never live long
    enough to end one get nowhere.

    Args:
        seconds: The time between two deaths.
        most: How many workers are killed, at most.

    Attributes:
        lost: How many workers died by the last step.
    """

    def __init__(self, seconds: float, most: int) -> None:
        self.seconds, self.most = seconds, most
        self.lost, self._killed, self._done = 0, time.monotonic(), 0

    def __call__(self, step: Any) -> None:
        engine = step.campaign.engine
        self.lost = engine.facts().lost
        if self.most and time.monotonic() - self._killed >= self.seconds and step.done > self._done:
            self.most -= 1
            self._killed, self._done = time.monotonic(), step.done
            kill(engine)


def without_engine(run: Path) -> None:
    """Take out of a folder's config where its images were scored, so that it can be compared."""
    config = json.loads((run / CONFIG).read_text())
    for name in [name for name in config["options"] if name in ("engine", "workers", "address", "cpus_per_worker")]:
        del config["options"][name]
    (run / CONFIG).write_text(json.dumps(config))
