"""Everything that a target says of images, for those who look at more than scores."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from ..io.arrays import Arrays
from ..targets.protocols import Target, gives_logits
from .base import Engine
from .local import engine_of


def outputs(target: Target | Engine, batches: Iterable[NDArray[np.uint8]]) -> Arrays:
    """Return what a target says of N images: ``probabilities`` (N, K) float32, and ``logits`` where it tells those.

    Args:
        target: The target, or an engine that scores images for it.
        batches: The images, (B, C, H, W) each.

    Raises:
        TargetError: It fails, or returns what can't be used.
    """
    engine = engine_of(target)
    logits, classes = gives_logits(engine.target), len(engine.target.classes)
    found: dict[str, list[NDArray[np.float32]]] = {"probabilities": [np.empty((0, classes), np.float32)]}
    for images in batches:
        batch = torch.from_numpy(images)
        values = engine.logits(batch) if logits else engine.confirm(batch)
        engine.check(values)
        scores = values.softmax(1) if logits else values
        found["probabilities"].append(scores.cpu().numpy())
        if logits:
            found.setdefault("logits", []).append(values.cpu().numpy())
    return {name: np.concatenate(parts) for name, parts in found.items()}
