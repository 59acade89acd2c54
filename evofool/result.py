"""What an evolution ends with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Result:
    """What an evolution ended with.

    Attributes:
        classes: the M niches' class names; ``indices`` (M,) their places among the target's outputs.
        confidence: (M,) float32, each elite's probability for its class.
        images: (M, C, H, W) uint8, exactly what the target saw.
        run: the run folder, or None.
        gallery: the contact sheet, or None.
        page: the page ``index.html``, or None.
        interrupted: whether it was stopped before its budget was spent.
    """

    classes: list[str]
    indices: np.ndarray
    confidence: np.ndarray
    images: np.ndarray
    generations: int
    evaluations: int
    seconds: float
    run: Path | None
    gallery: Path | None
    page: Path | None
    interrupted: bool
    config: dict[str, Any]

    def summary(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        values = self.confidence
        return {
            "run": str(self.run) if self.run else None,
            "gallery": str(self.gallery) if self.gallery else None,
            "page": str(self.page) if self.page else None,
            "target": self.config["target"]["name"],
            "encoding": self.config["encoding"],
            "preset": self.config["preset"],
            "seed": self.config["seed"],
            "generations": self.generations,
            "evaluations": self.evaluations,
            "seconds": round(self.seconds, 3),
            "images_per_second": round(self.evaluations / self.seconds, 1) if self.seconds else 0.0,
            "median": float(np.median(values)),
            "mean": float(values.mean()),
            "min": float(values.min()),
            "at_99": int((values >= 0.99).sum()),
            "interrupted": self.interrupted,
            "classes": [
                {"index": int(index), "class": name, "confidence": float(value)}
                for index, name, value in zip(self.indices, self.classes, values, strict=True)
            ],
        }
