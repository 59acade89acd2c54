"""The figures of the fuzzing, written where ``EVOFOOL_FIGURES`` says."""

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

STARTED = time.monotonic()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the long form a test may take as long as it does; each case has its own limit."""
    for item in items:
        if hostile.LONG and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(0))


@pytest.fixture(autouse=True)
def _figures() -> Iterator[None]:
    """After every test, so that a long form that was stopped has told what it did."""
    yield
    if place := os.environ.get("EVOFOOL_FIGURES"):
        Path(place).write_text(json.dumps(told(), indent=2) + "\n", encoding="utf-8")


def told() -> dict[str, Any]:
    """The figures so far."""
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
