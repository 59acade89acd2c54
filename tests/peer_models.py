"""Models as foolbox and ART wrap them, for tests that do without these libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from support import tiny_network
from torch import Tensor


class FoolboxModel:
    """What foolbox's ``PyTorchModel`` offers to attacks."""

    bounds, data_format, device = (0, 1), "channels_first", "cpu"

    def __call__(self, images: Tensor) -> Tensor:
        return tiny_network().eval()(images)


class ArtClassifier:
    """What ART's ``PyTorchClassifier`` offers to attacks."""

    nb_classes, input_shape, clip_values, channels_first = 4, (3, 8, 8), (0.0, 1.0), True

    @torch.no_grad()
    def predict(self, x: np.ndarray, **_: Any) -> np.ndarray:
        return tiny_network().eval()(torch.from_numpy(x).float()).numpy()
