"""What a run's files may say: what evofool writes passes, what can't be true is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from runs import json_lines, small_evolve

from evofool.config.checks import MAX_DEPTH, MAX_GENERATIONS, elite_fault, metrics_fault, plain_fault, run_fault


@pytest.fixture(scope="module", params=["cppn", "direct"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / request.param
    small_evolve(folder, encoding=request.param, classes="0,1", gallery=False)
    return Path(folder)


def test_what_evofool_writes_passes(run: Path) -> None:
    assert run_fault(json.loads((run / "config.json").read_text())) is None
    assert [elite_fault(line) for line in json_lines(run / "elites.jsonl")] == [None, None]
    assert [metrics_fault(line) for line in json_lines(run / "metrics.jsonl")] == [None, None, None]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("target", None), ("target", {"name": 5}), ("settings", []), ("encoding", ["cppn"]), ("seed", -1),
        ("preset", None), ("seed", 1e3), ("seed", True),
    ],
)  # fmt: skip
def test_a_config_that_lies_is_named(run: Path, key: str, value: Any) -> None:
    config = json.loads((run / "config.json").read_text())
    assert str(run_fault({**config, key: value})).startswith(key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("score", float("nan")), ("score", -1e308), ("score", 2), ("score", True), ("index", 10**400), ("niche", 1.0),
        ("class", ["cat"]), ("top5", [["cat", "sure"]]), ("top5", [["cat"]]), ("file", None), ("genome", 3),
        ("size", -1),
    ],
)  # fmt: skip
def test_an_elite_that_lies_is_named(run: Path, key: str, value: Any) -> None:
    line = json_lines(run / "elites.jsonl")[0]
    assert str(elite_fault({**line, key: value})).startswith(key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("generation", MAX_GENERATIONS + 1), ("generation", 0), ("generation", 1.5), ("seconds", float("inf")),
        ("median", float("nan")), ("evaluations", -1), ("at_99", "many"), ("max", 10**400),
    ],
)  # fmt: skip
def test_metrics_that_lie_are_named(run: Path, key: str, value: Any) -> None:
    line = json_lines(run / "metrics.jsonl")[0]
    assert str(metrics_fault({**line, key: value})).startswith(key)


def test_values_that_no_script_can_hold_are_told() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert plain_fault({"a": [1, "b", None, 0.5]}) is None
    assert plain_fault(deep) is None
    assert "deep" in str(plain_fault([deep]))
    assert "inf" in str(plain_fault({"a": [float("inf")]}))
