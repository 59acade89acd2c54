"""Begins the workers of a job."""

from __future__ import annotations

from collections.abc import Sequence

import ray

from ...config.engine import EngineOptions
from ...config.records import TargetRecord
from ...targets.protocols import Target
from ...targets.queries.metered import MeteredTarget
from .crew import Crew
from .crew_engine import CrewEngine
from .luggage import luggage_of
from .metered_engine import MeteredEngine
from .ray_engine import RayEngine


def ray_engine(
    networks: Sequence[tuple[Target, TargetRecord]], options: EngineOptions, *, connected: bool
) -> CrewEngine:
    """Return an engine with workers on the cluster that this process is connected to.

    Args:
        networks: The targets, each with what the job's config says of it. One that counts its queries is alone.
        options: How many workers there are, and what each has.
        connected: Whether the connection ends with the engine.

    Raises:
        EvofoolError: A target can't travel, or no worker can begin.
    """
    cpus = 1.0 if options.cpus_per_worker is None else options.cpus_per_worker
    on_cuda = any(record.device.startswith("cuda") for _, record in networks)
    gpus = float(on_cuda) if options.gpus_per_worker is None else options.gpus_per_worker
    target = networks[0][0]
    asked = [(each.target if isinstance(each, MeteredTarget) else each, record) for each, record in networks]
    try:
        luggage = luggage_of(asked, threads=max(1, int(cpus)))
        crew = Crew(luggage, count=options.workers, cpus=cpus, gpus=gpus)
        if isinstance(target, MeteredTarget):
            return MeteredEngine(target, crew, connected=connected)
        return RayEngine(target, crew, connected=connected)
    except BaseException:
        if connected:
            ray.shutdown()
        raise
