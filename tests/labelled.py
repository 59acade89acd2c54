"""Labelled images for tests: pictures on disk, images in memory, and a target that reads the class from a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor, nn

from evofool import Target
from evofool.datasets import ArrayImages, Fitting

CLASSES = ("airplane", "car", "bird", "sea lion")


def fitting(shape: tuple[int, int, int] = (3, 8, 8), classes: Sequence[str] = CLASSES, **options: Any) -> Fitting:
    """How pictures become ``shape``, resized to just that."""
    return Fitting(classes, shape, options.pop("resize", max(shape[1:])), **options)


def picture(
    path: Path, colour: Any = (9, 9, 9), size: tuple[int, int] = (8, 8), mode: str = "RGB", **save: Any
) -> Path:
    """A plain picture, with the folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **save)
    return path


class ReadsClass(nn.Module):
    """A network whose class is the value of the first channel of the upper left pixel."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, images: Tensor) -> Tensor:
        guess = (images[:, 0, 0, 0] * 255).round().long().clamp(max=self.classes - 1)
        return 4.0 * nn.functional.one_hot(guess, self.classes).float()


def reading_target(classes: int = 4, shape: tuple[int, int, int] = (3, 8, 8)) -> Target:
    """A target around :class:`ReadsClass`."""
    names = [*CLASSES, *(f"class {index}" for index in range(len(CLASSES), classes))][:classes]
    return Target(
        ReadsClass(classes), classes=names, image_shape=shape, name="reader", device="cpu", precision="float32"
    )


def images_read_as(
    guesses: Sequence[int], labels: Sequence[int], shape: tuple[int, int, int] = (3, 8, 8), name: str = "set"
) -> ArrayImages:
    """Images that :func:`reading_target` takes for ``guesses``, each with its own number in the next two pixels."""
    number = np.arange(len(guesses))
    images = np.zeros((len(guesses), *shape), np.uint8)
    images[:, 0, 0, 0] = guesses
    images[:, 0, 0, 1], images[:, 0, 0, 2] = number % 256, number // 256
    return ArrayImages(name, images, np.array(labels, np.int64))


def numbers(images: np.ndarray) -> list[int]:
    """Which of :func:`images_read_as` these are."""
    return (images[:, 0, 0, 1].astype(int) + 256 * images[:, 0, 0, 2].astype(int)).tolist()
