"""The classifier that the servers serve, in numpy alone."""

from __future__ import annotations

from typing import Any

import numpy as np


def probabilities(images: Any) -> Any:
    """Return (B, 4) probabilities for (B, 8, 8, 3) uint8 images."""
    weights = np.random.default_rng(7).normal(0, 0.4, (8 * 8 * 3, 4))
    logits = (np.asarray(images, np.float64).reshape(len(images), -1) / 255) @ weights
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
