"""The engine that a job's options ask for."""

from __future__ import annotations

from ..config.engine import EngineOptions
from ..config.records import TargetRecord
from ..targets.protocols import Target
from ..targets.queries.metered import metered
from .base import Engine
from .local import LocalEngine


def opened(target: Target, record: TargetRecord, options: EngineOptions) -> Engine:
    """Return an engine for a target that is ready for a job.

    A target that counts its queries is asked by this process alone, whatever the options say: they are counted, kept
    and limited in one place.

    Args:
        target: The target.
        record: What the job's config says of it.
        options: Which engine it is to be, and what its workers have.

    Raises:
        EvofoolError: One of its family, where the cluster or its workers can't be had.
    """
    if options.engine == "local" or metered(target):
        return LocalEngine(target)
    from .ray.connection import connect  # It imports ray, an extra.

    connected = connect(options.address)
    from .ray.opening import ray_engine

    return ray_engine(target, record, options, connected=connected)
