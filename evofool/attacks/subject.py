"""The image under attack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
    """

    index: int
    id: str
    sha256: str
    image: NDArray[np.uint8]
    label: int
    prediction: int
    confidence: float
