"""Labelled images, in memory or in files, as a target takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ..errors import ImageError
from ..io.images import fit, open_image, to_image
from .matching import Labels, Matching

UNKNOWN = int(np.iinfo(np.int64).min)
"""The label of an image that nobody labelled."""


@dataclass(frozen=True)
class Fitting:
    """How pictures become a target's images: the part of a model card that reading needs."""

    classes: Sequence[str]
    """Names of the target's classes; none where images of any classes will do, and their labels are left out."""
    image_shape: tuple[int, int, int]
    """(C, H, W) of the target's images."""
    resize: int
    """Length in pixels of the resized shorter side, before the centre is cropped; see :func:`evofool.io.images.fit`."""
    interpolation: str = "bilinear"
    """``bilinear``, ``bicubic`` or ``nearest``."""


class LabelledImages(Protocol):
    """N images with their labels, read one by one."""

    name: str
    labels: Labels
    """(N,) class indices of the target; ``UNKNOWN`` where the target's own prediction is to be the label."""
    matching: Matching | None
    """What the data's own class names were taken for; None where it has none."""
    skipped: dict[str, str]
    """Files that were left out before anything was read, with the reason."""

    def __len__(self) -> int: ...

    def id(self, index: int) -> str:
        """Return what records call an image: its file's name, or its number in the archive."""
        ...

    def place(self, index: int) -> str:
        """Return what messages call an image."""
        ...

    def read(self, index: int) -> np.ndarray:
        """Return an image as (C, H, W) uint8.

        Raises:
            ImageError: The file can't be read as an image; the message doesn't name it.
        """
        ...


class ArrayImages:
    """Labelled images in memory.

    Args:
        name: What records call them.
        images: (N, C, H, W) uint8.
        labels: (N,) whole numbers.
        fitting: How images of another size are resized when they are read; None leaves them as they are.
        matching: What the class names of the data were taken for, where it has some.
        source: What messages call them; None for the name.
    """

    def __init__(
        self,
        name: str,
        images: np.ndarray,
        labels: np.ndarray,
        fitting: Fitting | None = None,
        matching: Matching | None = None,
        source: str | None = None,
    ) -> None:
        self._source = source or name
        self.name, self.images, self.matching, self._fitting = name, images, matching, fitting
        self.labels: Labels = labels.astype(np.int64)
        self.skipped: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.labels)

    def id(self, index: int) -> str:
        return f"{self.name}:{index}"

    def place(self, index: int) -> str:
        return f"{self._source}, image {index},"

    def read(self, index: int) -> np.ndarray:
        image = np.ascontiguousarray(self.images[index])
        fitting = self._fitting
        if fitting is None or image.shape == fitting.image_shape:
            return image
        return fit(to_image(image), fitting.image_shape, fitting.resize, fitting.interpolation)


class FileImages:
    """Labelled image files, opened and fitted to the target when they are read.

    Args:
        name: What records call them.
        paths: N files.
        labels: (N,) class indices, or ``UNKNOWN``.
        ids: What records call each of them.
        fitting: How they become images for the target.
        matching: What the names of class folders were taken for, where there are some.
        skipped: Files that were left out, with the reason.
    """

    def __init__(
        self,
        name: str,
        paths: Sequence[str],
        labels: Labels,
        ids: Sequence[str],
        fitting: Fitting,
        matching: Matching | None = None,
        skipped: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.labels, self.matching = name, labels, matching
        self.skipped = dict(skipped or {})
        self._paths, self._ids, self._fitting = paths, ids, fitting

    def __len__(self) -> int:
        return len(self._paths)

    def id(self, index: int) -> str:
        return printable(self._ids[index])

    def place(self, index: int) -> str:
        return self.id(index)

    def read(self, index: int) -> np.ndarray:
        fitting, path = self._fitting, self._paths[index]
        try:
            image = open_image(Path(path))
        except ImageError as error:
            raise ImageError(str(error).removeprefix(f"{path} is ").replace(f" {path}", "", 1)) from error
        return fit(image, fitting.image_shape, fitting.resize, fitting.interpolation)


def printable(name: str) -> str:
    """Return a file's name as text, with escapes for bytes that are no text."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
