"""Whether what a campaign's files say can be true: they may have been edited, cut or swapped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..attacks.plan import ALL, RANDOM
from ..attacks.searches import STRATEGIES
from ..config.checks import Check, first_fault, flag, guess, image_shape, list_of, natural, plain_fault, share, text

MAX_ROWS = 2**14
"""of a batch of candidates; evofool takes 64 to 4,096"""


def config_fault(config: dict[str, Any]) -> str | None:
    """The first thing that is wrong with a campaign's config, or None."""
    classes = config.get("classes")
    if not isinstance(classes, list) or not classes or not list_of(classes, text):
        return "classes"
    data, target = config.get("data"), config.get("target")
    if not isinstance(data, dict) or not isinstance(target, dict):
        return "data" if isinstance(target, dict) else "target"
    shape: Any = target.get("image_shape")
    if not image_shape(shape):
        return "target.image_shape"
    criterion: Check = lambda value: value is None or (natural(value) and value < len(classes))  # noqa: E731
    pixels: Check = lambda value: natural(value) and 0 < value <= shape[1] * shape[2]  # noqa: E731
    wanted: dict[str, tuple[dict[str, Any], Check]] = {
        "criteria": (config, lambda v: v == ALL or (list_of(v, criterion) and len(set(v)) == len(v) > 0)),
        "criterion": (config, text),
        "pixels": (config, lambda v: list_of(v, pixels) and v == sorted(set(v)) and bool(v)),
        "strategy": (config, lambda v: text(v) and v in STRATEGIES),
        "queries": (config, lambda v: v is None or (natural(v) and v > 0)),
        "seed": (config, natural),
        "rows": (config, lambda v: natural(v) and 0 < v <= MAX_ROWS),
        "baseline": (config, flag),
        "export": (config, flag),
        "versions": (config, lambda v: isinstance(v, dict)),
        "name": (target, text),
        "device": (target, text),
        "precision": (target, text),
        "weights_sha256": (target, lambda v: v is None or text(v)),
        "data.name": (data, text),
        "data.asked": (data, natural),
        "data.chosen": (data, natural),
        "data.looked": (data, natural),
        "data.correct": (data, natural),
        "data.labelled": (data, flag),
        "data.first": (data, flag),
        "data.include_misclassified": (data, flag),
        "data.skipped": (data, lambda v: isinstance(v, dict) and all(map(text, v.values()))),
    }
    return first_fault(wanted) or plain_fault(config)


def image_fault(line: dict[str, Any], classes: int) -> str | None:
    """The first thing that is wrong with a line of ``images.jsonl``, or None."""
    place: Check = lambda value: natural(value) and value < classes  # noqa: E731
    return first_fault(
        {
            "id": (line, text),
            "sha256": (line, text),
            "label": (line, place),
            "prediction": (line, place),
            "confidence": (line, share),
        }
    )


def outcome_fault(outcome: dict[str, Any], images: Sequence[dict[str, Any]], config: dict[str, Any]) -> str | None:
    """The first thing that is wrong with an outcome, or None.

    Args:
        images: the lines of ``images.jsonl``.
    """
    classes, channels = len(config["classes"]), config["target"]["image_shape"][0]
    place: Check = lambda value: natural(value) and value < classes  # noqa: E731
    fought = outcome.get("already") is False
    won = outcome.get("success") is True

    def edit(value: Any) -> bool:
        if not isinstance(value, dict) or not list_of(value.get("colour"), _byte) or len(value["colour"]) != channels:
            return False
        _, height, width = config["target"]["image_shape"]
        x, y = value.get("x"), value.get("y")
        return natural(x) and natural(y) and x < width and y < height

    number = outcome.get("image")
    image = images[number] if natural(number) and number < len(images) else {}  # type: ignore[index,operator]
    strategies = {config["strategy"], *([RANDOM] if config["baseline"] else [])}
    wanted: dict[str, tuple[dict[str, Any], Check]] = {
        "image": (outcome, lambda v: bool(image)),
        "sha256": (outcome, lambda v: v == image["sha256"]),
        "label": (outcome, lambda v: v == image["label"]),
        "class": (outcome, text),
        "confidence": (outcome, share),
        "criterion_index": (outcome, lambda v: v is None or place(v)),
        "pixels": (outcome, lambda v: natural(v) and v in config["pixels"]),
        "strategy": (outcome, lambda v: text(v) and v in strategies),
        "success": (outcome, flag),
        "already": (outcome, flag),
        "queries": (outcome, natural),
        "shared": (outcome, lambda v: natural(v) and v > 0),
        "queries_to_success": (outcome, lambda v: (natural(v) and v > 0) if won else v is None or natural(v)),
        "edits": (outcome, lambda v: list_of(v, edit) and bool(v) == fought),
        "top5": (outcome, lambda v: list_of(v, guess) and bool(v) == fought),
        "final": (outcome, lambda v: text(v) if fought else v is None),
        "final_index": (outcome, lambda v: place(v) if fought else v is None),
    }
    return first_fault(wanted)


def _byte(value: Any) -> bool:
    return natural(value) and value < 256
