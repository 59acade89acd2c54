"""Records of audits for tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from evofool.audits.figure_table import PARTS
from evofool.audits.record import AuditedData, AuditedTarget, AuditFigure, AuditPart, AuditRecord


def untimed(path: Path) -> str:
    """The bytes of ``audit.json`` without its times."""
    text = re.sub(r'"seconds": [\d.]+', '"seconds": 0', (path / "audit.json").read_text())
    return re.sub(r'("seconds": \{)[^}]*', r"\1", text)


def figure(value: float, low: float, high: float, n: int = 10) -> AuditFigure:
    """A figure with its interval."""
    return AuditFigure(value=value, low=low, high=high, n=n)


def record(
    figures: dict[str, AuditFigure], details: dict[str, dict[str, Any]] | None = None, **facts: Any
) -> AuditRecord:
    """A record with some figures; parts without details are skipped."""
    details = details or {}
    parts = {
        name: AuditPart(status="done", queries=10, seconds=1.0, details=details[name])
        if name in details
        else AuditPart(status="skipped", why="no data were given")
        for name in PARTS
    }
    known: dict[str, Any] = {
        "evofool": "1.0",
        "target": AuditedTarget(name="digits", weights_sha256="ab" * 32, classes=10, image_shape=(1, 8, 8)),
        "data": AuditedData(name="digits", images=100, labelled=True),
        "profile": "quick",
        "budget": None,
        "seed": 0,
        "versions": {"python": "3.12"},
        "queries": 1000,
        "seconds": 12.34,
    }
    return AuditRecord.of(figures=figures, parts=parts, **(known | facts))
