"""Begins the workers of a job."""

from __future__ import annotations

import ray

from ...config.engine import EngineOptions
from ...config.records import TargetRecord
from ...targets.protocols import Target
from .crew import Crew
from .luggage import luggage_of
from .ray_engine import RayEngine


def ray_engine(target: Target, record: TargetRecord, options: EngineOptions, *, connected: bool) -> RayEngine:
    """Return an engine with workers on the cluster that this process is connected to.

    Args:
        target: The target.
        record: What the job's config says of it.
        options: How many workers there are, and what each has.
        connected: Whether the connection ends with the engine.

    Raises:
        EvofoolError: The target can't travel, or no worker can begin.
    """
    cpus = 1.0 if options.cpus_per_worker is None else options.cpus_per_worker
    on_cuda = record.device.startswith("cuda")
    gpus = float(on_cuda) if options.gpus_per_worker is None else options.gpus_per_worker
    try:
        luggage = luggage_of(target, record, threads=max(1, int(cpus)))
        crew = Crew(luggage, count=options.workers, cpus=cpus, gpus=gpus)
        return RayEngine(target, crew, connected=connected)
    except BaseException:
        if connected:
            ray.shutdown()
        raise
