"""Model cards: what is known of a target that evofool builds by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

OWN = "the user's own"
"""What a card says of the data, the licence or the weights of a classifier that the user brings."""


@dataclass(frozen=True)
class Card:
    """A model card.

    Attributes:
        name: The target's name.
        architecture: The network, in words.
        classes: The class names, in the order of the scores.
        image_shape: (C, H, W) of the images.
        mean: Mean of each channel's pixels in [0, 1].
        std: Standard deviation of each channel's pixels in [0, 1].
        data: What it learned from.
        accuracy: Measured top-1 accuracy, and on what.
        licence: The licence of code and weights.
        weights: The embedded file's name, the door's name (such as ``torchvision``), ``OWN`` for a classifier
            that the user brings, or empty where ``--weights`` must name a file.
        resize: What the shorter side of pictures of other sizes becomes before the centre is cropped, in pixels.
        interpolation: How they are resized.
        outputs: What the network returns; see :data:`~.execution.outputs.KINDS`.
    """

    name: str
    architecture: str
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    data: str
    accuracy: str
    licence: str
    weights: str
    resize: int
    interpolation: str = "bilinear"
    outputs: str = "logits"

    def with_outputs(
        self, classes: Sequence[str], outputs: str, mean: tuple[float, ...], std: tuple[float, ...]
    ) -> Card:
        """Return the card with what was found out of a classifier."""
        return replace(self, classes=tuple(classes), outputs=outputs, mean=mean, std=std)
