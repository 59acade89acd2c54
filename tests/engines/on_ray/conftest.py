"""A Ray cluster of two machines, which are processes of this one, for all tests of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from clusters import SMALL, begun


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """Two machines; this process is connected to them."""
    ray = pytest.importorskip("ray", reason="ray is an extra: pip install 'evofool[ray]'")
    from ray.cluster_utils import Cluster

    from evofool.engines.ray.connection import connect

    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_AUTH_MODE", "disabled")  # It would write a token into the home folder.
    patch.setenv("RAY_worker_niceness", "0")  # Ray's own is 15, with which a busy machine lets workers starve.
    machines = begun(lambda: Cluster(initialize_head=True, head_node_args={**SMALL, "include_dashboard": False}))
    assert connect(machines.address)  # Before there are others: this process belongs to the head's machine.
    begun(lambda: machines.add_node(**SMALL))
    yield machines
    ray.shutdown()
    machines.shutdown()
    patch.undo()


@pytest.fixture(scope="module")
def kept_workers(cluster: Any) -> Iterator[None]:
    """Keep workers for the module's next job on the same targets: beginning them takes seconds."""
    from evofool.engines.ray import opening
    from evofool.engines.ray.crew import Crew

    kept: dict[str, Any] = {}

    class Kept(Crew):
        def close(self) -> None:
            pass

    def crew(luggage: Any, **options: Any) -> Any:
        job = repr(([packed.record for packed in luggage.packed], options))
        if job not in kept:
            for other in kept.values():
                Crew.close(other)
            kept.clear()
            kept[job] = Kept(luggage, **options)
        return kept[job]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "Crew", crew)
        yield
    for other in kept.values():
        Crew.close(other)
