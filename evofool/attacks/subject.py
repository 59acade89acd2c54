"""The image under attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..io.arrays import shortest


@dataclass(frozen=True)
class Subject:
    """An image under attack.

    Attributes:
        index: Its number in the campaign.
        id: What records call it.
        sha256: The SHA-256 of the image's bytes.
        image: (C, H, W) uint8.
        label: Its true class; the target's own prediction where nobody labelled it.
        prediction: The class that the target takes it for.
        confidence: The probability of that class.
        genome: The JSON of the CPPN that it is the picture of, where it is one's.
    """

    index: int
    id: str
    sha256: str
    image: NDArray[np.uint8]
    label: int
    prediction: int
    confidence: float
    genome: dict[str, Any] | None = None

    def record(self, classes: Sequence[str]) -> dict[str, Any]:
        """Return what records say of the image, as plain JSON values.

        Args:
            classes: The target's class names.
        """
        return {
            "image": self.index,
            "id": self.id,
            "sha256": self.sha256,
            "label": self.label,
            "class": classes[self.label],
            "prediction": self.prediction,
            "predicted": classes[self.prediction],
            "confidence": shortest(self.confidence),
            **({"genome": self.genome} if self.genome else {}),
        }
