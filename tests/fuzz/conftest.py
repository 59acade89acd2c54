"""Runs to attack, and the figures of the fuzzing, written where ``EVOFOOL_FIGURES`` says."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hostile
import pytest
from run_uses import RUNS
from runs import small_evolve

STARTED = time.monotonic()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a test of the long form take as long as it does; each case has its own limit."""
    for item in items:
        if hostile.LONG and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(0))


@pytest.fixture(scope="session")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, hostile.Sandbox]:
    """Give a run of each kind, of three classes and three generations."""
    by_kind = {}
    for kind, options in RUNS.items():
        box = hostile.Sandbox(tmp_path_factory.mktemp(kind))
        small_evolve(box.inside, **options, classes="0,1,2", gallery=False)
        box.remember()
        by_kind[kind] = box
    return by_kind


@pytest.fixture(autouse=True)
def _figures() -> Iterator[None]:
    """Write the figures after every test, so that a long form that was stopped has them as well."""
    yield
    if file := os.environ.get("EVOFOOL_FIGURES"):
        Path(file).write_text(json.dumps(figures(), indent=2) + "\n", encoding="utf-8")


def figures() -> dict[str, Any]:
    """Return the figures so far."""
    counts = hostile.figures.values()
    return {
        "form": "long" if hostile.LONG else "short",
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "seconds": round(time.monotonic() - STARTED),
        "cases": sum(count.cases for count in counts),
        "failures": sum(sum(count.failures.values()) for count in counts),
        "kinds": {
            kind: {
                "cases": count.cases,
                "loaded": count.loaded,
                "refused": dict(count.refused),
                "failures": dict(count.failures),
                "slowest_seconds": round(count.slowest, 2),
            }
            for kind, count in sorted(hostile.figures.items())
        },
    }
