"""A target without a torch module: what a user may write around anything that scores images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class PlainTarget:
    """A seeded linear classifier in numpy, with no more than :class:`evofool.targets.protocols.Target` asks for."""

    def __init__(self, name: str = "plain") -> None:
        self.name, self.classes, self.image_shape = name, ["a", "b", "c", "d"], (3, 8, 8)
        self.weights = np.random.default_rng(0).normal(size=(3 * 8 * 8, 4))
        self.queries = 0

    def scores(self, images: Tensor) -> Tensor:
        """(B, 4) probabilities of (B, 3, 8, 8) uint8 images."""
        self.queries += len(images)
        pixels = images.numpy().reshape(len(images), -1) / 255 - 0.5
        logits = pixels @ self.weights
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return torch.from_numpy((odds / odds.sum(1, keepdims=True)).astype(np.float32))

    def confirm(self, images: Tensor) -> Tensor:
        """The same: it has one precision."""
        return self.scores(images)
