"""Whether what a campaign's files say can be true: they may have been edited, cut or swapped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..checks import Check, first_fault, flag, guess, image_shape, list_of, natural, plain_fault, share, text
from ..duels.plan import ALL, RANDOM
from ..strategies.pixels import STRATEGIES

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
    goal: Check = lambda value: value is None or (natural(value) and value < len(classes))  # noqa: E731
    pixels: Check = lambda value: natural(value) and 0 < value <= shape[1] * shape[2]  # noqa: E731
    wanted: dict[str, tuple[dict[str, Any], Check]] = {
        "goals": (config, lambda v: v == ALL or (list_of(v, goal) and len(set(v)) == len(v) > 0)),
        "goal": (config, text),
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


def verdict_fault(verdict: dict[str, Any], images: Sequence[dict[str, Any]], config: dict[str, Any]) -> str | None:
    """The first thing that is wrong with a verdict, or None.

    Args:
        images: the lines of ``images.jsonl``.
    """
    classes, channels = len(config["classes"]), config["target"]["image_shape"][0]
    place: Check = lambda value: natural(value) and value < classes  # noqa: E731
    fought = verdict.get("already") is False
    won = verdict.get("success") is True

    def edit(value: Any) -> bool:
        if not isinstance(value, dict) or not list_of(value.get("colour"), _byte) or len(value["colour"]) != channels:
            return False
        _, height, width = config["target"]["image_shape"]
        x, y = value.get("x"), value.get("y")
        return natural(x) and natural(y) and x < width and y < height

    number = verdict.get("image")
    image = images[number] if natural(number) and number < len(images) else {}  # type: ignore[index,operator]
    strategies = {config["strategy"], *([RANDOM] if config["baseline"] else [])}
    wanted: dict[str, tuple[dict[str, Any], Check]] = {
        "image": (verdict, lambda v: bool(image)),
        "sha256": (verdict, lambda v: v == image["sha256"]),
        "label": (verdict, lambda v: v == image["label"]),
        "class": (verdict, text),
        "confidence": (verdict, share),
        "goal_index": (verdict, lambda v: v is None or place(v)),
        "pixels": (verdict, lambda v: natural(v) and v in config["pixels"]),
        "strategy": (verdict, lambda v: text(v) and v in strategies),
        "success": (verdict, flag),
        "already": (verdict, flag),
        "queries": (verdict, natural),
        "shared": (verdict, lambda v: natural(v) and v > 0),
        "queries_to_success": (verdict, lambda v: (natural(v) and v > 0) if won else v is None or natural(v)),
        "edits": (verdict, lambda v: list_of(v, edit) and bool(v) == fought),
        "top5": (verdict, lambda v: list_of(v, guess) and bool(v) == fought),
        "final": (verdict, lambda v: text(v) if fought else v is None),
        "final_index": (verdict, lambda v: place(v) if fought else v is None),
    }
    return first_fault(wanted)


def _byte(value: Any) -> bool:
    return natural(value) and value < 256
