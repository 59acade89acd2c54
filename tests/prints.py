"""Run folders that evolved nothing, and texts as they are drawn, for the tests of prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configs import run_config
from PIL import Image, ImageDraw

from evofool.io.files import file_crc32
from evofool.store.run import RunFolder

MAGENTA = (255, 0, 255)
"""The colour of the fake elites, which no other part of a print has."""

HOSTILE = [
    "",
    "   ",
    "line\nbreak\r\n\ttab",
    "w" * 300,
    "many words " * 40,
    "🦊🐈",
    "مرحبا بالعالم",
    "猫" * 50,
    "nul\0 bell\a escape\x1b[31m",
    "é" * 30,
]
"""Class names that are hard to set."""

Box = tuple[float, float, float, float]


def fake_run(
    path: Path,
    count: int,
    names: Sequence[str] = (),
    target: str = "cifar10",
    picture: np.ndarray | None = None,
) -> Path:
    """Make a run folder whose ``count`` elites all show one picture, magenta by default; scores fall with the index."""
    folder = RunFolder.create(
        path,
        run_config(
            {"encoding": "cppn", "preset": "nguyen2015", "seed": 12345},
            {"name": target, "classes": count, "image_shape": (3, 32, 32)},
            versions={"evofool": "10.20.30"},
        ),
    )
    magenta = Image.new("RGB", (32, 32), MAGENTA)
    file = path / "elites" / "a.png"
    (magenta if picture is None else Image.fromarray(picture)).save(file)
    rest = {"top5": [], "generation": 9, "evaluation": 7, "size": 3, "file": "elites/a.png"}
    rest["picture_crc32"] = file_crc32(file)
    lines = [
        {"niche": i, "index": i, "class": name, "score": 1 - i / count, **rest}
        for i, name in enumerate(names or [f"class number {i}" for i in range(count)])
    ]
    write_elites(path, lines)
    numbers = dict.fromkeys(("seconds", "median", "mean", "min", "max", "at_99", "improved", "size"), 0)
    metrics = {"generation": 9, "evaluations": 12_345_678, "confirmations": 0, **numbers}
    (path / "metrics.jsonl").write_text(json.dumps(metrics) + "\n")
    assert folder.elites() == lines
    assert folder.metrics() == [metrics]
    return path


def write_elites(run: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Write a run's ``elites.jsonl`` by hand."""
    (run / "elites.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def record_texts(monkeypatch: pytest.MonkeyPatch, min_size: int = 0) -> list[tuple[str, Box]]:
    """Return a list that gets every text that is drawn from now on, with the box it covers."""
    drawn: list[tuple[str, Box]] = []
    draw_text = ImageDraw.ImageDraw.text

    def text(
        draw: ImageDraw.ImageDraw, xy: Any, text: str, fill: Any = None, font: Any = None, anchor: Any = None
    ) -> None:
        assert font.size >= min_size, "too small to read"
        drawn.append((text, draw.textbbox(xy, text, font, anchor)))
        draw_text(draw, xy, text, fill, font, anchor)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    return drawn


def assert_well_set(image: Image.Image, texts: list[tuple[str, Box]]) -> None:
    """Check that all texts lie on an image, and none on another."""
    boxes = np.array([box for _, box in texts])
    left, top, right, bottom = boxes.T
    out = (left < 0) | (top < 0) | (right > image.width) | (bottom > image.height)
    assert [texts[i][0] for i in np.flatnonzero(out)] == []
    apart = (
        (right[:, None] <= left) | (right <= left[:, None]) | (bottom[:, None] <= top) | (bottom <= top[:, None])
    ) | np.eye(len(boxes), dtype=bool)
    assert [(texts[i][0], texts[j][0]) for i, j in np.argwhere(~apart)[:3]] == []
