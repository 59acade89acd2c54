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
        classes: the N elites' class names; ``indices`` (N,) their places among the target's outputs.
        confidence: (N,) float32, each elite's probability for its class.
        images: (N, C, H, W) uint8, exactly what the target saw.
        places: the cell and descriptors of each, where a class has several niches; else None.
        niches: how many there are, empty ones too.
        run: the run folder, or None.
        gallery: the contact sheet, or None.
        page: the page ``index.html``, or None.
        interrupted: whether it was stopped before its budget was spent.
    """

    classes: list[str]
    indices: np.ndarray
    confidence: np.ndarray
    images: np.ndarray
    places: list[dict[str, Any]] | None
    niches: int
    generations: int
    evaluations: int
    seconds: float
    run: Path | None
    gallery: Path | None
    page: Path | None
    interrupted: bool
    config: dict[str, Any]

    def surest(self) -> list[int]:
        """Which of the elites is the surest of its class, for each class."""
        best: dict[int, int] = {}
        for at, index in enumerate(self.indices.tolist()):
            if index not in best or self.confidence[at] > self.confidence[best[index]]:
                best[index] = at
        return list(best.values())

    def summary(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        values = self.confidence[self.surest()]
        qd_score = float(self.confidence.sum(dtype=np.float64))
        several = {"niches": self.niches, "elites": len(self.classes), "qd_score": qd_score}
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
            **(several if self.places else {}),
            "interrupted": self.interrupted,
            "classes": [
                {"index": int(index), "class": name, "confidence": float(value), **place}
                for index, name, value, place in zip(
                    self.indices, self.classes, self.confidence, self.places or [{}] * len(self.classes), strict=True
                )
            ],
        }
