"""Whether what a campaign's files say can be true: they may have been edited, cut or swapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..duels.plan import ALL
from ..strategies.pixels import STRATEGIES

Check = Callable[[Any], bool]


def config_fault(config: dict[str, Any]) -> str | None:
    """The first thing that is wrong with a campaign's config, or None."""
    classes = config.get("classes")
    if not isinstance(classes, list) or not classes or not _list(classes, _text):
        return "classes"
    data, target = config.get("data"), config.get("target")
    if not isinstance(data, dict) or not isinstance(target, dict):
        return "data" if isinstance(target, dict) else "target"
    shape = target.get("image_shape")
    if not (isinstance(shape, list) and len(shape) == 3 and _list(shape, _natural)):
        return "target.image_shape"
    place: Check = lambda value: _natural(value) and value < len(classes)  # noqa: E731
    wanted: dict[str, tuple[dict[str, Any], Check]] = {
        "goals": (config, lambda v: v == ALL or (_list(v, lambda goal: goal is None or place(goal)) and bool(v))),
        "goal": (config, _text),
        "pixels": (config, lambda v: _list(v, lambda k: _natural(k) and k > 0) and v == sorted(set(v)) and bool(v)),
        "strategy": (config, lambda v: _text(v) and v in STRATEGIES),
        "queries": (config, lambda v: v is None or (_natural(v) and v > 0)),
        "seed": (config, _natural),
        "rows": (config, lambda v: _natural(v) and v > 0),
        "baseline": (config, _flag),
        "export": (config, _flag),
        "versions": (config, lambda v: isinstance(v, dict)),
        "name": (target, _text),
        "device": (target, _text),
        "precision": (target, _text),
        "weights_sha256": (target, lambda v: v is None or _text(v)),
        "data.name": (data, _text),
        "data.asked": (data, _natural),
        "data.chosen": (data, _natural),
        "data.looked": (data, _natural),
        "data.correct": (data, _natural),
        "data.labelled": (data, _flag),
        "data.first": (data, _flag),
        "data.include_misclassified": (data, _flag),
        "data.skipped": (data, lambda v: isinstance(v, dict) and all(map(_text, v.values()))),
    }
    return _first_fault(wanted)


def image_fault(line: dict[str, Any], classes: int) -> str | None:
    """The first thing that is wrong with a line of ``images.jsonl``, or None."""
    place: Check = lambda value: _natural(value) and value < classes  # noqa: E731
    return _first_fault(
        {
            "id": (line, _text),
            "sha256": (line, _text),
            "label": (line, place),
            "prediction": (line, place),
            "confidence": (line, _share),
        }
    )


def verdict_fault(verdict: dict[str, Any], images: int, config: dict[str, Any]) -> str | None:
    """The first thing that is wrong with a verdict, or None."""
    classes, channels = len(config["classes"]), config["target"]["image_shape"][0]
    place: Check = lambda value: _natural(value) and value < classes  # noqa: E731
    fought = verdict.get("already") is False
    won = verdict.get("success") is True

    def edit(value: Any) -> bool:
        if not isinstance(value, dict) or not _list(value.get("colour"), _byte) or len(value["colour"]) != channels:
            return False
        _, height, width = config["target"]["image_shape"]
        x, y = value.get("x"), value.get("y")
        return _natural(x) and _natural(y) and x < width and y < height

    def guess(value: Any) -> bool:
        return isinstance(value, list) and len(value) == 2 and _text(value[0]) and _share(value[1])

    wanted: dict[str, tuple[dict[str, Any], Check]] = {
        "image": (verdict, lambda v: _natural(v) and v < images),
        "sha256": (verdict, _text),
        "label": (verdict, place),
        "class": (verdict, _text),
        "confidence": (verdict, _share),
        "goal_index": (verdict, lambda v: v is None or place(v)),
        "pixels": (verdict, lambda v: _natural(v) and v in config["pixels"]),
        "strategy": (verdict, _text),
        "success": (verdict, _flag),
        "already": (verdict, _flag),
        "queries": (verdict, _natural),
        "shared": (verdict, lambda v: _natural(v) and v > 0),
        "queries_to_success": (verdict, lambda v: (_natural(v) and v > 0) if won else v is None or _natural(v)),
        "edits": (verdict, lambda v: _list(v, edit) and bool(v) == fought),
        "top5": (verdict, lambda v: _list(v, guess) and bool(v) == fought),
        "final": (verdict, lambda v: _text(v) if fought else v is None),
        "final_index": (verdict, lambda v: place(v) if fought else v is None),
    }
    return _first_fault(wanted)


def _first_fault(wanted: dict[str, tuple[dict[str, Any], Check]]) -> str | None:
    for name, (record, check) in wanted.items():
        key = name.rpartition(".")[2]
        if key not in record or not check(record[key]):
            return f"{name} is {record[key]!r}"[:80] if key in record else f"{name} is missing"
    return None


def _list(value: Any, check: Check) -> bool:
    return isinstance(value, list) and all(map(check, value))


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _natural(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62


def _byte(value: Any) -> bool:
    return _natural(value) and value < 256


def _share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1.0001
