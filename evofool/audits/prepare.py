"""The target of an audit: how it is asked, and how fast it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..config.audit import AuditOptions
from ..config.evolve import EvolveOptions
from ..jobs import evolve
from ..targets.prepare import PreparedTarget
from ..targets.protocols import Differentiable
from ..targets.queries.metered import MeteredTarget
from .plan import BATCH

if TYPE_CHECKING:
    from ..jobs.run import RunStep

SECONDS = 3.0
"""How long images are evolved to measure the speed."""


def asked(options: AuditOptions, *, named: bool = True) -> EvolveOptions:
    """Return how the target is asked.

    A budget of queries is a limit for one that counts them. A named target then scores in float32 alone, where nothing
    has to be scored again to confirm it.
    """
    limits = [limit for limit in (options.limits.queries, options.max_queries) if limit is not None]
    return EvolveOptions.of(
        {
            **options.said,
            "weights": options.weights,
            "device": options.device,
            **({"target": options.target} if options.target else {}),
            **({"max_queries": min(limits)} if limits else {}),
            **({"precision": "float32"} if named and options.limits.queries is not None else {}),
        }
    )


def uncounted(prepared: PreparedTarget, options: AuditOptions, own: object) -> PreparedTarget:
    """Return a target without its meter, where it gives gradients and nobody asked for one.

    Its plan keeps it within its budget, and counting takes longer than a small network does.
    """
    target = prepared.target
    wanted = options.count_queries or options.max_queries is not None or isinstance(own, MeteredTarget)
    if isinstance(target, MeteredTarget) and isinstance(target.target, Differentiable) and not wanted:
        return replace(prepared, target=target.target)
    return prepared


def speed_of(prepared: PreparedTarget, options: AuditOptions) -> float:
    """Return how many images a second are evolved and scored, after what happens once on each machine."""
    seen: list[tuple[int, float]] = []

    def note(step: RunStep) -> None:
        seen.append((step.progress.evaluations, step.progress.seconds))

    given = {"target": prepared.record.spec, "batch": BATCH, "seed": options.seed, "minutes": SECONDS / 60}
    evolve.run(EvolveOptions.of(given), prepared, observer=note)
    (first, start), (last, end) = seen[0], seen[-1]
    return (last - first) / (end - start) if end > start else last / max(end, 1e-3)
