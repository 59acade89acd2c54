"""Lines of job folders that say what can't be are named."""

from __future__ import annotations

from typing import Any

import pytest

from evofool.store.records import (
    MAX_DEPTH,
    MAX_GENERATIONS,
    EliteLine,
    ImageLine,
    MetricsLine,
    OutcomeLine,
    fault,
    plain_fault,
)

ELITE: dict[str, Any] = {
    "niche": 0, "class": "cat", "index": 3, "score": 0.5, "top5": [["cat", 0.5], ["dog", 0.25]], "generation": 1,
    "evaluation": 7, "parent": -1, "size": 12, "file": "elites/003_cat.png", "picture_crc32": "00000000",
    "genome": "elites/003_cat.json",
}  # fmt: skip
METRICS: dict[str, Any] = {
    "generation": 1, "evaluations": 100, "confirmations": 0, "seconds": 0.5, "median": 0.5, "mean": 0.5, "min": 0.1,
    "max": 0.9, "at_99": 0, "improved": 3, "size": 12.5, "elites": 10, "qd_score": 5.0,
}  # fmt: skip
IMAGE: dict[str, Any] = {
    "image": 0, "id": "a.png", "sha256": "00", "label": 1, "class": "cat", "prediction": 1, "predicted": "cat",
    "confidence": 0.9,
}  # fmt: skip
OUTCOME: dict[str, Any] = {
    **IMAGE, "criterion": "untargeted", "criterion_index": None, "pixels": 1, "strategy": "local", "seed": 0,
    "success": True, "already": False, "stopped": "reached", "queries": 9, "queries_to_success": 9, "shared": 1,
    "final": "dog", "final_index": 2, "margin": -0.5, "top5": [["dog", 0.6]],
    "edits": [{"x": 1, "y": 2, "colour": [0, 128, 255]}], "l0": 1, "l2": 0.5, "linf": 0.5,
}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "kind"), [(ELITE, EliteLine), (METRICS, MetricsLine), (IMAGE, ImageLine), (OUTCOME, OutcomeLine)]
)
def test_sound_lines_have_no_fault(line: dict[str, Any], kind: type) -> None:
    assert fault(line, kind) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("score", float("nan")), ("score", -1e308), ("score", 2), ("score", True), ("index", 10**400), ("niche", 1.0),
        ("class", ["cat"]), ("top5", [["cat", "sure"]]), ("top5", [["cat"]]), ("file", None), ("genome", 3),
        ("size", -1), ("cell", []), ("cell", [-1]), ("descriptors", {"hue": "red"}),
    ],
)  # fmt: skip
def test_an_elite_that_lies_is_named(key: str, value: Any) -> None:
    assert str(fault({**ELITE, key: value}, EliteLine)).startswith(key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("generation", MAX_GENERATIONS + 1), ("generation", 0), ("generation", 1.5), ("seconds", float("inf")),
        ("median", float("nan")), ("evaluations", -1), ("at_99", "many"), ("max", 10**400),
    ],
)  # fmt: skip
def test_metrics_that_lie_are_named(key: str, value: Any) -> None:
    assert str(fault({**METRICS, key: value}, MetricsLine)).startswith(key)


@pytest.mark.parametrize(
    ("key", "value"), [("label", -1), ("prediction", "cat"), ("confidence", 1.5), ("sha256", 3), ("id", None)]
)
def test_an_image_that_lies_is_named(key: str, value: Any) -> None:
    assert str(fault({**IMAGE, key: value}, ImageLine)).startswith(key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("criterion_index", -1), ("queries", 1.5), ("shared", 0), ("success", 1), ("edits", [{"x": 1, "y": 2}]),
        ("edits", [{"x": -1, "y": 2, "colour": [0]}]), ("edits", [{"x": 1, "y": 2, "colour": [256]}]),
        ("top5", [["dog", float("inf")]]), ("final", 3), ("queries_to_success", -1),
    ],
)  # fmt: skip
def test_an_outcome_that_lies_is_named(key: str, value: Any) -> None:
    assert str(fault({**OUTCOME, key: value}, OutcomeLine)).startswith(key)


@pytest.mark.parametrize("key", ["niche", "class", "score", "file"])
def test_what_is_missing_is_named(key: str) -> None:
    assert key in str(fault({name: value for name, value in ELITE.items() if name != key}, EliteLine))


def test_values_that_no_script_can_hold_are_named() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert plain_fault({"a": [1, "b", None, 0.5]}) is None
    assert plain_fault(deep) is None
    assert "deep" in str(plain_fault([deep]))
    assert "inf" in str(plain_fault({"a": [float("inf")]}))
