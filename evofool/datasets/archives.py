"""``.npz`` archives of labelled images: ``images``, ``labels`` and, where known, ``classes``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..config.class_names import listed
from ..errors import ConfigError, in_words
from ..io.arrays import Arrays, DamagedArrays, read_arrays
from .base import UNKNOWN, ArrayImages
from .matching import match_names

MAX_IMAGES, MAX_CLASSES = 4_000_000, 100_000
"""Most images and class names of an archive; a megabyte of packed zeros could claim many times as many."""

_NAMES_HINT = "; names belong into classes, and labels count them from 0"
_LABEL_HINTS = {
    "S": _NAMES_HINT,
    "U": _NAMES_HINT,
    "b": "; of two classes False is 0 and True is 1: labels.astype(int)",
    "f": "; where all are whole: labels.astype(int)",
}
"""What to do about labels of these kinds of types."""


def read_archive(path: Path, classes: Sequence[str]) -> ArrayImages:
    """Read the images and labels of an archive.

    Args:
        path: A file with the arrays ``images``, uint8 of shape (N, H, W, 3), (N, H, W, 1), (N, H, W), (N, 3, H, W) or
            (N, 1, H, W), ``labels``, (N,) or (N, 1) whole numbers, and optionally ``classes``, the names that labels
            stand for, as text or as UTF-8 bytes.
        classes: The target's class names. Labels are translated by :func:`~.matching.match_names` where the archive
            has names of its own. None where any will do: there need be no labels then, and none are read.

    Raises:
        ConfigError: The archive is damaged, lacks an array, or an array has another shape or type; or its names don't
            match the target's classes.
    """
    try:
        arrays = read_arrays(path, require_digest=False)
        names = _names(arrays["classes"]) if "classes" in arrays else []
    except (DamagedArrays, ValueError, OSError) as error:
        raise ConfigError(
            f"{path} is not a readable image archive ({in_words(error)}); "
            "expected an .npz with images (N, H, W, 3) uint8 and labels (N,)"
        ) from error
    if missing := [name for name in ("images", "labels" if classes else "images") if name not in arrays]:
        raise ConfigError(
            f"{path} is not a readable image archive: it has no array {missing[0]}, only {listed(list(arrays))}; "
            "expected images (N, H, W, 3) uint8 and labels (N,)"
        )
    images = _images(path, arrays)
    if not classes:
        return ArrayImages(path.stem, images, np.full(len(images), UNKNOWN), source=path.name)
    labels = _labels(path, arrays)
    if not names:
        return ArrayImages(path.stem, images, labels, source=path.name)
    source, fix = f"the names in {path}", "call them as the target does, or leave them out"
    matching = match_names(names, classes, source, "name", fix)
    known = labels != UNKNOWN
    labels[known] = matching.translate(labels[known], str(path))
    return ArrayImages(path.stem, images, labels, matching=matching, source=path.name)


def _names(classes: np.ndarray) -> list[str]:
    if classes.ndim != 1 or len(classes) > MAX_CLASSES:
        raise ValueError(f"classes should be (K,) names, at most {MAX_CLASSES:,}, and are {classes.shape}")
    return [name.decode() if isinstance(name, bytes) else str(name) for name in classes.tolist()]


def _labels(path: Path, arrays: Arrays) -> np.ndarray:
    """Return the labels as (N,) int64."""
    labels, count = arrays["labels"], len(arrays["images"])
    if labels.shape[:1] == (count,) and labels.size == count:
        labels = labels.reshape(count)  # Keras and MedMNIST have them as a column.
    if labels.ndim == 2 and labels.dtype.kind in "biuf" and len(labels) == count and _is_one_hot(labels):
        raise ConfigError(
            f"{path}: labels {labels.shape} are one-hot; give a whole number for each image: np.argmax(labels, axis=1)"
        )
    if labels.shape != (count,) or not np.issubdtype(labels.dtype, np.integer):
        text = _LABEL_HINTS.get(labels.dtype.kind, "") if labels.shape == (count,) else ""
        raise ConfigError(
            f"{path}: expected one whole number as label for each of the {count} images, got labels {labels.shape} "
            f"{labels.dtype}{text}"
        )
    if labels.dtype == np.uint64:
        labels = np.minimum(labels, np.iinfo(np.int64).max)
    return labels.astype(np.int64)


def _is_one_hot(labels: np.ndarray) -> bool:
    """Return whether every row of (N, K) numbers is a single 1 among zeros."""
    return bool(((labels == 0) | (labels == 1)).all() and (labels.sum(1) == 1).all())


def _images(path: Path, arrays: Arrays) -> np.ndarray:
    """Return the images as (N, C, H, W) uint8."""
    images = arrays["images"]
    if images.ndim == 0:
        raise ConfigError(f"{path}: images must be (N, H, W, 3) uint8, got one number")
    if not images.size:
        raise ConfigError(f"{path} holds no images: shape {images.shape}")
    if images.dtype != np.uint8:
        raise ConfigError(f"{path}: images are {images.dtype}; expected uint8, 0 to 255{_conversion(images)}")
    if len(images) > MAX_IMAGES:
        raise ConfigError(f"{path} holds {len(images):,} images; at most {MAX_IMAGES:,} are read")
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4 and images.shape[3] in (1, 3):
        return images.transpose(0, 3, 1, 2)
    if images.ndim == 4 and images.shape[1] in (1, 3):
        return images
    raise ConfigError(f"{path}: expected images (N, H, W, 3) or (N, H, W), got {images.shape}")


def _conversion(images: np.ndarray) -> str:
    """Return how images of another type become uint8, where their values tell it."""
    if images.dtype.kind not in "fui":
        return ""
    low, high = images.min(), images.max()
    if images.dtype.kind == "f" and low >= 0 and high <= 1:
        return ": np.rint(images * 255).astype(np.uint8)"
    return ": images.astype(np.uint8)" if low >= 0 and high <= 255 else f" (the values go from {low:g} to {high:g})"
