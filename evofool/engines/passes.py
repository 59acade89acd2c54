"""How a batch is cut into the passes that a target is asked for, one after another or on several machines.

The last digits of a network's output depend on the shape of a pass. So the cut depends on the target and on the number
of images alone, and an image has the same scores whoever computes its pass.
"""

from __future__ import annotations

from ..targets.protocols import Target, rows_of, takes_rows
from ..targets.queries.metered import metered


def pass_sizes(target: Target, count: int, rows: int | None = None) -> list[int]:
    """Return how many of ``count`` images each pass has.

    Args:
        target: The target. It has at most as many images at once as it likes, evenly; where it counts its queries, it
            deals them to requests itself.
        count: The number of images.
        rows: The size of every pass, for a target that fills up the last one.
    """
    if rows is not None and fills_passes(target):
        return [min(rows, count - start) for start in range(0, count, rows)]
    passes = 1 if metered(target) else -(-count // rows_of(target))
    return [count // passes + (number < count % passes) for number in range(passes)] if count else []


def fills_passes(target: Target) -> bool:
    """Return whether a target confirms in passes of a size that it is told, as do all that it is made of."""
    members = getattr(target, "members", ())
    return all(map(fills_passes, members)) if members else takes_rows(target)
