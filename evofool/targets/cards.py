"""Model cards: what is known of a target that evofool builds by name."""

from __future__ import annotations

from dataclasses import dataclass


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
        weights: The embedded file's name, the door's name (such as ``torchvision``), or empty where the user brings a
            file.
        resize: What the shorter side of pictures of other sizes becomes before the centre is cropped, in pixels.
        interpolation: How they are resized.
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
