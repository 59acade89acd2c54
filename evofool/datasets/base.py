"""What a set of labelled images is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..io.images import fit, open_image, to_image

Labels = NDArray[np.int64]

UNKNOWN = int(np.iinfo(np.int64).min)
"""the label of an image that nobody labelled"""


@dataclass(frozen=True)
class Fitting:
    """How pictures become a target's images: the part of a model card that reading needs."""

    classes: Sequence[str]
    image_shape: tuple[int, int, int]
    """(C, H, W)"""
    resize: int
    """the shorter side becomes this, then the centre is cropped; see :func:`evofool.io.images.fit`"""
    interpolation: str = "bilinear"


class LabelledImages(Protocol):
    """N images with their labels, read one by one."""

    name: str
    labels: Labels
    """(N,) class indices of the target, ``UNKNOWN`` where the target's own prediction shall be the label"""
    skipped: dict[str, str]
    """files that were left out before anything was read, and why"""

    def __len__(self) -> int: ...

    def id(self, index: int) -> str:
        """What records call an image: its file's name, or its place in the archive."""
        ...

    def read(self, index: int) -> np.ndarray:
        """(C, H, W) uint8.

        Raises:
            ImageError: the file is no image that can be read.
        """
        ...


class ArrayImages:
    """Labelled images in memory: ``images`` (N, C, H, W) uint8, ``labels`` (N,) whole numbers.

    Args:
        fitting: images of another size are resized as it says when they are read; None leaves them as they are.
    """

    def __init__(self, name: str, images: np.ndarray, labels: np.ndarray, fitting: Fitting | None = None) -> None:
        self.name, self.images, self._fitting = name, images, fitting
        if labels.dtype == np.uint64:
            labels = np.minimum(labels, np.iinfo(np.int64).max)
        self.labels: Labels = labels.astype(np.int64)
        self.skipped: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.labels)

    def id(self, index: int) -> str:
        return f"{self.name}:{index}"

    def read(self, index: int) -> np.ndarray:
        image = np.ascontiguousarray(self.images[index])
        how = self._fitting
        if how is None or image.shape == how.image_shape:
            return image
        return fit(to_image(image), how.image_shape, how.resize, how.interpolation)


class FileImages:
    """Image files with their labels, opened when they are read and fitted to the target."""

    def __init__(self, name: str, paths: Sequence[str], labels: Labels, ids: Sequence[str], fitting: Fitting) -> None:
        self.name, self.labels = name, labels
        self.skipped: dict[str, str] = {}
        self._paths, self._ids, self._fitting = paths, ids, fitting

    def __len__(self) -> int:
        return len(self._paths)

    def id(self, index: int) -> str:
        return printable(self._ids[index])

    def read(self, index: int) -> np.ndarray:
        how = self._fitting
        return fit(open_image(Path(self._paths[index])), how.image_shape, how.resize, how.interpolation)


def printable(name: str) -> str:
    """A file's name as text: bytes that are none are written out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
