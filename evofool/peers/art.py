"""Pixel attacks as ART has them: ``attack.generate(x, y)``."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import ConfigError
from ..targets.registry import load_target
from .pixel_attack import Attacked, attack_pixels
from .pixels import to_bytes, with_changes


class ArtPixelAttack:
    """Change a pixel or a few of each image so that a classifier of ART takes it for another class.

    Args:
        classifier: A classifier of ART with ``clip_values``, such as ``PyTorchClassifier``.
        pixels: How many pixels may change, or ``"auto"`` for ever more of them up to 5.
        queries: Most scored images for each image.
        targeted: Whether ``y`` are the classes that images have to become.
        strategy: As in :func:`evofool.attack`; None for the default.
        seed: Random seed.

    Attributes:
        last: What became of the last batch; ``last.success`` and ``last.queries`` are (N,) arrays.
    """

    def __init__(
        self,
        classifier: Any,
        pixels: int | str = 1,
        queries: int = 2000,
        *,
        targeted: bool = False,
        strategy: str | None = None,
        seed: int = 0,
    ) -> None:
        if getattr(classifier, "clip_values", None) is None:
            raise ConfigError("the classifier has no clip_values, which say what black and white are; give it some")
        self.classifier, self.targeted = classifier, targeted
        self.options = {"pixels": pixels, "queries": queries, "strategy": strategy, "seed": seed}
        self.target = load_target(classifier)
        self.last: Attacked | None = None

    def generate(self, x: NDArray[Any], y: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the changed images, of the type of ``x``.

        Args:
            x: (N, C, H, W), or (N, H, W, C) where the classifier takes its channels last, within its clip values.
            y: (N,) classes, or (N, K) one-hot; the classes to reach where the attack is targeted. None for the
                classifier's own guesses.

        Raises:
            ConfigError: ``x`` or ``y`` can't be.
        """
        last = not getattr(self.classifier, "channels_first", True)
        images = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2) if last else x))
        low, high = (float(np.min(limit)) for limit in self.classifier.clip_values)
        before = to_bytes(images, low, high)
        if y is None and self.targeted:
            raise ConfigError("a targeted attack needs `y`, the classes to reach")
        given = None if y is None else np.asarray(y)
        classes = None if given is None else (given.argmax(1) if given.ndim == 2 else given).tolist()
        labels, wanted = (None, classes) if self.targeted else (classes, None)
        self.last = attack_pixels(self.target, before, labels, self.options, wanted)
        found = with_changes(images, before, self.last.images, low, high).numpy()
        return found.transpose(0, 2, 3, 1) if last else found
