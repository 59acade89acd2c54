"""A Ray cluster of two machines, which are processes of this one, for all tests of the engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

SMALL = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_log_monitor": False}
"""What a machine of these tests has: room for one worker."""


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """Two machines; this process is connected to them."""
    ray = pytest.importorskip("ray", reason="ray is an extra: pip install 'evofool[ray]'")
    from ray.cluster_utils import Cluster

    from evofool.engines.ray.connection import connect

    before = os.environ.get("RAY_AUTH_MODE")
    os.environ["RAY_AUTH_MODE"] = "disabled"  # It would write a token into the home folder.
    machines = Cluster(initialize_head=True, head_node_args={**SMALL, "include_dashboard": False})
    machines.add_node(**SMALL)
    assert connect(machines.address)
    yield machines
    ray.shutdown()
    machines.shutdown()
    del os.environ["RAY_AUTH_MODE"]
    if before is not None:
        os.environ["RAY_AUTH_MODE"] = before
