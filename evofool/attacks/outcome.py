"""The record of one finished attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..encodings.pixels import Edits, distances, edited
from .attempt import Ended
from .image_selection import SelectedImages

Outcome = dict[str, Any]
"""plain JSON values, the same for the same attempt always: it holds no times"""

UNTARGETED = "untargeted"


@dataclass(frozen=True)
class Subject:
    """An image under attack."""

    index: int
    """its place in the campaign"""
    id: str
    sha256: str
    image: np.ndarray
    """(C, H, W) uint8"""
    label: int
    prediction: int
    confidence: float


def subjects_of(chosen: SelectedImages) -> list[Subject]:
    """The images of a choice, in its order."""
    columns = (chosen.ids, chosen.hashes, chosen.images, chosen.labels, chosen.predictions, chosen.confidence)
    return [
        Subject(index, name, sha256, image, int(label), int(prediction), float(confidence))
        for index, (name, sha256, image, label, prediction, confidence) in enumerate(zip(*columns, strict=True))
    ]


def outcome(subject: Subject, ended: Ended, *, k: int, strategy: str, seed: int, classes: Sequence[str]) -> Outcome:
    """What is written of an attempt.

    ``success`` is the criterion's own condition on the best candidate in float32. ``queries`` counts every row that was
    scored for the attempt; ``shared`` criteria had them together. Distances are those of pixels in [0, 1]. ``already``
    tells that the clean image reached the criterion: such attempts are no successes of the search.
    """
    criterion, best = ended.criterion, ended.best
    record: Outcome = {
        "image": subject.index,
        "id": subject.id,
        "sha256": subject.sha256,
        "label": subject.label,
        "class": classes[subject.label],
        "prediction": subject.prediction,
        "predicted": classes[subject.prediction],
        "confidence": _number(subject.confidence),
        "criterion": UNTARGETED if criterion.target is None else classes[criterion.target],
        "criterion_index": criterion.target,
        "pixels": k,
        "strategy": strategy,
        "seed": seed,
        "success": best is not None and criterion.reached(best.margin),
        "already": best is None,
        "stopped": ended.stopped,
        "queries": ended.queries,
        "queries_to_success": ended.queries_to_success,
        "shared": ended.shared,
    }
    if best is None:
        nothing: Outcome = {"final": None, "final_index": None, "margin": None, "top5": [], "edits": []}
        return record | nothing | {"l0": 0, "l2": 0.0, "linf": 0.0}
    pairs = zip(best.top.tolist(), best.confidence.tolist(), strict=True)
    top5 = [[classes[index], _number(value)] for index, value in pairs]
    return record | {
        "final": classes[int(best.top[0])],
        "final_index": int(best.top[0]),
        "margin": _number(best.margin),
        "top5": top5,
        "edits": [{"x": row[0], "y": row[1], "colour": row[2:]} for row in best.edits.tolist()],
        **distances(subject.image, edited(subject.image, best.edits)),
    }


def recorded_edits(record: Outcome, channels: int) -> Edits:
    """(k, 2 + C) the edits of an outcome.

    Raises:
        ValueError: they are no edits of an image with that many channels.
    """
    rows = [[edit["x"], edit["y"], *edit["colour"]] for edit in record["edits"]]
    return np.array(rows, np.int16).reshape(-1, 2 + channels)


def _number(value: float) -> float:
    """A float32 as the shortest decimal that reads back as it."""
    return float(str(np.float32(value)))
