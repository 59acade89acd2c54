"""``.npz`` archives of labelled images: ``images``, ``labels`` and, where known, ``classes``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import ConfigError
from ..io.arrays import DamagedArrays, read_arrays
from .base import ArrayImages

MAX_IMAGES, MAX_CLASSES = 4_000_000, 100_000
"""Most images and class names of an archive; a megabyte of packed zeros could claim many times as many."""


def read_archive(path: Path, classes: Sequence[str]) -> ArrayImages:
    """Read the images and labels of an archive.

    Args:
        path: A file with the arrays ``images``, uint8 of shape (N, H, W, 3), (N, H, W, 1), (N, H, W), (N, 3, H, W) or
            (N, 1, H, W), ``labels``, (N,) whole numbers, and optionally ``classes``, the names that labels stand for.
        classes: The target's class names. Labels are translated where the archive names them in another order.

    Raises:
        ConfigError: The archive is damaged, lacks an array, or an array has another shape or type.
    """
    try:
        arrays = read_arrays(path, require_digest=False)
        images, labels = arrays["images"], arrays["labels"]
        names = _names(arrays["classes"]) if "classes" in arrays else []
    except (DamagedArrays, KeyError, ValueError, OSError) as error:
        raise ConfigError(
            f"{path} is not a readable image archive ({error}); "
            "expected an .npz with images (N, H, W, 3) uint8 and labels (N,)"
        ) from error
    if images.ndim == 0:
        raise ConfigError(f"{path}: images must be (N, H, W, 3) uint8, got one number")
    if images.dtype != np.uint8:
        raise ConfigError(f"{path}: images are {images.dtype}; expected uint8, 0 to 255")
    if not images.size:
        raise ConfigError(f"{path} holds no images: shape {images.shape}")
    if len(images) > MAX_IMAGES:
        raise ConfigError(f"{path} holds {len(images):,} images; at most {MAX_IMAGES:,} are read")
    if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
        raise ConfigError(
            f"{path}: expected one whole number as label for each of the {len(images)} images, "
            f"got labels {labels.shape} {labels.dtype}"
        )
    index_of = {name.lower(): index for index, name in reversed(list(enumerate(classes)))}
    reordered = bool(names) and all(name.lower() in index_of for name in names) and names != list(classes)
    if reordered and labels.min() >= 0 and labels.max() < len(names):
        labels = np.array([index_of[name.lower()] for name in names], np.int64)[labels]
    return ArrayImages(path.stem, _channels_first(path, images), labels)


def _names(classes: np.ndarray) -> list[str]:
    if classes.ndim != 1 or len(classes) > MAX_CLASSES:
        raise ValueError(f"classes should be (K,) names, at most {MAX_CLASSES:,}, and are {classes.shape}")
    return [str(name) for name in classes]


def _channels_first(path: Path, images: np.ndarray) -> np.ndarray:
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4 and images.shape[3] in (1, 3):
        return images.transpose(0, 3, 1, 2)
    if images.ndim == 4 and images.shape[1] in (1, 3):
        return images
    raise ConfigError(f"{path}: expected images (N, H, W, 3) or (N, H, W), got {images.shape}")
