"""Campaigns whose pages are looked at, and what stands on these."""

from __future__ import annotations

from pathlib import Path

from campaigns import write_lines
from pages import Page
from PIL import Image
from runs import json_lines
from support import random_images, tiny_network

from evofool import Target
from evofool.attacks.outcome import Outcome

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=1>',
    "مرحبا بالعالم\u202e",
    "🦊🐈",
    "w" * 300,
    "a & b &amp; 'c' <!-- d",
    "]]></style>",
    "",
]


def own_target(classes: list[str], shape: tuple[int, int, int] = (3, 8, 8), name: str = "tiny") -> Target:
    """A seeded network of random weights with these classes."""
    return Target(
        tiny_network(shape[0], len(classes), shape[1]),
        classes=classes, image_shape=shape, mean=0.5, std=0.25, name=name, device="cpu", precision="float32",
    )  # fmt: skip


def pictures(folder: Path, n: int, shape: tuple[int, int, int] = (3, 8, 8)) -> Path:
    """A folder of unlabelled pictures of noise."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, pixels in enumerate(random_images(n, shape).numpy()):
        Image.fromarray(pixels.transpose(1, 2, 0) if shape[0] == 3 else pixels[0]).save(folder / f"{index:03d}.png")
    return folder


def page_of(campaign: Path) -> Page:
    page = Page((campaign / "report.html").read_text(encoding="utf-8"))
    assert page.problems == []
    return page


def outcomes(campaign: Path) -> list[Outcome]:
    return json_lines(campaign / "outcomes.jsonl")


def rewrite(campaign: Path, lines: list[Outcome]) -> None:
    write_lines(campaign, "outcomes.jsonl", lines)
