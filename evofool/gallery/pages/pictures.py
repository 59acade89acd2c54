"""Pictures as an object that a notebook shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...config.arguments import kind_of_data
from ...errors import ConfigError
from ...text import counted
from .experiment_page import Card
from .notebook import EDGE, fragment


@dataclass(frozen=True, repr=False)
class Pictures:
    """Pictures with what is said of each. A notebook shows them side by side.

    Attributes:
        images: (N, C, H, W) uint8, C = 1 or 3.
        captions: What is said of each, or empty.
        edge: Largest width and height at which they are shown, in pixels.
    """

    images: NDArray[np.uint8]
    captions: Sequence[str] = ()
    edge: int = EDGE

    @classmethod
    def of(cls, images: Any, captions: Sequence[str], edge: int) -> Pictures:
        """Return pictures that a user gives.

        Args:
            images: (N, C, H, W) or (C, H, W) uint8, as an array or a tensor.
            captions: One for each, or none at all.
            edge: See above.

        Raises:
            ConfigError: They are no pictures, or not as many as captions.
        """
        try:
            array = images.cpu().numpy() if hasattr(images, "cpu") else np.asarray(images)
        except ValueError:  # They differ in their shapes.
            array = np.empty(0)
        array = array[None] if array.ndim == 3 else array
        if array.ndim != 4 or array.shape[1] not in (1, 3) or array.dtype != np.uint8 or 0 in array.shape:
            raise ConfigError(
                f"`images` must be (N, C, H, W) or (C, H, W) uint8 with 1 or 3 channels, got {kind_of_data(images)}; "
                "those in [0, 1] become so by (255 * images).round().astype('uint8')"
            )
        if captions and len(captions) != len(array):
            raise ConfigError(f"`captions` must be one for each of {counted(len(array), 'image')}, got {len(captions)}")
        return cls(array, [str(each) for each in captions], edge)

    def __repr__(self) -> str:
        return f"{counted(len(self.images), 'picture')} {self.images.shape[1:]}; a notebook shows them"

    def _repr_html_(self) -> str:
        captions = self.captions or [""] * len(self.images)
        cards = [Card([(image, words)], "", words) for image, words in zip(self.images, captions, strict=True)]
        return fragment("", [], cards, edge=self.edge)
