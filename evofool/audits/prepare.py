"""The target of an audit: how it is asked, and how fast it is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from secrets import randbelow
from typing import TYPE_CHECKING

from ..config.audit import AuditOptions
from ..config.evolve import EvolveOptions
from ..config.options import LARGEST
from ..jobs import evolve
from ..targets.prepare import PreparedTarget, prepare_target
from ..targets.protocols import Differentiable, Target
from ..targets.queries.metered import MeteredTarget, images_left
from .plan import BATCH, FEWEST

if TYPE_CHECKING:
    from ..jobs.run import RunStep

SECONDS = (1.5, 6.0)
"""How many seconds images are evolved to measure the speed once, at least and at most."""

WINDOW = 0.4
"""Seconds of the shortest stretch that counts."""

MEASURED = 0.01
"""Share of the time that goes into measuring the speed once, within these bounds."""

TRIES, AGREE = 6, 0.8
"""How often the speed is measured at most, and from which share of the highest on another one agrees with it."""

PROBED = 0.02
"""Largest share of a paid budget that measuring the speed may cost."""


def prepared_for(options: AuditOptions, own: Target | None) -> PreparedTarget:
    """Return the target, ready to be asked.

    With a budget in queries, a named one scores in float32 alone if it can: nothing has to be scored again then.

    Raises:
        EvofoolError: It can't be had.
    """
    given, paid = own if own is not None else str(options.target), own is None and options.limits.queries is not None
    prepared = prepare_target(given, asked(options), precision="float32" if paid else "auto")
    return uncounted(prepared, options, own)


def asked(options: AuditOptions) -> EvolveOptions:
    """Return how the target is asked. A budget of queries is a limit for one that counts them."""
    limit = options.max_queries or options.limits.queries
    return EvolveOptions.of(
        {
            **options.said,
            "weights": options.weights,
            "device": options.device,
            **({"target": options.target} if options.target else {}),
            **({"max_queries": limit} if limit else {}),
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
    """Return how many images a second are evolved and scored, after what happens once on each machine.

    It is measured until the two highest agree, since what else the machine does for a moment can only slow it down.
    Each try has a generation at least twice as large as the one before, up to that of the audit: small ones are slow
    where a pass costs much, however few images it has. Images are new ones each time: answers that were kept cost no
    time.
    """
    left = images_left(prepared.target)
    most = LARGEST - 1 if left is None else max(FEWEST, int(PROBED / TRIES * left))
    seconds = min(SECONDS[1], max(SECONDS[0], MEASURED * (options.limits.seconds or 0)))

    def measured(batch: int) -> float:
        seen: list[tuple[int, float]] = []

        def note(step: RunStep) -> None:
            seen.append((step.progress.evaluations, step.progress.seconds))

        limits = {"minutes": seconds / 60, "evaluations": most}
        given = {"target": prepared.record.spec, "batch": batch, "seed": randbelow(LARGEST), **limits}
        evolve.run(EvolveOptions.of(given), prepared, observer=note)
        return fastest(seen)

    batch, speeds = FEWEST, [measured(FEWEST)]
    while len(speeds) < 2 or (len(speeds) < TRIES and sorted(speeds)[-2] < AGREE * max(speeds)):
        batch = max(FEWEST, min(BATCH, max(2 * batch, int(max(speeds) * WINDOW)), most // 4))
        speeds.append(measured(batch))
    return max(speeds)


def fastest(seen: Sequence[tuple[int, float]]) -> float:
    """Return the speed of the fastest stretch of at least :data:`WINDOW` seconds; over all where none is so long.

    Args:
        seen: Images so far and seconds so far, at least once; the first is left out, since it has what happens once.
    """
    (first, start), (last, end) = seen[0], seen[-1]
    times, speeds = [since for _, since in seen], []
    for images, since in seen:
        later = bisect_left(times, since + WINDOW)
        if later < len(seen):
            speeds.append((seen[later][0] - images) / (times[later] - since))
    if speeds:
        return max(speeds)
    return (last - first) / (end - start) if end > start else last / max(end, 1e-3)
