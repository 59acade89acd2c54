"""The record of one finished attempt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..encodings.pixels import Edits, distances, edited
from ..io.arrays import shortest
from .attempt import AttemptResult
from .subject import Subject

Outcome = dict[str, Any]
"""Plain JSON values, always the same for the same attempt. An outcome holds no times."""


def outcome_of(
    subject: Subject, result: AttemptResult, *, pixels: int, strategy: str, seed: int, classes: Sequence[str]
) -> Outcome:
    """Return what is recorded of an attempt.

    ``success`` says whether the best candidate, in the precision that goes on record, reaches the criterion.
    ``queries`` counts every candidate scored for the attempt; ``shared`` criteria had them together. ``already`` says
    that the clean image meets the criterion; such attempts are no successes of the search. Distances are those of
    pixels in [0, 1].
    """
    criterion, best = result.criterion, result.best
    record: Outcome = {
        **subject.record(classes),
        "criterion": criterion.name(classes),
        "criterion_index": criterion.target_class,
        "pixels": pixels,
        "strategy": strategy,
        "seed": seed,
        "success": best is not None and criterion.reached(best.margin),
        "already": best is None,
        "stopped": result.stopped,
        "queries": result.queries,
        "queries_to_success": result.queries_to_success,
        "shared": result.shared,
    }
    if best is None:
        nothing: Outcome = {"final": None, "final_index": None, "margin": None, "top5": [], "edits": []}
        return record | nothing | {"l0": 0, "l2": 0.0, "linf": 0.0}
    pairs = zip(best.top.tolist(), best.confidence.tolist(), strict=True)
    return record | {
        "final": classes[int(best.top[0])],
        "final_index": int(best.top[0]),
        "margin": shortest(best.margin),
        "top5": [[classes[index], shortest(confidence)] for index, confidence in pairs],
        "edits": [{"x": row[0], "y": row[1], "colour": row[2:]} for row in best.edits.tolist()],
        **distances(subject.image, edited(subject.image, best.edits)),
    }


def recorded_edits(outcome: Outcome, channels: int) -> Edits:
    """Return the edits (k, 2 + C) of an outcome.

    Raises:
        ValueError: They are no edits of an image with that many channels.
    """
    rows = [[edit["x"], edit["y"], *edit["colour"]] for edit in outcome["edits"]]
    return np.array(rows, np.int16).reshape(-1, 2 + channels)
