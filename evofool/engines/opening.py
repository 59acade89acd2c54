"""The engine that a job's options ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..config.engine import EngineOptions
from ..config.records import TargetRecord
from ..targets.doors.http import claims
from ..targets.prepare import PreparedTarget
from ..targets.protocols import Target
from ..targets.queries.metered import MeteredTarget, metered
from .base import Engine
from .local import LocalEngine


@dataclass(frozen=True)
class ServedTarget(PreparedTarget):
    """A target that is ready for a job, with the engine of the job that this one is a part of.

    Attributes:
        engine: Where its images are scored. It stays when the part is done.
    """

    engine: Engine


def opened(networks: Sequence[tuple[Target, TargetRecord]], options: EngineOptions, given: object = None) -> Engine:
    """Return an engine for the targets of a job.

    A target that counts its queries does so in this process, whoever asks it: they are counted, kept and limited in one
    place. A server is asked by this process alone, which has several requests under way, and so are several targets
    that count.

    Args:
        networks: The targets, each with what the job's config says of it; the engine scores images for the first.
        options: Which engine it is to be, and what its workers have.
        given: The target that the job was given. A :class:`ServedTarget` has an engine already.

    Raises:
        EvofoolError: One of its family, where the cluster or its workers can't be had.
    """
    if isinstance(given, ServedTarget):
        return given.engine.lent()
    target, record = networks[0]
    counting, alone = any(metered(each) for each, _ in networks), len(networks) == 1
    if options.engine == "local" or (counting and not (alone and _asked_by_workers(target, record))):
        return LocalEngine(target)
    from .ray.connection import connect  # It imports ray, an extra.

    connected = connect(options.address)
    from .ray.opening import ray_engine

    return ray_engine(networks, options, connected=connected)


def _asked_by_workers(target: Target, record: TargetRecord) -> bool:
    """Return whether workers ask a target that counts its queries: one that is no server, alone and as it is."""
    return isinstance(target, MeteredTarget) and isinstance(record.spec, str) and not claims(record.spec)
